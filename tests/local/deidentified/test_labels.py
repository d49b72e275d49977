"""Labels through Spark: as the plain function makes them, and as series and studies hold them."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from smi_spark.deidentified.label_rows import labels_of
from smi_spark.deidentified.label_rules import columns_read, label_columns
from smi_spark.deidentified.labels import with_labels
from smi_spark.deidentified.rollups import roll_up_series, roll_up_studies
from smi_spark.schema import load_schema
from tests.rows import frame

WORDS = ["T1", "t2*", "FLAIR", "AX", "Head", "w/o contrast", "ADC", "Dose Report", "\x1f", "ÄÖ\u212a", '"\\', "", " "]
TEXT = st.none() | st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join) | st.text(max_size=8)
CODE = st.none() | st.sampled_from(["ORIGINAL", "derived ", "PRIMARY", "LOCALIZER", "AXIAL", "EP", "GR", "SE", "BONE"])
NUMBER = st.none() | st.floats(-1, 5000) | st.sampled_from([float("nan"), float("inf"), 0.0, 1.0, 2.5, 70.0])
TYPES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT | CODE,
    "array<string>": st.none() | st.lists(CODE, max_size=4),
    "double": NUMBER,
    "long": st.none() | st.integers(0, 300),
    "array<double>": st.none() | st.lists(st.sampled_from([0.0, 1.0, -1.0, 0.7]), min_size=5, max_size=6),
}
MODALITIES = {"modality": st.just("OTHER"), "modality_as_written": st.sampled_from([None, "", "CT", "MR ", "US", "PT"])}
COLUMNS = {name: TYPES[load_schema("images").column(name).type] for name in columns_read()} | MODALITIES


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=60))
def test_columns_hold_the_labels_that_the_plain_function_makes(spark: SparkSession, rows: list[dict[str, Any]]) -> None:
    labelled = with_labels(frame(spark, "images", [{"InstanceNumber": n} | row for n, row in enumerate(rows)]))

    told = sorted(labelled.select("InstanceNumber", *label_columns()).collect())
    assert [row.asDict(recursive=True) for row in told] == [
        {"InstanceNumber": n} | labels_of(row) for n, row in enumerate(rows)
    ]


def test_a_series_has_the_label_of_most_images_that_have_one_and_the_highest_risk(spark: SparkSession) -> None:
    study = {"modality": "MR", "StudyInstanceUID": "1", "year": 2020}
    a, b, c = (study | {"SeriesInstanceUID": uid} for uid in ("1.1", "1.2", "1.3"))
    images = [
        a | {"mr_sequence_label": "unknown", "face_risk": "low"},
        a | {"mr_sequence_label": "unknown", "face_risk": "possible", "face_reason": "mr_3d_beside_head"},
        a | {"mr_sequence_label": "T1", "face_risk": "none", "face_reason": "no_pixels", "is_original": True},
        b | {"mr_sequence_label": "unknown", "burned_in_risk": "high", "burned_in_reason": "stated"},
        c,
    ]
    df = frame(spark, "images", images, "deidentified")
    names = ("mr_sequence_label", "is_original", "burned_in_risk", "burned_in_reason", "face_risk", "face_reason")

    series = {row["SeriesInstanceUID"]: tuple(row[name] for name in names) for row in roll_up_series(df).collect()}

    assert series == {
        "1.1": ("T1", True, None, None, "possible", "mr_3d_beside_head"),
        "1.2": ("unknown", None, "high", "stated", None, None),
        "1.3": (None, None, None, None, None, None),
    }
    (study_row,) = roll_up_studies(df).collect()
    assert study_row["mr_sequence_labels"] == ["T1", "unknown"]
    assert (study_row["burned_in_risk"], study_row["face_risk"]) == ("high", "possible")
