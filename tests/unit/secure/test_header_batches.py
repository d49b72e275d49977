from smi_spark.secure.headers import files_within


def test_the_next_batch_is_as_long_as_its_headers_are_short() -> None:
    kilobyte, most = 1_000, 2_048
    assert files_within(128_000_000, 256, 256 * 4 * kilobyte, most) == most
    assert files_within(128_000_000, 256, 256 * 220 * kilobyte, most) == 581
    assert files_within(128_000_000, 256, 256 * 400_000 * kilobyte, most) == 1
    assert files_within(128_000_000, 256, 0, most) == most
