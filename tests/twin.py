"""A twin of the selection in plain Python: slow, simple, written from what a definition says and not from the plan."""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from smi_spark.analysis.conditions import Condition
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.expressions import Call, Part, Value
from smi_spark.analysis.images_wanted import Count, OfAnImage
from smi_spark.analysis.patients_wanted import OnePerPatient
from smi_spark.analysis.rules import Rule
from smi_spark.analysis.windows import Period, Window

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
ONE_OF = {
    "modality": "modality", "body_part": "body_part_label", "mr_sequence": "mr_sequence_label", "plane": "plane_label",
    "face_risk": "face_risk", "sex": "PatientSex",
}  # fmt: skip
EVENT_DATES = {
    "smr01": "ADMISSION_DATE", "smr02": "ADMISSION_DATE", "smr04": "ADMISSION_DATE", "smr06": "INCIDENCE_DATE",
    "prescribing": "PRESCRIBED_DATE", "deaths": "DATE_OF_DEATH", "ae": "ARRIVAL_DATE",
}  # fmt: skip
DIAGNOSES = ["MAIN_CONDITION", *(f"OTHER_CONDITION_{n}" for n in range(1, 6))]
OPERATIONS = ["MAIN_OPERATION", "MAIN_OPERATION_B", *(f"OTHER_OPERATION_{n}{b}" for n in (1, 2, 3) for b in ("", "B"))]
CODED = {
    "ae": {"ICD-10": [f"DISEASE_{n}_CODE" for n in (1, 2, 3)]},
    "smr01": {"ICD-10": DIAGNOSES, "OPCS-4": OPERATIONS},
    "smr04": {"ICD-10": [*DIAGNOSES, *(f"ADMISSION_DIAGNOSIS_{n}" for n in range(1, 5))]},
    "smr06": {"ICD-10": ["ICD10S_CANCER_SITE"]},
    "prescribing": {"BNF": ["PI_BNF_ITEM_CODE"]},
}


def chosen_by(definition: Definition, images: Sequence[Row], records: Tables) -> list[Row]:
    """The images that the definition means."""
    wanted, groups = definition.images, definition.groups or {}
    left = [row for row in images if _is(row, wanted)]
    if wanted.any_of:
        left = [row for row in left if any(_is(row, kind) for kind in wanted.any_of)]
    left = [row for row in left if not any(_is(row, kind) for kind in wanted.none_of or ())]
    if wanted.where:
        left = [row for row in left if _told(wanted.where.tree, row) is True]
    if wanted.each_series:
        sizes = Counter(map(_series, left))
        left = [row for row in left if _enough(sizes[_series(row)], wanted.each_series.images)]
    if wanted.each_study and wanted.each_study.series:
        series = Counter(key[:2] for key in {_series(row) for row in left})
        left = [row for row in left if _enough(series[_series(row)[:2]], wanted.each_study.series)]
    if wanted.each_study and wanted.each_study.images:
        sizes = Counter(_series(row)[:2] for row in left)
        left = [row for row in left if _enough(sizes[_series(row)[:2]], wanted.each_study.images)]
    if _needs_a_date([*definition.records.required, *definition.records.excluded], groups):
        left = [row for row in left if row["StudyDate"]]
    for rule in definition.records.required:
        left = [row for row in left if _true(rule, row, records, groups)]
    for rule in definition.records.excluded:
        left = [row for row in left if not _true(rule, row, records, groups)]
    return left if definition.one_per_patient is None else _one_each(left, definition.one_per_patient, records)


def _one_each(images: Sequence[Row], wanted: OnePerPatient, records: Tables) -> list[Row]:
    """The images of the study, or series, of each patient that comes first of those that can be kept."""
    uid = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}[wanted.set]
    days = {(row["patient_id"], row[uid]): row["StudyDate"] for row in images if row["StudyDate"]}
    kept: dict[str, tuple[Any, ...]] = {}
    for (patient, one), day in days.items():
        order = {"first": 0, "last": -day.toordinal()}.get(wanted.keep)
        if wanted.to is not None:
            near = _events(wanted.to, {"patient_id": patient, "StudyDate": day}, records, {})
            order = min((abs((event - day).days) for event in near if event), default=None)
        if order is not None:
            kept[patient] = min(kept.get(patient, (order, day, one)), (order, day, one))
    return [row for row in images if kept.get(row["patient_id"], ())[2:] == (row[uid],)]


def _told(part: Part, row: Row) -> Any:
    """What a part of ``where`` gives, as far as the definitions that are looked at here ask for it."""
    if not isinstance(part, Call):
        return part.value if isinstance(part, Value) else row[part.name]
    one, other = (_told(inner, row) for inner in part.parts)
    if part.operation == "and":
        return one and other
    if one is None or other is None:
        return None
    return {"array_contains": lambda: other in one, "<=": lambda: one <= other}[part.operation]()


def _series(row: Row) -> tuple[Any, ...]:
    return row["patient_id"], row["StudyInstanceUID"], row["SeriesInstanceUID"]


def _enough(number: int, count: Count) -> bool:
    return (count.at_least or 0) <= number <= (count.at_most or number)


def _is(row: Row, wanted: OfAnImage) -> bool:
    for field, column in ONE_OF.items():
        if getattr(wanted, field) and row[column] not in getattr(wanted, field):
            return False
    day, age = row["StudyDate"], row["age_at_study"]
    if wanted.study_date:
        first, last = wanted.study_date.start or date.min, wanted.study_date.until or date.max
        if day is None or not first <= day <= last:
            return False
    if wanted.age and (
        age is None or not (wanted.age.min or 0) <= age <= (90 if wanted.age.max is None else wanted.age.max)
    ):
        return False
    return all(_holds(row[name], condition) for name, condition in (wanted.having or {}).items())


def _holds(value: Any, condition: Condition) -> bool:
    values = [one for one in (value if isinstance(value, list) else [value]) if one is not None]
    if condition.present is False:
        return not values
    return any(_holds_of_one(one.isoformat() if isinstance(one, date) else one, condition) for one in values)


def _holds_of_one(value: Any, condition: Condition) -> bool:
    return (
        (condition.one_of is None or value in condition.one_of)
        and (condition.begins_with is None or value.startswith(condition.begins_with))
        and (condition.at_least is None or value >= condition.at_least)
        and (condition.at_most is None or value <= condition.at_most)
    )


def _needs_a_date(rules: Sequence[Rule], groups: Mapping[str, Rule]) -> bool:
    for rule in rules:
        named = [groups[name] for name in (rule.group, rule.around) if name]
        if rule.around is None and rule.window != Window():
            return True
        if _needs_a_date([*(rule.any_of or ()), *(rule.all_of or ()), *(rule.none_of or ()), *named], groups):
            return True
    return False


def _true(rule: Rule, image: Row, records: Tables, groups: Mapping[str, Rule]) -> bool:
    if rule.group:
        return _true(groups[rule.group], image, records, groups)
    if rule.any_of:
        return any(_true(part, image, records, groups) for part in rule.any_of)
    if rule.all_of:
        return all(_true(part, image, records, groups) for part in rule.all_of)
    if rule.none_of:
        return not any(_true(part, image, records, groups) for part in rule.none_of)
    return bool(_events(rule, image, records, groups))


def _events(rule: Rule, image: Row, records: Tables, groups: Mapping[str, Rule]) -> list[date | None]:
    """The days of the records that the rule means for an image, from the study outwards."""
    anchors = _events(groups[rule.around], image, records, groups) if rule.around else [image["StudyDate"]]
    table = str(rule.table)
    rows = [row for row in records[table] if row["patient_id"] == image["patient_id"] is not None]
    days = [row[EVENT_DATES[table]] for row in rows if _matches(row, rule, table)]
    return [day for anchor in anchors for day in _around(rule, days, anchor)]


def _matches(row: Row, rule: Rule, table: str) -> bool:
    coded = [
        (row[column], starts)
        for where, starts in rule.codes.items()
        for column in CODED.get(table, {}).get(where, [where])
    ]
    if coded and not any(code is not None and code.startswith(starts) for code, starts in coded):
        return False
    return all(_holds(row[name], condition) for name, condition in (rule.having or {}).items())


def _around(rule: Rule, days: Sequence[date | None], anchor: date | None) -> list[date | None]:
    if rule.which or rule.at_least:
        days = sorted({day for day in days if day is not None})
    if rule.which == "first ever":
        days = days[:1]
    if rule.which == "last ever":
        days = days[-1:]
    inside = [day for day in days if _within(rule.window, day, anchor)]
    if rule.at_least:
        return inside if len(inside) >= rule.at_least else []
    return {"first": inside[:1], "last": inside[-1:]}.get(str(rule.which), inside)


def _within(window: Window, day: date | None, anchor: date | None) -> bool:
    if window == Window():
        return True
    if day is None or anchor is None:
        return False
    first = _moved(anchor, window.start) if window.start else date.min
    last = _moved(anchor, window.until) if window.until else date.max
    return first <= day <= last


def _moved(day: date, period: Period) -> date:
    if not period.months:
        return day + timedelta(period.days)
    year, month = divmod(day.year * 12 + day.month - 1 + period.months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
