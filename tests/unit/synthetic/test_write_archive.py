"""Writing: the same seed, the same bytes; what cannot be done is said."""

import hashlib
import re
from pathlib import Path

import pytest

from smi_spark.errors import InputError
from smi_spark.synthetic import write_archive
from smi_spark.synthetic.__main__ import main


def _digest(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    answers = [write_archive(tmp_path / name, patients=3, seed=5) for name in ("one", "two")]
    assert answers[0] == answers[1]
    assert _digest(tmp_path / "one") == _digest(tmp_path / "two")


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    one, two = (write_archive(tmp_path / str(seed), patients=1, seed=seed) for seed in (5, 6))
    assert set(one.identifiers["chi"]).isdisjoint(two.identifiers["chi"])


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path} holds something already. Give a folder that is new")):
        write_archive(tmp_path, patients=1, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_a_killed_run_left_is_written_anew(tmp_path: Path) -> None:
    left = tmp_path / "archive.partial" / "dicom"
    left.mkdir(parents=True)
    (left / "half.dcm").write_bytes(b"half")
    write_archive(tmp_path / "archive", patients=1, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert not (tmp_path / "archive" / "dicom" / "half.dcm").exists()


def test_nobody_makes_no_archive(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0 patients make no archive\. Give 1 or more\."):
        write_archive(tmp_path / "new", patients=0, seed=1)


def test_the_command_says_what_it_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "archive"
    monkeypatch.setattr("sys.argv", ["synthetic", "--patients", "1", "--seed", "2", "--out", str(out)])
    assert main() == 0
    files = sum(path.is_file() for path in (out / "dicom").rglob("*"))
    assert capsys.readouterr().out.startswith(f"{out}: {files} files, ")
    assert main() == 1
    assert "holds something already" in capsys.readouterr().err
