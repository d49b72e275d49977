"""A cohort of half a million images while the archive around it grows: in other partitions, of other patients."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from pathlib import Path

from measures import line
from pyspark.sql import SparkSession
from secure.opened import BYTES, FILES, opened, settings

from analysis.ground import DONE, NO_KEYS, Place, Turn, by_turns, median, sink, zone_2
from smi_spark import tables
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.selection import attrition, select_images
from smi_spark.config import Config
from smi_spark.synthetic.rates import load_rates
from smi_spark.synthetic.record_frames import TABLES
from smi_spark.synthetic.tables_only import write_tables

OWN, GROWN, ROUNDS = 1_000_000, (0, 10_000_000, 100_000_000), 3
YEARS = (2024, 2025)  # behind those of the archive that it grows by
WHAT = ("cohort", "attrition")
QUESTION = {
    "cohort": "grows", "project": "demo", "question": "Which CT and MR is of people without warfarin or cancer?",
    "images": {"modality": ["CT", "MR"], "study_date": {"from": f"{YEARS[0]}-01-01", "until": f"{YEARS[1]}-12-31"}},
    "records": {
        "excluded": [
            {"table": "prescribing", "codes": {"BNF": "0208020V0"}, "window": {"from": "-6 months", "until": "0 days"}},
            {"table": "smr01", "codes": {"ICD-10": "C"}, "window": {"until": "0 days"}},
        ]
    },
}  # fmt: skip
DEFINITION = read_definition(QUESTION, "the benchmark")


def growing(place: Place) -> list[str]:
    """All sizes in one session, by turns: the rows of the cohort in all columns to nowhere, and its attrition.

    Own images are of two years, all others of the fourteen before them. Records are of the patients of either.
    """
    events = place.ground.place / "events-growing"
    with place.ground.session(settings(events)) as spark:
        own = own_archive(spark, place)
        read = {size: zone_2(spark, _grown(spark, place, own, size)) for size in GROWN}
        rows = {size: select_images(*one, DEFINITION) for size, one in read.items()}
        chosen = {size: one.count() for size, one in rows.items()}
        works: dict[str, Callable[[], object]] = {}
        for size, one in read.items():
            works[f"cohort {size}"] = partial(sink, rows[size])
            works[f"attrition {size}"] = partial(attrition, *one, DEFINITION)
        turns = by_turns(spark, works, ROUNDS)
    assert len({*chosen.values()}) == 1, chosen
    lines = ["", f"a cohort of {chosen[0]:,} images, local[2], driver 6g: median of {ROUNDS}, by turns in one session"]
    for size in GROWN:
        lines += _told(place, events, size, {what: turns[f"{what} {size}"] for what in WHAT})
    for what, size in product(WHAT, GROWN[1:]):
        first, grown = (median(turns[f"{what} {one}"]) for one in (0, size))
        by = f"{what}, {place.ground.count(size):,} more images"
        lines += [
            line(f"{by}, seconds", grown.wall / first.wall, 2, at_most=True),
            line(f"{by}, CPU", grown.cpu / first.cpu, 2, at_most=True),
        ]
    return lines


def _told(place: Place, events: Path, size: int, turns: Mapping[str, list[Turn]]) -> Iterator[str]:
    count = place.ground.count(OWN, 1_000) + (place.ground.count(size, 0) if size else 0)
    yield f"  {count:11,} images:"
    for what, several in turns.items():
        cost, last = median(several), several[-1]
        files, read = (opened(events, last.begin, last.end, metric) for metric in (FILES, BYTES))
        told = ", ".join(
            f"{name} {files[name]} of {read[name] / 1e6:,.1f} MB" for name in sorted(files) if "log" not in name
        )
        yield f"    {what:9} {cost.wall:6.2f} s, of CPU {cost.cpu:6.2f}; files read: {told}"


def own_archive(spark: SparkSession, place: Place) -> Config:
    """The archive of the cohort's years, made where it is not there."""
    count, rates = place.ground.count(OWN, 1_000), load_rates()
    config = Config.model_validate({"root": str(place.archives / f"own-{count}"), "keys": NO_KEYS})
    done = Path(config.root, DONE)
    if not done.exists():
        years = rates.years.model_copy(update={"first": YEARS[0], "last": YEARS[1]})
        write_tables(spark, config, images=count, seed=2, rates=rates.model_copy(update={"years": years}))
        done.touch()
    return config


def _grown(spark: SparkSession, place: Place, own: Config, size: int) -> Config:
    """The own rows behind those of an archive of so many images, whose files stay where they are: a shallow clone."""
    if not size:
        return own
    config, whole = place.ground.config(f"grown-{size}"), place.archive(size)
    for name in ("images", *(f"records/{table}" for table in TABLES)):
        source, target, rows = (tables.table(one, f"deidentified/{name}") for one in (whole, config, own))
        spark.sql(f"CREATE TABLE delta.`{target.uri}` SHALLOW CLONE delta.`{source.uri}`")
        tables.append(tables.read(spark, rows), target)
    return config
