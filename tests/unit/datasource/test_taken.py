"""What a stream's log remembers, and which files rest."""

from pathlib import Path

import pytest

from smi_spark.datasource.stream import resting
from smi_spark.datasource.taken import TakenLog
from smi_spark.errors import SourceError

A, B, C = ("/in", "a.dcm"), ("/in", "b.dcm"), ("/in", "c.dcm")


def test_a_batch_has_the_files_it_was_planned_with_after_a_restart(tmp_path: Path) -> None:
    TakenLog(tmp_path).plan(1, [(A, (10, 1)), (B, (20, 2))])
    assert TakenLog(tmp_path).files(1, 1) == [A, B]


def test_a_file_of_an_earlier_batch_is_not_taken_again_though_it_changed(tmp_path: Path) -> None:
    log = TakenLog(tmp_path)
    log.plan(1, [(A, (10, 1))])
    log.plan(2, [(B, (20, 2))])
    found = {A: (11, 9), B: (20, 2), C: (30, 3)}
    assert log.untaken(2, found) == {C: (30, 3)}
    assert log.untaken(2, found) == {C: (30, 3)}
    assert TakenLog(tmp_path).untaken(1, found) == {B: (20, 2), C: (30, 3)}


def test_a_long_log_is_joined_and_forgets_nothing(tmp_path: Path) -> None:
    log = TakenLog(tmp_path)
    for batch in range(1, 46):
        log.plan(batch, [(("/in", f"{batch}.dcm"), (1, 1))])
        log.tidy(batch)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "00000041.parquet", "00000042.parquet", "00000043.parquet", "00000044.parquet", "00000045.parquet",
        "to-00000040.parquet",
    ]  # fmt: skip
    found = {("/in", f"{number}.dcm"): (1, 1) for number in range(1, 50)}
    assert sorted(TakenLog(tmp_path).untaken(45, found)) == [("/in", f"{number}.dcm") for number in range(46, 50)]


def test_a_log_that_was_killed_while_it_was_joined_forgets_nothing(tmp_path: Path) -> None:
    log = TakenLog(tmp_path)
    for batch in range(1, 22):
        log.plan(batch, [(("/in", f"{batch}.dcm"), (1, 1))])
    parts = {file: file.read_bytes() for file in tmp_path.iterdir()}
    log.tidy(21)
    for file, content in parts.items():  # as if none of them had been removed yet
        file.write_bytes(content)
    log.plan(22, [(("/in", "22.dcm"), (1, 1))])
    TakenLog(tmp_path).tidy(22)
    found = {("/in", f"{number}.dcm"): (1, 1) for number in range(1, 24)}
    assert list(TakenLog(tmp_path).untaken(22, found)) == [("/in", "23.dcm")]


def test_a_log_that_is_gone_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"lacks batch 3\. Bring the log back .* empty checkpoint"):
        TakenLog(tmp_path / "elsewhere").files(3, 3)


def test_a_file_that_still_grows_does_not_rest(tmp_path: Path) -> None:
    growing, whole = tmp_path / "growing.dcm", tmp_path / "whole.dcm"
    growing.write_bytes(b"half")
    whole.write_bytes(b"all of it")

    def listing() -> dict[tuple[str, str], tuple[int, int]]:
        return {("", f.name): (f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(tmp_path.iterdir())}

    def more_is_written() -> None:
        growing.write_bytes(b"half and more")

    assert [path for _, path in resting(listing, more_is_written)] == ["whole.dcm"]
    assert [path for _, path in resting(listing, lambda: None)] == ["growing.dcm", "whole.dcm"]
