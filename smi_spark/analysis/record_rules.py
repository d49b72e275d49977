"""Rules on records, as Spark decides them: a semi-join for each record that is asked for."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Rows
from pyspark.sql import functions as F

from smi_spark.analysis.column_conditions import all_hold
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.image_steps import Step, image_column
from smi_spark.analysis.rules import Rule
from smi_spark.analysis.windows import Window
from smi_spark.deidentified.events import begins_with

Tables = Mapping[str, DataFrame]
Groups = Mapping[str, Rule]


def record_steps(records: Tables, definition: Definition) -> list[Step]:
    """The steps in order: a date to count from where one is needed, rules required, rules excluded.

    A condition is true or false for every image, never null: whether a row exists always is.
    """
    groups = definition.groups or {}
    required, excluded = definition.records.required, definition.records.excluded
    steps = []
    if any(_counts_from_study(rule, groups) for rule in (*required, *excluded)):
        steps.append(Step("with a study date", image_column("StudyDate").isNotNull(), "day"))
    steps += [Step(str(rule), _holds(rule, records, groups), "day") for rule in required]
    steps += [Step(f"no {rule}", ~_holds(rule, records, groups), "day") for rule in excluded]
    return steps


def matching_records(records: DataFrame, rule: Rule) -> DataFrame:
    """The rows whose codes the rule names and of whose columns all holds; all rows where it asks for nothing."""
    matches = [
        begins_with(F.col(column), starts)
        for where, starts in rule.codes.items()
        for column in rule.code_columns(where)
    ]
    matching = records.where(reduce(or_, matches)) if matches else records
    return matching.where(all_hold(rule.having, rule.table_schema)) if rule.having else matching


def event_days(records: Tables, rule: Rule) -> DataFrame:
    """patient_id and event_date (date) of the records that a rule with a table alone names, as often as they are."""
    event = F.col(str(rule.table_schema.event_date)).alias("event_date")
    return matching_records(records[str(rule.table)], rule).select("patient_id", event)


def _counts_from_study(rule: Rule, groups: Groups) -> bool:
    """Whether a window of the rule, or of what it names, counts from the study's date."""
    for _, part in rule.parts(""):
        if part.around is None and part.window != Window():
            return True
        if any(name and _counts_from_study(groups[name], groups) for name in (part.group, part.around)):
            return True
    return False


def _holds(rule: Rule, records: Tables, groups: Groups) -> Column:
    rule = _named(rule, groups)
    if rule.table is not None:
        return _has_record([rule], records, groups)
    if rule.all_of:
        return reduce(and_, (_holds(part, records, groups) for part in rule.all_of))
    # Rules of which one will do, and which differ in their windows alone, look for one record: in any of the windows.
    alike: dict[str, list[Rule]] = {}
    for part in (_named(part, groups) for part in rule.any_of or rule.none_of or ()):
        alike.setdefault(part.model_copy(update={"window": Window()}).model_dump_json(), []).append(part)
    held = (
        _has_record(parts, records, groups) if parts[0].table else _holds(parts[0], records, groups)
        for parts in alike.values()
    )  # fmt: skip
    return ~reduce(or_, held) if rule.none_of else reduce(or_, held)


def _named(rule: Rule, groups: Groups) -> Rule:
    """The rule, or the one that the name in its place means."""
    while rule.group is not None:
        rule = groups[rule.group]
    return rule


def _has_record(rules: Sequence[Rule], records: Tables, groups: Groups) -> Column:
    """Whether the image's patient has such a record around the study; or around an event which is around the study.

    rules: the same but for their windows, of which the record has to lie in one.
    """
    rule, windows = rules[0], [one.window for one in rules]
    days, depth = _days(records, rule), 0
    while rule.around is not None:
        depth += 1
        # Outer columns are named by an alias of their own: a bare outer("patient_id") would silently mean the inner's.
        event, name = groups[rule.around], f"event_{depth}"
        beside = _lies(rule, windows, F.col(f"{name}.patient_id").outer(), F.col(f"{name}.day").outer())
        days, rule = _days(records, event).alias(name).where(days.where(beside).exists()), event
        windows = [rule.window]
    lies = _lies(rule, windows, image_column("patient_id").outer(), image_column("StudyDate").outer())
    return days.where(lies).exists()


def _days(records: Tables, rule: Rule) -> DataFrame:
    """The days of the records that a rule names, whatever its window: patient_id, day.

    With ``at_least`` also last_day, on which there are enough of them. First and last ever are the only day; with first
    and last, ``beside`` is the day before or after it.
    """
    event_date = F.col(str(rule.table_schema.event_date)).alias("day")
    days = matching_records(records[str(rule.table)], rule).select("patient_id", event_date)
    if rule.which is None and rule.at_least is None:
        return days
    dated = days.where(F.col("day").isNotNull())
    if rule.which in ("first ever", "last ever"):
        chosen = F.min("day") if rule.which == "first ever" else F.max("day")
        return dated.groupBy("patient_id").agg(chosen.alias("day"))
    in_order = Rows.partitionBy("patient_id").orderBy("day")
    if rule.at_least is not None:
        return dated.distinct().withColumn("last_day", F.lead("day", rule.at_least - 1).over(in_order))
    beside = F.lag("day") if rule.which == "first" else F.lead("day")
    return dated.distinct().withColumn("beside", beside.over(in_order))


def _lies(rule: Rule, windows: Sequence[Window], patient: Column, anchor: Column) -> Column:
    """Whether a row of ``_days`` is of the patient, and as the rule has it in one of the windows around ``anchor``."""
    lies = F.col("patient_id") == patient
    if rule.at_least is not None:
        lies = lies & F.col("last_day").isNotNull()
    return lies & reduce(or_, (_lies_in(window, rule, anchor) for window in windows))


def _lies_in(window: Window, rule: Rule, anchor: Column) -> Column:
    start, until = (None if side is None else side.from_day(anchor) for side in (window.start, window.until))
    lies = F.lit(True)
    if start is not None:
        lies = lies & (F.col("day") >= start)
    if until is not None:
        lies = lies & (F.col("day" if rule.at_least is None else "last_day") <= until)
    if rule.which in ("first", "last"):
        beside, side = F.col("beside"), start if rule.which == "first" else until
        outside = F.lit(False) if side is None else (beside < side if rule.which == "first" else beside > side)
        lies = lies & (beside.isNull() | outside)
    return lies
