"""Selection of each worked definition beside its hand-written SQL, and attrition beside selection."""

from collections.abc import Callable, Iterator
from pathlib import Path

from deidentified.ground import Cost
from measures import line
from pyspark.sql import DataFrame, SparkSession
from secure.opened import FILES, opened, settings

from analysis.ground import Place, Turn, by_turns, median, sink, worked_definitions, zone_2
from analysis.queries import query
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.selection import attrition, select_images

IMAGES, ROUNDS = 10_000_000, 3
_AGAINST = (("selection", "SQL"), ("attrition", "selection"))


def selecting(place: Place) -> list[str]:
    """All in one session, by turns: the rows that SQL means and that the selection means, in all columns as a build
    takes them, to nowhere; and the attrition.
    """
    events = place.ground.place / "events-selecting"
    lines: list[str] = []
    most: dict[tuple[str, str], float] = {}
    config = place.archive(IMAGES)
    with place.ground.session(settings(events)) as spark:
        images, records = zone_2(spark, config)
        for name, rows in {"images": images, **records}.items():
            rows.createOrReplaceTempView(name)
        measured = [_measured(spark, images, records, definition) for definition in worked_definitions()]
    for definition, chosen, turns in measured:
        costs = {name: median(several) for name, several in turns.items()}
        lines += _told(definition, chosen, costs, _files(events, turns))
        for of, against in _AGAINST:
            for unit in ("wall", "cpu"):
                ratio = getattr(costs[of], unit) / getattr(costs[against], unit)
                most[of, unit] = max(most.get((of, unit), 0.0), ratio)
    count, targets = place.ground.count(IMAGES, 1_000), {"selection": 1.2, "attrition": 2}
    return [
        "",
        f"the worked definitions over {count:,} images, local[2], driver 6g; median of {ROUNDS}, by turns",
        *lines,
        *(
            line(f"{of} against {against}, {word}, the most of any", most[of, unit], targets[of], at_most=True)
            for of, against in _AGAINST
            for unit, word in (("wall", "seconds"), ("cpu", "CPU"))
        ),
    ]


def _measured(
    spark: SparkSession, images: DataFrame, records: dict[str, DataFrame], definition: Definition
) -> tuple[Definition, int, dict[str, list[Turn]]]:
    """Raises AssertionError where the three do not come to the same number of images."""
    sql, found = query(definition.cohort), dict[str, int]()

    def of_cases() -> None:
        found["attrition"] = attrition(images, records, definition.model_copy(update={"controls": None}))[-1].images

    works: dict[str, Callable[[], object]] = {
        "SQL": lambda: found.update(SQL=sink(spark.sql(sql))),
        "selection": lambda: found.update(selection=sink(select_images(images, records, definition))),
        "attrition": of_cases,
    }
    turns = by_turns(spark, works, ROUNDS)
    assert len(set(found.values())) == 1, f"{definition.cohort}: {found}"
    return definition, found["SQL"], turns


def _files(events: Path, turns: dict[str, list[Turn]]) -> dict[str, int]:
    return {
        name: opened(events, several[-1].begin, several[-1].end, FILES)["deidentified/images"]
        for name, several in turns.items()
    }


def _told(definition: Definition, chosen: int, costs: dict[str, Cost], files: dict[str, int]) -> Iterator[str]:
    sql, selection, counted = (costs[name] for name in ("SQL", "selection", "attrition"))
    cases = " (cases alone: SQL cannot match)" if definition.controls else ""
    yield f"  {definition.cohort}: {chosen:,} images{cases}"
    yield (
        f"    seconds (CPU): SQL {sql.wall:.2f} ({sql.cpu:.2f}), selection {selection.wall:.2f} ({selection.cpu:.2f}), "
        f"attrition {counted.wall:.2f} ({counted.cpu:.2f}); files of images read: "
        + ", ".join(f"{name} {number}" for name, number in files.items())
    )
    yield (
        f"    selection {selection.wall / sql.wall:.2f} × SQL, of CPU {selection.cpu / sql.cpu:.2f}; "
        f"attrition {counted.wall / selection.wall:.2f} × selection, of CPU {counted.cpu / selection.cpu:.2f}"
    )
