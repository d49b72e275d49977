"""Many files are read in several commits: which files stand together, and what a killed run keeps."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.ingest import list_new, read_new
from smi_spark.secure.runs import Run
from smi_spark.secure.slices import slices, with_place

WriteDicom = Callable[..., Path]
FILES = [
    *(f"a{folder}/{name}.dcm" for folder in range(40) for name in ("1", "2")),
    *(f"night.zip!x{folder}/1.dcm" for folder in range(5)),
    "top.dcm",
]


def test_a_folder_and_an_archive_are_in_one_slice_and_each_file_in_one(spark: SparkSession) -> None:
    files = with_place(spark.createDataFrame([("/pacs", path) for path in FILES], "source string, path string"))

    parts = [({row.path for row in part.collect()}, found) for part, found in slices(files, len(FILES), first=20)]

    assert len(parts) > 1  # the first of about 20
    assert sorted(path for paths, _ in parts for path in paths) == sorted(FILES)
    assert [found for _, found in parts] == [len(paths) for paths, _ in parts]
    for paths, _ in parts:
        assert all((f"a{n}/1.dcm" in paths) == (f"a{n}/2.dcm" in paths) for n in range(40))
        assert len({path for path in paths if "!" in path}) in (0, 5)


def test_few_files_are_one_part_as_they_are(spark: SparkSession) -> None:
    files = spark.createDataFrame([("/pacs", "a/1.dcm")], "source string, path string")
    ((part, found),) = slices(files, 1, first=1)
    assert (part, found) == (files, 1)


def test_a_killed_run_keeps_its_slices_and_the_next_reads_the_rest(
    spark: SparkSession, config: Config, tmp_path: Path, write_dicom: WriteDicom, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 41):
        write_dicom(tmp_path / f"in/{number}/1.dcm", f"2.25.{number}")
    small = config.model_copy(update={"ingest": config.ingest.model_copy(update={"slice_files": 20})})
    headers = tables.table(small, "secure/headers")
    append = tables.append

    def killed_behind_a_slice(df: DataFrame, target: tables.Table, **more: Any) -> int:
        written = append(df, target, **more)
        if target == headers:
            raise KeyboardInterrupt("killed behind a commit")
        return written

    first, second = (Run(f"run-{number}", "", datetime.now(UTC)) for number in (1, 2))
    list_new(spark, small, [str(tmp_path / "in")], first)
    with monkeypatch.context() as killing:
        killing.setattr(tables, "append", killed_behind_a_slice)
        with pytest.raises(KeyboardInterrupt):
            read_new(spark, small, first)
    kept = {row.path for row in tables.read(spark, headers).select("path").collect()}
    rest = read_new(spark, config, second)

    assert 0 < len(kept) < 40
    assert rest == 40 - len(kept)
    rows = {row.path: row.run_id for row in tables.read(spark, headers).select("path", "run_id").collect()}
    assert rows == {f"{n}/1.dcm": "run-1" if f"{n}/1.dcm" in kept else "run-2" for n in range(1, 41)}
    assert tables.read(spark, headers).count() == 40
