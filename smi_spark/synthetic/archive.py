"""Writes an archive block by block: a small one in this process, a large one by the workers of Spark."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from itertools import groupby
from operator import add, itemgetter
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.errors import InputError
from smi_spark.progress import Progress
from smi_spark.synthetic.block import FOLDERS, write_block
from smi_spark.synthetic.courses import PATIENTS_A_BLOCK, Block, blocks, chi_numbers
from smi_spark.synthetic.place import Place
from smi_spark.synthetic.profile import DEFAULT, Profile, load_profile

SUMMARY = "archive.json"


@dataclass(frozen=True)
class Summary:
    """What an archive holds: people with images, files and the broken ones of them, good rows of records."""

    patients: int
    files: int
    broken: int
    rows: int

    def __add__(self, other: "Summary") -> "Summary":
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return Summary(*(one + another for one, another in pairs))

    def __str__(self) -> str:
        return f"{self.files:,} files, {self.broken:,} of them broken; {self.rows:,} good record rows"


_NAMES = tuple(Summary.__dataclass_fields__)
_COUNTS = ", ".join(f"{name} bigint" for name in _NAMES)
_AT_ONCE = 64  # blocks between two words of how far it is


def write_archive(
    out: Path | str,
    *,
    patients: int,
    seed: int,
    profile: str = DEFAULT,
    in_block: int = PATIENTS_A_BLOCK,
    worked: bool = False,
    spark: SparkSession | None = None,
) -> Summary:
    """Write an archive of ``patients`` people with images to ``out``, a path or URI; the same seed, the same bytes.

    Its people are planned and written in blocks of ``in_block`` patients, NNNN being a block's number:
    ``dicom/YYYY/MM/DD/<accession>/<n>.dcm`` are the images, broken files among them;
    ``records/<table>/NNNN.csv`` the extracts of the same people and of some more, by ``records.TABLES``, and
    ``records/smr01_late/NNNN.csv`` corrections of some rows; ``answers/`` what is to be found in all these:
    ``NNNN.json`` (``answers.Answers``), ``files/NNNN.parquet`` (path, UIDs, the person's kept CHI, the reason why a
    file is broken), ``identifiers/NNNN.parquet`` (each planted text in the files of a series: kind, text, tag path, box
    of pixels), ``links/NNNN.parquet`` (table, key, the person's kept CHI); ``archive.json``, written last, how it was
    made and what it holds. With ``worked`` people whose answers to the definitions of ``conf/cohorts`` are known come
    on top of the patients, in a block behind theirs. ``profile`` names the rates, one of ``conf/synthetic`` or a file.
    With ``spark`` the workers write, block by block, the same bytes however many they are.
    Raises InputError when ``out`` holds something already but for what a killed run of the same arguments left, which
    is then completed; for less than one patient, or for an unknown profile.
    """
    if patients < 1:
        raise InputError(f"{patients} patients make no archive. Give 1 or more.")
    rates, place = load_profile(profile), Place(str(out))
    run = {"patients": patients, "seed": seed, "profile": profile, "in_block": in_block}
    run |= {"worked": True} if worked else {}
    with place.at_work(run, goes_on=True):
        for folder in FOLDERS:
            place.create(folder)
        planned = blocks(patients, in_block, worked)
        if spark is None:
            apart = keep_apart(planned, lambda given: _doubled(given, rates, seed))
            written = reduce(add, (_write(place, rates, block, seed) for block in apart))
        else:
            apart = keep_apart(planned, lambda given: _doubled_by_workers(spark, given, rates, seed))
            written = _write_by_workers(spark, place, rates, apart, seed)
        place.write(SUMMARY, (json.dumps(run | asdict(written), indent=1) + "\n").encode())
    return written


def keep_apart(planned: list[Block], doubled: Callable[[Sequence[Block]], list[tuple[str, int]]]) -> list[Block]:
    """The blocks, each with the CHI numbers that it leaves to an earlier one.

    ``doubled`` gives CHI and block number where a number stands in more than one of the blocks it is given. A block
    that leaves one draws another, which may stand in a further block: so until none is left.
    """
    found = list(planned)
    while len(found) > 1 and (numbers := sorted(doubled(found))):  # one block has all to itself
        for _, having in groupby(numbers, key=itemgetter(0)):
            for chi, number in list(having)[1:]:
                found[number] = replace(found[number], kept_free=found[number].kept_free | {chi})
    return found


def _doubled(planned: Sequence[Block], profile: Profile, seed: int) -> list[tuple[str, int]]:
    numbers = [(chi, block.number) for block in planned for chi in chi_numbers(profile, block, seed)]
    count = Counter(chi for chi, _ in numbers)
    return [(chi, number) for chi, number in numbers if count[chi] > 1]


def _doubled_by_workers(
    spark: SparkSession, planned: Sequence[Block], profile: Profile, seed: int
) -> list[tuple[str, int]]:
    def find(block: Block) -> dict[str, list[object]]:
        chis = chi_numbers(profile, block, seed)
        return {"chi": list(chis), "block": [block.number] * len(chis)}

    numbers = _by_workers(spark, planned, find, "chi string, block bigint")
    found = numbers.groupBy("chi").agg(F.collect_set("block").alias("blocks")).where("size(blocks) > 1")
    return [(row.chi, number) for row in found.collect() for number in row.blocks]  # a few in a thousand blocks


def _write(place: Place, profile: Profile, block: Block, seed: int) -> Summary:
    answers = write_block(place, profile, block, seed)
    return Summary(answers.patients, answers.files, len(answers.broken), sum(answers.rows.values()))


def _write_by_workers(
    spark: SparkSession, place: Place, profile: Profile, planned: Sequence[Block], seed: int
) -> Summary:
    def write(block: Block) -> dict[str, list[object]]:
        return {name: [count] for name, count in asdict(_write(place, profile, block, seed)).items()}

    total, patients = Summary(0, 0, 0, 0), sum(block.patients for block in planned)
    with Progress(place.root, patients, "patients") as progress:
        for start in range(0, len(planned), _AT_ONCE):
            part = planned[start : start + _AT_ONCE]
            counts = _by_workers(spark, part, write, _COUNTS).agg(*(F.sum(name) for name in _NAMES)).first()
            assert counts is not None
            total += Summary(*counts)
            progress.add(sum(block.patients for block in part))
    return total


def _by_workers(
    spark: SparkSession, planned: Sequence[Block], work: Callable[[Block], dict[str, list[object]]], schema: str
) -> DataFrame:
    """The rows that ``work`` makes of each block, a task a block."""

    def each(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                yield pa.RecordBatch.from_pydict(work(planned[row["id"]]))

    return spark.range(0, len(planned), 1, len(planned)).mapInArrow(each, schema)
