"""A cohort that was never built: its row in the registry, and what is counted of it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

from smi_spark.analysis.card.contents import Card, make_card
from smi_spark.analysis.card.counts import BANDS, Counts, Filled
from smi_spark.analysis.registry import Input, Registered
from smi_spark.analysis.selection import Left
from smi_spark.analysis.suppression import ALL, Count

QUESTION = "Who had a CT of the head within six months of being prescribed warfarin, and was then admitted to hospital?"
ENTRY = Registered(
    project="demo",
    cohort="head_ct_after_drug_then_admitted",
    version=1,
    built_at=datetime(2026, 11, 26, 12, tzinfo=UTC),
    run_id="r1",
    definition='{"question": "' + QUESTION + '"}',
    definition_hash="5f" * 32,
    tables=(),
    inputs=(Input("deidentified/images", 14), Input("deidentified/records/smr01", 3)),
    attrition=(
        Left(1, "CT images, 2012 or later", 48_210, 61_404, 9_873_201),
        Left(2, "body part head", 14_377, 17_002, 2_209_118),
        Left(3, "with a study date", 14_374, 16_999, 2_208_900),
        Left(4, "prescribing: BNF 0208020V0, from -6 months until 0 days", 1_962, 2_210, 309_417),
        Left(5, "smr01: any record, from 1 day until 3 months", 1_200, 1_260, 180_000),
    ),
    key_id="k1",
    content_checksum="c4" * 32,
    software_version="0.1.0",
    approval="2026-017",
    approval_reference="Panel of 12 January 2026, minutes 4.2",
    profile="project",
    dates="shift",
)
_YEARS = tuple(str(year) for year in range(2012, 2020))


def a_card() -> Card:
    """Its first card."""
    return make_card(ENTRY, counts(), 10)


def the_next(gone: int = 1) -> Card:
    """The card of the next version, for which so many people less of those who are the oldest are in the cohort."""
    entry = replace(
        ENTRY,
        version=2,
        attrition=(
            *ENTRY.attrition[:-1],
            Left(5, ENTRY.attrition[-1].rule, 1_200 - gone, 1_260 - gone, 180_000 - 150 * gone),
        ),
    )
    return make_card(entry, counts(gone), 10, [a_card()], (0, gone))


def counts(gone: int = 0) -> Counts:
    """1,200 people with 180,000 images; of the last year and of some groups there are few."""
    people: Counter[tuple[str, ...]] = Counter()
    for number in range(1_200):
        sex = "female" if number % 2 else "male"
        band = BANDS[min(9, 3 + number * 7 // 1_200)]
        group = "White" if number >= 30 else "Asian" if number >= 13 else "African" if number >= 8 else "unknown"
        people[sex, band, group, ("1, most deprived", "2", "3", "4", "5, least deprived")[number * number % 5]] += 1
    eldest = ("female", BANDS[-1], "White", "2")
    people[eldest] -= gone
    population = {
        (sex, band, group, quintile): int(part * (1_000 + 40 * place))
        for (sex, (place, band), (group, part), quintile) in product(
            ("female", "male"), enumerate(BANDS), (("White", 9.6), ("Asian", 0.3), ("African", 0.1)),
            ("1, most deprived", "2", "3", "4", "5, least deprived"),
        )
    }  # fmt: skip
    images = {("CT", year): Count(22_500, 160) for year in _YEARS[:-1]} | {
        ("CT", _YEARS[-1]): Count(22_440, 158 - gone)
    }
    images |= {("SR", _YEARS[0]): Count(6, 6), ("SR", _YEARS[1]): Count(54, 40)}
    margins: dict[tuple[str, str], Count] = {}
    for (modality, year), count in images.items():
        for name in ((modality, ALL), (ALL, year), (ALL, ALL)):
            before = margins.get(name, Count(0, 0))
            margins[name] = Count(before.value + count.value, min(1_200, before.people + count.people))
    total = 1_200 - gone
    margins[ALL, ALL] = Count(180_000 - 150 * gone, total)
    images["CT", _YEARS[-1]] = Count(22_440 - 150 * gone, 158 - gone)
    margins[ALL, _YEARS[-1]] = Count(22_440 - 150 * gone, 158 - gone)
    margins["CT", ALL] = Count(179_940 - 150 * gone, total)
    makers = {"Siemens": Count(99_000, 800), "GE": Count(80_700 - 150 * gone, 700), "Canon": Count(300, 4)}
    of_years = dict(zip(_YEARS, (160,) * 7 + (4,), strict=True))
    coverage = {(source, year): of_years[year] for source in ("images", "smr01") for year in _YEARS}
    return Counts(
        images=images | margins,
        makers=makers,
        people=dict(people),
        population=population,
        day=date(2015, 7, 1),
        linked={"smr01": total, "prescribing": total - 320},
        coverage=coverage,
        filled={
            "images": Filled(
                180_000, {"SOPInstanceUID": 180_000, "SliceThickness": 179_200, "KVP": 120_000, "EchoTime": 0}
            ),
            "records/smr01": Filled(2_400, {"ADMISSION_DATE": 2_400, "MAIN_OPERATION": 1_200}),
        },
    )  # fmt: skip
