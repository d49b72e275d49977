"""Writes the archive: DICOM files, record extracts, answers."""

import shutil
from pathlib import Path

from smi_spark.errors import InputError
from smi_spark.synthetic.answers import Answers, answer_cohorts, count_images, list_merged, list_planted
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.corrections import CORRECTED, corrected_rows
from smi_spark.synthetic.courses import all_lives
from smi_spark.synthetic.extracts import BadRow, write_extract
from smi_spark.synthetic.faults import faults
from smi_spark.synthetic.files import study_files
from smi_spark.synthetic.headers import CARELESS
from smi_spark.synthetic.identifiers import list_identifiers
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.private import has_blobs
from smi_spark.synthetic.profile import DEFAULT, load_profile
from smi_spark.synthetic.records import TABLES
from smi_spark.synthetic.studies import Study


def write_archive(out: Path, *, patients: int, seed: int, profile: str = DEFAULT) -> Answers:
    """Write an archive of ``patients`` people with images as the folder ``out``; the same seed gives the same bytes.

    ``out/dicom/YYYY/MM/DD/<accession>/<n>.dcm`` are the images, broken files among them;
    ``out/records/<table>.csv`` the extracts of the same people and of some more, one a table of ``records.TABLES``, and
    ``out/records/smr01_late.csv`` corrections of some rows; ``out/answers.json`` what is to be found in them, which
    is also returned. ``profile`` names the rates, a file of ``conf/synthetic``. Written as ``<out>.partial`` first,
    so that ``out`` is whole or not there.
    Raises InputError when ``out`` holds something already, for less than one patient, or for an unknown profile.
    """
    if patients < 1:
        raise InputError(f"{patients} patients make no archive. Give 1 or more.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} holds something already. Give a folder that is new or empty.")
    rates = load_profile(profile)
    partial = out.absolute().with_name(f"{out.absolute().name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    lives = list(all_lives(rates, patients, seed))
    answers = _write(partial, lives, seed)
    partial.replace(out)
    return answers


def _write(root: Path, lives: list[Life], seed: int) -> Answers:
    studies = [study for life in lives for study in life.studies]
    paths = {study.uid: _write_study(root / "dicom", study, seed) for study in studies}
    broken = _write_faults(root / "dicom", studies, seed)
    answers = Answers(
        seed=seed,
        patients=len({study.person.number for study in studies}),
        files=sum(map(len, paths.values())) + len(broken),
        good_images=count_images(studies),
        broken=broken,
        value_errors={path: list(CARELESS) for study in studies if study.careless for path in paths[study.uid]},
        left_out=[path for study in studies if has_blobs(study) for path in paths[study.uid]],
        rows={table: sum(len(life.rows[table]) for life in lives) for table in TABLES},
        bad_rows=_write_records(root / "records", lives, seed),
        corrected={CORRECTED: _write_corrections(root / "records", lives, seed)},
        cohorts=answer_cohorts(lives),
        planted=list_planted(lives),
        written_otherwise={s.patient_id: s.person.chi for s in studies if s.patient_id != s.person.chi},
        merged=list_merged(lives),
        identifiers=list_identifiers(lives),
    )
    answers.write(root / "answers.json")
    return answers


def _write_study(root: Path, study: Study, seed: int) -> list[str]:
    """Write the study's files; their paths below ``root``."""
    (root / study.folder).mkdir(parents=True)
    paths = []
    for number, content in enumerate(study_files(study, seed), start=1):
        paths.append(f"{study.folder}/{number}.dcm")
        (root / paths[-1]).write_bytes(content)
    return paths


def _write_faults(root: Path, studies: list[Study], seed: int) -> dict[str, str]:
    broken = {}
    for path, content, reason in faults(studies, seed):
        (root / path).write_bytes(content)
        broken[path] = str(reason)
    return broken


def _write_records(root: Path, lives: list[Life], seed: int) -> dict[str, list[BadRow]]:
    """Write the extracts; bad rows come from people without images, so that no answer hangs on one."""
    root.mkdir(parents=True)
    bad_rows = {}
    for table in TABLES:
        rows = [row for life in lives for row in life.rows[table]]
        donors = [row for life in lives if not life.studies for row in life.rows[table]]
        content, bad_rows[table] = write_extract(table, rows, donors, stream(seed, "extract", table))
        (root / f"{table}.csv").write_bytes(content)
    return bad_rows


def _write_corrections(root: Path, lives: list[Life], seed: int) -> list[str]:
    """Write the later extract; gives the keys of its rows."""
    rng = stream(seed, "corrections", CORRECTED)
    rows = corrected_rows([row for life in lives for row in life.rows[CORRECTED]], rng)
    content, _ = write_extract(CORRECTED, rows, [], rng)
    (root / f"{CORRECTED}_late.csv").write_bytes(content)
    return sorted(str(row["URI"]) for row in rows)
