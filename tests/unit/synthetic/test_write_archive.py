"""Writing: the same seed, the same bytes; no number twice in all blocks; what cannot be done is said."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from smi_spark.errors import InputError
from smi_spark.synthetic import Answers, Summary, write_archive
from smi_spark.synthetic.__main__ import main
from smi_spark.synthetic.archive import keep_apart
from smi_spark.synthetic.courses import Block, blocks, chi_numbers, plan_block
from smi_spark.synthetic.place import UNFINISHED
from smi_spark.synthetic.profile import load_profile


def _digest(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    written = [write_archive(tmp_path / name, patients=3, seed=5) for name in ("one", "two")]
    assert written[0] == written[1]
    assert _digest(tmp_path / "one") == _digest(tmp_path / "two")


def test_another_seed_gives_other_people() -> None:
    one, two = (chi_numbers(load_profile("small"), Block(patients=9), seed) for seed in (5, 6))
    assert one.isdisjoint(two)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path} holds something already. Give a place that is new")):
        write_archive(tmp_path, patients=1, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_a_killed_run_left_is_completed_by_the_same_run_and_by_no_other(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for root in (whole, killed):
        write_archive(root, patients=1, seed=1)
    for place in ("archive.json", "answers/0000.json", "records/smr01/0000.csv"):
        (killed / place).unlink()
    run = {"patients": 1, "seed": 1, "profile": "small", "in_block": 500}
    (killed / UNFINISHED).write_text(json.dumps(run))
    with pytest.raises(InputError, match=r"a run of patients 1, seed 1, profile small, in_block 500 left, which did"):
        write_archive(killed, patients=1, seed=2)
    write_archive(killed, patients=1, seed=1)
    assert _digest(killed) == _digest(whole)


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


def test_the_summary_counts_what_is_there(archive: Any) -> None:
    told, answers = json.loads((archive.root / "archive.json").read_text()), archive.answers
    counted = Summary(
        patients=answers.patients,
        files=sum(path.is_file() for path in (archive.root / "dicom").rglob("*")),
        broken=len(answers.broken),
        rows=sum(len(archive.good_rows(path.name)) for path in (archive.root / "records").glob("[!s]*")) +
        sum(len(archive.good_rows(f"smr{number}")) for number in ("00", "01", "02", "04", "06")),
    )  # fmt: skip
    assert told == {"seed": 3, "profile": "small", "in_block": 500, **vars(counted)}


def test_blocks_cover_the_patients_once() -> None:
    assert blocks(1200) == [Block(0, 0, 500), Block(1, 500, 500), Block(2, 1000, 200)]
    assert blocks(1) == [Block(0, 0, 1)]


def test_people_of_all_blocks_have_numbers_of_their_own() -> None:
    lives = [life for block in blocks(60, 20) for life in plan_block(load_profile("small"), block, seed=4)]
    numbers = [life.person.number for life in lives]
    assert len(set(numbers)) == len(numbers)
    assert len([life for life in lives if life.story]) == len({life.story.name for life in lives if life.story})
    accessions = [study.accession for life in lives for study in life.studies]
    assert len(set(accessions)) == len(accessions)


def test_a_number_that_is_kept_free_is_not_given() -> None:
    profile, free = load_profile("small"), Block(patients=9)
    given = chi_numbers(profile, free, seed=8)
    taken = frozenset(sorted(given)[:3])
    assert chi_numbers(profile, Block(patients=9, kept_free=taken), seed=8).isdisjoint(taken)


def test_of_blocks_that_share_numbers_the_first_one_keeps_each() -> None:
    """Blocks of invented numbers: one that leaves a number takes the next, which may be another block's."""
    wanted = {0: [1, 5], 1: [1, 7], 2: [2, 7]}

    def given(block: Block) -> list[str]:
        free = iter(str(number) for number in range(1, 99) if str(number) not in block.kept_free)
        return [next(number for number in free if int(number) >= least) for least in wanted[block.number]]

    def doubled(planned: Any) -> list[tuple[str, int]]:
        having = [(number, block.number) for block in planned for number in given(block)]
        count = Counter(number for number, _ in having)
        return [(number, block) for number, block in having if count[number] > 1]

    apart = keep_apart([Block(number, number, 1) for number in wanted], doubled)
    assert [given(block) for block in apart] == [["1", "5"], ["2", "7"], ["3", "8"]]


def test_answers_of_several_blocks_are_put_together(tmp_path: Path) -> None:
    write_archive(tmp_path / "archive", patients=6, seed=3, in_block=3)
    both = Answers.read(tmp_path / "archive")
    one, two = (Answers(**vars(Answers.read(tmp_path / name))) for name in _apart(tmp_path))
    assert both.files == one.files + two.files == sum(p.is_file() for p in (tmp_path / "archive/dicom").rglob("*"))
    assert both.rows["demography"] == one.rows["demography"] + two.rows["demography"]
    assert both.planted == one.planted + two.planted
    assert len(both.broken) == len(one.broken) + len(two.broken)
    assert sum(both.good_images.values()) == sum(one.good_images.values()) + sum(two.good_images.values())
    name = "head_ct_after_drug_then_admitted"
    assert both.cohorts[name].studies == one.cohorts[name].studies + two.cohorts[name].studies
    assert both.seed == 3


def _apart(place: Path) -> list[str]:
    """Each block's answers in a place of their own."""
    for number in ("0000", "0001"):
        (place / number / "answers").mkdir(parents=True)
        found = (place / "archive" / "answers" / f"{number}.json").read_text()
        (place / number / "answers" / f"{number}.json").write_text(found)
    return ["0000", "0001"]


def test_every_file_stands_in_the_answers_with_its_person_or_why_it_is_broken(archive: Any) -> None:
    rows = pq.read_table(archive.root / "answers" / "files").to_pylist()
    there = {str(path.relative_to(archive.root / "dicom")) for path in (archive.root / "dicom").rglob("*.*")}
    assert {row["path"] for row in rows} == there | {"DICOMDIR"}
    assert len(rows) == archive.answers.files
    assert {row["path"]: row["reason"] for row in rows if row["reason"]} == archive.answers.broken
    assert all(row["chi"] and row["SOPInstanceUID"] for row in rows if not row["reason"])


def test_every_row_of_an_extract_is_linked_to_its_person(archive: Any) -> None:
    person = dict(archive.answers.merged)
    rows = pq.read_table(archive.root / "answers" / "links").to_pylist()
    linked = {(row["table"], *row["key"]): row["chi"] for row in rows}
    records = [row for row in rows if row["table"] != "studies"]
    assert len(linked) == len(rows)
    assert len(records) == sum(archive.answers.rows.values())
    for record, chi in archive.good_rows("smr01", "URI", "UPI_NUMBER"):
        assert linked["smr01", record] == person.get(chi, chi)
    for registered, tumour, chi in archive.good_rows("smr06", "PE_PATIENT_ID", "TUMOUR_NO", "CHI_NO"):
        assert linked["smr06", registered, tumour] == person.get(chi, chi)


def test_the_answer_key_tells_for_each_series_where_its_identifiers_stand(archive: Any) -> None:
    files = pq.read_table(archive.root / "answers" / "files").to_pylist()
    rows = pq.read_table(archive.root / "answers" / "identifiers").to_pylist()
    every = {row["SeriesInstanceUID"] for row in files if not row["reason"]}
    assert {row["SeriesInstanceUID"] for row in rows if row["tag_path"] == "PatientID"} == every
    burned_in = [row for row in rows if row["box"]]
    assert {row["tag_path"] for row in burned_in} == {"PixelData"}
    assert {"name", "chi"} <= {row["kind"] for row in burned_in}
