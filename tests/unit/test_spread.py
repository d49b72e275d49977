"""In how many files the rows of a partition are written."""

import pytest

from smi_spark.spread import files_for, fits_one_file

MIB = 1 << 20


@pytest.mark.parametrize(
    ("mebibytes", "files"),
    [(0, 1), (1, 1), (256, 1), (358, 1), (359, 2), (614, 2), (615, 3), (1024, 4), (2560, 10), (256_000, 1000)],
)
def test_a_partition_needs_as_many_files_as_its_bytes_fill(mebibytes: int, files: int) -> None:
    assert files_for(mebibytes * MIB, 256 * MIB) == files


def test_several_files_of_a_partition_are_of_128_to_512_mb() -> None:
    """With a quarter to spare at either end: how long rows are is known from those of zone 2."""
    for mebibytes in range(257, 10_000):
        size = mebibytes * MIB / files_for(mebibytes * MIB, 256 * MIB)
        assert 128_000_000 / 0.75 < size < 512_000_000 * 0.75, mebibytes


def test_rows_are_not_counted_where_they_are_one_file_however_long_they_are() -> None:
    assert fits_one_file(500_000, 256 * MIB)
    assert not fits_one_file(600_000, 256 * MIB)
