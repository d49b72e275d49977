from smi_spark.secure.ingest import IngestCounts


def test_the_studies_that_hold_fewer_images_than_they_state_are_told() -> None:
    counts = IngestCounts("run-1", 4, 4, 3, 1, studies=2, incomplete=1)
    assert str(counts).endswith("3 images added, 1 files quarantined; fewer images than stated in 1 of 2 studies")
