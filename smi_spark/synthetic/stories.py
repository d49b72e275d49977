"""The planted questions: what happens to the people whose answers are known, hits and near misses on each boundary.

Every event is (calendar months, days) from day zero, the day of the story's first scan.
"""

from dataclasses import dataclass
from datetime import date

When = tuple[int, int]

HEAD_CT_COHORT = "head_ct_after_drug_then_admitted"
MAMMOGRAM_COHORT = "mammogram_then_breast_cancer"

WARFARIN = "0208020V0"
APIXABAN = "0208020Z0"
PHENINDIONE = "0208020N0"


@dataclass(frozen=True)
class Scan:
    """A study to make.

    dates: ``all``, ``no_study_date`` (the series have theirs) or ``none``. duplicated: a file of it stands twice.
    careless: some values do not parse. plain: the scanner writes no value over 4 KiB. first: only so many series.
    diffusion: one series more, weighted by diffusion.
    """

    modality: str
    body_part: str
    when: When = (0, 0)
    dates: str = "all"
    duplicated: bool = False
    careless: bool = False
    plain: bool = False
    first: int | None = None
    diffusion: bool = False


@dataclass(frozen=True)
class Event:
    """A record to make: ``table`` by its short name, what its main code says, the operation of an admission.

    In smr02 a birth, of so many ``babies``; of none, a stay before it.
    """

    table: str
    when: When
    code: str = ""
    operation: str = ""
    babies: int = 1


@dataclass(frozen=True)
class Story:
    """What is planted for one person; ``hit`` says whether ``cohort`` must hold the person.

    merge: when a second CHI number is given, and when both are merged; none leaves it to chance. age: whole years on
    day zero.
    """

    name: str
    cohort: str
    hit: bool
    scans: tuple[Scan, ...]
    drugs: tuple[tuple[str, When], ...] = ()
    admissions: tuple[When, ...] = ()
    tumours: tuple[tuple[str, When], ...] = ()
    sex: str = ""
    born: tuple[date, date] | None = None
    day_zero: date | None = None
    merge: tuple[When, When] | None = None
    events: tuple[Event, ...] = ()
    age: int | None = None


HEAD_CT = Scan("CT", "head")
MAMMOGRAM = Scan("MG", "breast")
MONTH_END = date(2018, 8, 31)  # six calendar months before is 28 February
USUAL = ((WARFARIN, (-2, 3)),)
SOON = ((1, 4),)
BEFORE_1930 = (date(1921, 1, 1), date(1924, 12, 31))
NEW_NUMBER = ((0, 1), (0, 30))  # the scan and what is before it have the old one
LEADING_ZERO = (date(1948, 3, 1), date(1948, 3, 9))


def _head(name: str, hit: bool, *scans: Scan, **events: object) -> Story:
    given = {"drugs": USUAL, "admissions": SOON, **events}
    return Story(name, HEAD_CT_COHORT, hit, scans or (HEAD_CT,), **given)  # type: ignore[arg-type]


def _breast(name: str, hit: bool, *scans: Scan, **events: object) -> Story:
    given = {"sex": "F", "tumours": (("C504", (1, 9)),), **events}
    return Story(name, MAMMOGRAM_COHORT, hit, scans or (MAMMOGRAM,), **given)  # type: ignore[arg-type]


_HEAD_HITS = (
    _head("drug and admission well inside the windows", True),
    _head("drug on the first day of the six months", True, drugs=((WARFARIN, (-6, 0)),)),
    _head("drug on the day of the scan", True, drugs=((WARFARIN, (0, 0)),)),
    _head("admission on the last day of the three months", True, admissions=((3, 0),)),
    _head("admission on the day after the scan", True, admissions=((0, 1),)),
    _head("windows cut by a short month", True, drugs=((WARFARIN, (-6, 0)),), admissions=((3, 0),), day_zero=MONTH_END),
    _head("two qualifying scans", True, HEAD_CT, Scan("CT", "head", (0, 10))),
    _head("a file of the qualifying scan stands twice", True, Scan("CT", "head", duplicated=True)),
    _head("several drugs and several admissions", True,
          drugs=(*USUAL, (WARFARIN, (-1, 0))), admissions=(*SOON, (2, 0))),
    _head("older than 90", True, born=BEFORE_1930, day_zero=date(2017, 5, 16)),
    _head("CHI with a leading zero", True, born=LEADING_ZERO),
    _head("only the second scan qualifies", True, HEAD_CT, Scan("CT", "head", (30, 0)),
          drugs=((WARFARIN, (29, 0)),), admissions=((31, 0),), day_zero=date(2016, 2, 9)),
    _head("drug and scan under a number that was merged before the admission", True, merge=NEW_NUMBER),
)  # fmt: skip

_HEAD_MISSES = (
    _head("drug one day before the six months", False, drugs=((WARFARIN, (-6, -1)),)),
    _head("drug on the day after the scan", False, drugs=((WARFARIN, (0, 1)),)),
    _head("admission on the day of the scan", False, admissions=((0, 0),)),
    _head("admission one day after the three months", False, admissions=((3, 1),)),
    _head("admission before the scan", False, admissions=((-1, 0),)),
    _head("another anticoagulant", False, drugs=((APIXABAN, (-1, 0)), (PHENINDIONE, (-2, 0)))),
    _head("CT of another body part", False, Scan("CT", "chest")),
    _head("MR of the head", False, Scan("MR", "head")),
    _head("no admission", False, admissions=()),
    _head("no drug", False, drugs=()),
    _head("head CT without a study date", False, Scan("CT", "head", dates="none")),
    _head("one day before a window cut by a short month", False, drugs=((WARFARIN, (-6, -1)),), day_zero=MONTH_END),
    _head("drug for one scan, admission for another", False, HEAD_CT, Scan("CT", "head", (20, 0)),
          admissions=((21, 0),), day_zero=date(2019, 7, 4)),
)  # fmt: skip

_BREAST_HITS = (
    _breast("cancer soon after the mammogram", True),
    _breast("cancer on the day of the mammogram", True, tumours=(("C501", (0, 0)),)),
    _breast("cancer on the last day of the two years", True, tumours=(("C509", (24, 0)),)),
    _breast("cancer site without a fourth digit", True, tumours=(("C50", (3, 0)),)),
    _breast("two tumours, one of the breast", True, tumours=(("C183", (2, 0)), ("C502", (14, 0)))),
    _breast("two mammograms before the cancer", True, MAMMOGRAM, Scan("MG", "breast", (0, 20))),
    _breast("mammogram under a number that was merged before the cancer", True, merge=NEW_NUMBER),
)

_BREAST_MISSES = (
    _breast("cancer on the day before the mammogram", False, tumours=(("C504", (0, -1)),)),
    _breast("cancer one day after the two years", False, tumours=(("C504", (24, 1)),)),
    _breast("cancer of the lung", False, tumours=(("C343", (2, 0)),)),
    _breast("carcinoma in situ of the breast", False, tumours=(("D051", (1, 0)),)),
    _breast("a man's mammogram", False, sex="M"),
    _breast("ultrasound of the breast, no mammogram", False, Scan("US", "breast")),
    _breast("mammogram without cancer", False, tumours=()),
)


def planted() -> tuple[Story, ...]:
    """All stories, hits and misses of both cohorts mixed, so that a small archive has some of each."""
    lists = [list(part) for part in (_HEAD_HITS, _HEAD_MISSES, _BREAST_HITS, _BREAST_MISSES)]
    mixed = []
    while any(lists):
        mixed += [part.pop(0) for part in lists if part]
    return tuple(mixed)
