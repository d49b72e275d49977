"""Rules on records, on people whose names say what they have: all in one job."""

from datetime import date, timedelta
from typing import Any

from pyspark.sql import SparkSession

from smi_spark.analysis.selection import Left, attrition, select_images
from tests.cohorts import chosen_of, cohort, local_rows

SCAN = date(2020, 5, 31)
DRUG = "0208020V0"
IMAGES = "SOPInstanceUID string, patient_id string, StudyInstanceUID string, SeriesInstanceUID string, StudyDate date"
PRESCRIPTIONS = "patient_id string, PRESCRIBED_DATE date, PI_BNF_ITEM_CODE string, PAID_QUANTITY double"
# Person → days of prescriptions, admissions and deaths, counted from the scan; none is a record without a date.
PEOPLE: dict[str, dict[str, list[int | None]]] = {
    "nothing": {},
    "once": {"drug": [-10]},
    "twice on a day": {"drug": [-10, -10]},
    "twice": {"drug": [-20, -10]},
    "twice, long before": {"drug": [-200, -10]},
    "thrice": {"drug": [-200, -20, -10]},
    "undated drug": {"drug": [None]},
    "admitted": {"stay": [5]},
    "admitted, died soon": {"stay": [5], "death": [20]},
    "admitted twice, died soon after the second": {"stay": [5, 60], "death": [70]},
    "admitted before, died soon after the scan": {"stay": [-40], "death": [20]},
    "died": {"death": [20]},
}
EVERYBODY = set(PEOPLE)
DRUGGED = {"once", "twice on a day", "twice", "twice, long before", "thrice", "undated drug"}
ADMITTED_AFTER = {"admitted", "admitted, died soon", "admitted twice, died soon after the second"}
RECENT = {"from": "-30 days", "until": "0 days"}
PRESCRIBED: dict[str, Any] = {"table": "prescribing", "codes": {"BNF": DRUG}}
AFTER: dict[str, Any] = {"table": "smr01", "window": {"from": "1 day"}}
BEFORE: dict[str, Any] = {**PRESCRIBED, "window": {"from": "-30 days", "until": "-15 days"}}
LONG_BEFORE: dict[str, Any] = {**PRESCRIBED, "window": {"until": "-100 days"}}
IN_EITHER = {"twice", "twice, long before", "thrice"}
DEATH: dict[str, Any] = {"table": "deaths", "window": {"from": "0 days", "until": "30 days"}, "around": "admission"}


def required(*rules: Any, **groups: Any) -> dict[str, Any]:
    return {"records": {"required": list(rules)}, **({"groups": groups} if groups else {})}


def excluded(*rules: Any, **groups: Any) -> dict[str, Any]:
    return {"records": {"excluded": list(rules)}, **({"groups": groups} if groups else {})}


MEANT: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a record": (required(PRESCRIBED), DRUGGED),
    "no record": (excluded(PRESCRIBED), EVERYBODY - DRUGGED),
    "on two days": (required({**PRESCRIBED, "at_least": 2}), {"twice", "twice, long before", "thrice"}),
    "on two days in the window": (required({**PRESCRIBED, "at_least": 2, "window": RECENT}), {"twice", "thrice"}),
    "on three days": (required({**PRESCRIBED, "at_least": 3}), {"thrice"}),
    "on fewer than two days": (
        excluded({**PRESCRIBED, "at_least": 2}), EVERYBODY - {"twice", "twice, long before", "thrice"},
    ),
    "the first ever in the window": (required({**PRESCRIBED, "which": "first ever", "window": RECENT}),
                                     {"once", "twice on a day", "twice"}),
    "the last ever in the window": (
        required({**PRESCRIBED, "which": "last ever", "window": {"from": "-30 days", "until": "-15 days"}}), set(),
    ),
    "the first ever, at whatever time": (required({**PRESCRIBED, "which": "first ever"}), DRUGGED - {"undated drug"}),
    "a further column": (required({**PRESCRIBED, "having": {"PAID_QUANTITY": {"at_least": 56}}}), {"thrice"}),
    "either": (required({"any_of": [AFTER, {"table": "deaths"}]}),
               ADMITTED_AFTER | {"died", "admitted before, died soon after the scan"}),
    "both": (required({"all_of": [AFTER, {"table": "deaths"}]}), ADMITTED_AFTER - {"admitted"}),
    "neither": (required({"none_of": [AFTER, {"table": "deaths"}]}), {"nothing"} | DRUGGED),
    "not both": (excluded({"all_of": [AFTER, {"table": "deaths"}]}), EVERYBODY - (ADMITTED_AFTER - {"admitted"})),
    "not neither": (excluded({"none_of": [AFTER, {"table": "deaths"}]}), EVERYBODY - {"nothing"} - DRUGGED),
    "a group by its name, twice": (
        required({"any_of": ["drugged", "dead"]}, {"none_of": ["dead"]}, drugged=PRESCRIBED, dead={"table": "deaths"}),
        DRUGGED,
    ),
    "in either of two windows": (required({"any_of": [BEFORE, LONG_BEFORE]}), IN_EITHER),
    "in neither of two windows": (required({"none_of": [BEFORE, LONG_BEFORE]}), EVERYBODY - IN_EITHER),
    "not in either of two windows": (excluded({"any_of": [BEFORE, LONG_BEFORE]}), EVERYBODY - IN_EITHER),
    "in both of two windows": (required({"all_of": [BEFORE, LONG_BEFORE]}), {"thrice"}),
    "in one of two windows and not in two others": (
        required({"all_of": [{"any_of": ["before", "long_before"]}, {"none_of": [AFTER, "long_before"]}]},
                 before=BEFORE, long_before={"group": "named"}, named=LONG_BEFORE),
        {"twice"},
    ),
    "in a window or at any time": (required({"any_of": [BEFORE, PRESCRIBED]}), DRUGGED),
    "on two days in either of two windows": (
        required({"any_of": [{**PRESCRIBED, "at_least": 2, "window": RECENT}, {**LONG_BEFORE, "at_least": 2}]}),
        {"twice", "thrice"},
    ),
    "on two days, in either of two windows that have one each": (
        required({"any_of": [{**BEFORE, "at_least": 2}, {**LONG_BEFORE, "at_least": 2}]}), set(),
    ),
    "the first ever in either of two windows": (
        required({"any_of": [{**BEFORE, "which": "first ever"}, {**LONG_BEFORE, "which": "first ever"}]}), IN_EITHER,
    ),
    "in either of two windows, of other columns": (
        required({"any_of": [{**BEFORE, "having": {"PAID_QUANTITY": {"at_least": 56}}}, LONG_BEFORE]}),
        {"twice, long before", "thrice"},
    ),
    "in either of two windows around an admission": (
        required({"any_of": [DEATH, {**DEATH, "window": {"from": "50 days", "until": "62 days"}}]},
                 admission={"table": "smr01"}),
        {"admitted, died soon", "admitted twice, died soon after the second",
         "admitted before, died soon after the scan"},
    ),
    "around any admission after the scan": (
        required(DEATH, admission=AFTER), {"admitted, died soon", "admitted twice, died soon after the second"},
    ),
    "around the first admission after the scan": (
        required(DEATH, admission={**AFTER, "which": "first"}), {"admitted, died soon"},
    ),
    "around the last admission after the scan": (
        required(DEATH, admission={**AFTER, "which": "last"}),
        {"admitted, died soon", "admitted twice, died soon after the second"},
    ),
    "around an event around an event": (
        required({**DEATH, "around": "again"}, admission={**AFTER, "which": "first"},
                 again={"table": "smr01", "window": {"from": "30 days", "until": "60 days"}, "around": "admission"}),
        {"admitted twice, died soon after the second"},
    ),
    "no death around an admission": (
        excluded(DEATH, admission=AFTER),
        EVERYBODY - {"admitted, died soon", "admitted twice, died soon after the second"},
    ),
}  # fmt: skip


def test_each_rule_means_these_people(spark: SparkSession) -> None:
    images = local_rows(spark, IMAGES, [(who, who, who, who, SCAN) for who in PEOPLE])
    drugs = [(who, day, f"{DRUG}AA", 56.0 if number == 2 else 28.0) for who, number, day in days("drug")]
    records = {
        "prescribing": local_rows(spark, PRESCRIPTIONS, drugs),
        "smr01": local_rows(spark, dated("ADMISSION_DATE"), [(who, day) for who, _, day in days("stay")]),
        "deaths": local_rows(spark, dated("DATE_OF_DEATH"), [(who, day) for who, _, day in days("death")]),
    }

    found = chosen_of({name: select_images(images, records, cohort(**asked)) for name, (asked, _) in MEANT.items()})

    assert found == {name: sorted(people) for name, (_, people) in MEANT.items()}
    asked = cohort(**required({**PRESCRIBED, "at_least": 2, "window": RECENT}, {"none_of": [{"table": "deaths"}]}))
    assert attrition(images, records, asked) == (
        Left(1, "all images", 12, 12, 12),
        Left(2, "with a study date", 12, 12, 12),
        Left(3, f"prescribing: BNF {DRUG}, on 2 or more days, from -30 days until 0 days", 2, 2, 2),
        Left(4, "none of (deaths: any record, at any time)", 2, 2, 2),
    )


def days(kind: str) -> list[tuple[str, int, date | None]]:
    """Person, number and day of everything of that kind."""
    return [
        (who, number, None if offset is None else SCAN + timedelta(offset))
        for who, of in PEOPLE.items()
        for number, offset in enumerate(of.get(kind, []))
    ]


def dated(event_date: str) -> str:
    return f"patient_id string, {event_date} date"
