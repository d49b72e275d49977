"""Writes one block of an archive: its DICOM files, record extracts, and what is to be found in them."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from smi_spark.schema import load_schema
from smi_spark.synthetic.answers import Answers, count_images, list_merged, list_planted
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.corrections import CORRECTED, corrected_rows
from smi_spark.synthetic.courses import Block, plan_block
from smi_spark.synthetic.extracts import BadRow, write_extract
from smi_spark.synthetic.faults import faults
from smi_spark.synthetic.files import study_files
from smi_spark.synthetic.headers import CARELESS
from smi_spark.synthetic.identifiers import list_identifiers, series_identifiers
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.place import Place
from smi_spark.synthetic.private import has_blobs
from smi_spark.synthetic.profile import Profile
from smi_spark.synthetic.records import TABLES
from smi_spark.synthetic.studies import Study
from smi_spark.synthetic.worked_answers import answer_cohorts, answer_controls

LATE = f"{CORRECTED}_late"
FOLDERS = (
    "answers",
    "answers/files",
    "answers/identifiers",
    "answers/links",
    *(f"records/{name}" for name in (*TABLES, LATE)),
)
_FILES = pa.schema(
    [
        ("path", pa.string()), ("StudyInstanceUID", pa.string()), ("SeriesInstanceUID", pa.string()),
        ("SOPInstanceUID", pa.string()), ("chi", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
_IDENTIFIERS = pa.schema(
    [
        ("SeriesInstanceUID", pa.string()), ("kind", pa.string()), ("text", pa.string()), ("tag_path", pa.string()),
        ("box", pa.list_(pa.int32())),
    ]
)  # fmt: skip
_LINKS = pa.schema([("table", pa.string()), ("key", pa.list_(pa.string())), ("chi", pa.string())])


def write_block(place: Place, profile: Profile, block: Block, seed: int) -> Answers:
    """Write the block's part of each folder of ``archive.write_archive``; gives what ``answers/NNNN.json`` holds."""
    lives, name = plan_block(profile, block, seed), f"{block.number:04d}"
    studies = [study for life in lives for study in life.studies]
    paths = {study.uid: _write_study(place, study, seed) for study in studies}
    broken = {}
    for path, content, reason in faults(studies, profile.faults, seed, block.number):
        place.write(f"dicom/{path}", content)
        broken[path] = str(reason)
    answers = Answers(
        seed=seed,
        patients=len({study.person.number for study in studies}),
        files=sum(map(len, paths.values())) + len(broken),
        good_images=count_images(studies),
        broken=broken,
        value_errors={path: list(CARELESS) for study in studies if study.careless for path in paths[study.uid]},
        left_out=[path for study in studies if has_blobs(study) for path in paths[study.uid]],
        rows={table: sum(len(life.rows[table]) for life in lives) for table in TABLES},
        bad_rows=_write_records(place, lives, seed, name),
        corrected={CORRECTED: [] if block.worked else _write_corrections(place, lives, seed, name)},
        cohorts=answer_cohorts(lives),
        controls=answer_controls(lives),
        planted=list_planted(lives),
        written_otherwise={s.patient_id: s.person.chi for s in studies if s.patient_id != s.person.chi},
        merged=list_merged(lives),
        identifiers=list_identifiers(lives),
    )
    _write_parquet(place, f"answers/files/{name}.parquet", _FILES, _files(lives, paths, broken))
    _write_parquet(place, f"answers/identifiers/{name}.parquet", _IDENTIFIERS, _identifiers(studies, seed))
    _write_parquet(place, f"answers/links/{name}.parquet", _LINKS, _links(lives))
    place.write(f"answers/{name}.json", (json.dumps(asdict(answers), indent=1, ensure_ascii=False) + "\n").encode())
    return answers


def _write_study(place: Place, study: Study, seed: int) -> list[str]:
    """Write the study's files; their paths below ``dicom/``."""
    place.create(f"dicom/{study.folder}")
    paths = []
    for number, content in enumerate(study_files(study, seed), start=1):
        paths.append(f"{study.folder}/{number}.dcm")
        place.write(f"dicom/{paths[-1]}", content)
    return paths


def _write_records(place: Place, lives: list[Life], seed: int, name: str) -> dict[str, list[BadRow]]:
    """Write the extracts; bad rows come from people without images, so that no answer hangs on one."""
    bad_rows = {}
    for table in TABLES:
        rows = [row for life in lives for row in life.rows[table]]
        donors = [row for life in lives if not life.studies for row in life.rows[table]]
        content, bad_rows[table] = write_extract(table, rows, donors, stream(seed, "extract", table, name))
        place.write(f"records/{table}/{name}.csv", content)
    return bad_rows


def _write_corrections(place: Place, lives: list[Life], seed: int, name: str) -> list[str]:
    """Write the later extract; gives the keys of its rows."""
    rng = stream(seed, "corrections", CORRECTED, name)
    rows = corrected_rows([row for life in lives for row in life.rows[CORRECTED]], rng)
    content, _ = write_extract(CORRECTED, rows, [], rng)
    place.write(f"records/{LATE}/{name}.csv", content)
    return sorted(str(row["URI"]) for row in rows)


def _files(lives: list[Life], paths: Mapping[str, list[str]], broken: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every file, whose it is (by the kept number), and why it is broken where it is."""
    for life in lives:
        for study in life.studies:
            images = ((series, number) for series in study.series for number in range(1, series.images + 1))
            for path, (series, number) in zip(paths[study.uid], images, strict=True):
                uids = {"SeriesInstanceUID": series.uid, "SOPInstanceUID": series.sop_uid(number)}
                yield {"path": path, "StudyInstanceUID": study.uid, **uids, "chi": life.person.chi}
    for path, reason in broken.items():
        yield {"path": path, "reason": reason}


def _identifiers(studies: list[Study], seed: int) -> Iterator[dict[str, Any]]:
    """Every planted text in the files of each series, and where it stands."""
    for study in studies:
        for series in study.series:
            for found in series_identifiers(study, series, seed):
                yield {"SeriesInstanceUID": series.uid, **vars(found)}


def _links(lives: list[Life]) -> Iterator[dict[str, Any]]:
    """Whose every study and every good row of records is, by the kept number."""
    keys = {table: load_schema(f"records/{table}").key for table in TABLES}
    for life in lives:
        for study in life.studies:
            yield {"table": "studies", "key": [study.uid], "chi": life.person.chi}
        for table, rows in life.rows.items():
            for row in rows:
                yield {"table": table, "key": [str(row[column]) for column in keys[table]], "chi": life.person.chi}


def _write_parquet(place: Place, path: str, schema: pa.Schema, rows: Iterator[dict[str, Any]]) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema), buffer, compression="zstd")
    place.write(path, buffer.getvalue())
