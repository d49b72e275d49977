"""A table's log, and what it says of files that are gone."""

import json
from pathlib import Path

from pyarrow.fs import LocalFileSystem

from smi_spark.purge import _leftover, _mended, _rewrite

STATS = '{"minValues":{"patient_id":"somebody"}}'


def lines(*actions: object) -> str:
    return "".join(json.dumps(action, separators=(",", ":")) + "\n" for action in actions)


def add(path: str, **more: object) -> dict[str, object]:
    return {"add": {"path": path, "size": 1, **more}}


def test_a_commit_keeps_what_it_says_of_files_that_are_there(tmp_path: Path) -> None:
    merge = {"commitInfo": {"operation": "MERGE", "operationParameters": {"predicate": '["key = somebody"]', "n": "1"}}}
    place = tmp_path / "00000000000000000001.json"
    place.write_text(lines(merge, add("modality=CT/gone.parquet", stats=STATS), add("there.parquet", stats=STATS)))

    mended = _mended(LocalFileSystem(), str(place), {"there.parquet"})

    blank = {"commitInfo": {"operation": "MERGE", "operationParameters": {"predicate": "[]", "n": "1"}}}
    assert mended == lines(blank, add("modality=CT/gone.parquet"), add("there.parquet", stats=STATS))
    (tmp_path / f".{place.name}.crc").write_bytes(b"of what was there")
    _rewrite(LocalFileSystem(), str(place), mended)
    assert [file.name for file in tmp_path.iterdir()] == [place.name]
    assert _mended(LocalFileSystem(), str(place), {"there.parquet"}) == ""


def test_older_checkpoints_and_checksums_are_left_over_and_no_commit_is(tmp_path: Path) -> None:
    number = "0000000000000000000{}".format
    parts = [f"{number(3)}.checkpoint.000000000{part}.0000000002.parquet" for part in (1, 2)]
    kept = [*(f"{number(n)}.json" for n in range(4)), *parts, f"{number(3)}.crc", "_last_checkpoint"]
    old = [f"{number(1)}.checkpoint.parquet", f"{number(0)}.crc", f"{number(2)}.crc"]
    for name in (*kept, *old):
        (tmp_path / name).touch()

    left = _leftover(LocalFileSystem(), str(tmp_path))

    assert sorted(Path(path).name for path in left) == sorted(old)
