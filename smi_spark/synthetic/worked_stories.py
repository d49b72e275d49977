"""People whose answers to further definitions of ``conf/cohorts`` are known: on each boundary, and just beyond it.

Nothing happens to them but what is told here, and ordinary drugs.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

from smi_spark.synthetic.stories import APIXABAN, HEAD_CT, MAMMOGRAM, WARFARIN, Event, Scan, Story, When

CHEST_XRAY_COHORT = "chest_xray_then_lung_cancer"
CHILD_COHORT = "child_head_ct_sent_home"
EMBOLISM_COHORT = "chest_ct_with_embolism_then_anticoagulant"
KNEE_COHORT = "knee_mr_before_replacement"
MAMMOGRAMS_COHORT = "mammogram_cases_and_controls"
MR_COHORT = "head_mr_without_dementia"
PET_COHORT = "pet_around_lymphoma_treatment"
PREGNANCY_COHORT = "pregnancy_ultrasound_with_birth"
STROKE_COHORT = "stroke_imaging_then_death"
THREE_DRUGS_COHORT = "head_ct_with_three_prescriptions"

DONEPEZIL = "0411000D0"
CHEST_XRAY, CHEST_CT, PET, WOMB = Scan("CR", "chest"), Scan("CT", "chest"), Scan("PT", "wholebody"), Scan("US", "womb")
HEAD_MR, KNEE_MR = Scan("MR", "head", plain=True), Scan("MR", "knee")
HEAD_DWI, SPINE_DWI = Scan("MR", "head", diffusion=True), Scan("MR", "spine", diffusion=True)
_SPRING_2016 = date(2016, 5, 3)


def _drugs(drug: str, *days: When) -> tuple[Event, ...]:
    return tuple(Event("prescribing", when, drug) for when in days)


def _tumour(site: str, *when: int) -> Event:
    return Event("smr06", (when[0], when[1]), site)


def _stay(condition: str, *when: int, operation: str = "") -> Event:
    return Event("smr01", (when[0], when[1]), condition, operation)


def _later(scan: Scan, *when: int) -> Scan:
    return replace(scan, when=(when[0], when[1]))


def _story(
    cohort: str,
    hit: bool,
    usual: Scan,
    name: str,
    *events: Event,
    scans: tuple[Scan, ...] = (),
    sex: str = "",
    age: int | None = None,
    zero: date | None = None,
) -> Story:
    return Story(name, cohort, hit, scans or (usual,), sex=sex, age=age, day_zero=zero, events=events)


def _told(cohort: str, usual: Scan) -> tuple[Callable[..., Story], Callable[..., Story]]:
    """What writes stories that hit the cohort, and that miss it; of the ``usual`` scan where they name no other."""
    return partial(_story, cohort, True, usual), partial(_story, cohort, False, usual)


def _three_drugs() -> list[Story]:
    hit, miss = _told(THREE_DRUGS_COHORT, HEAD_CT)
    usual = _drugs(WARFARIN, (-5, 0), (-3, 0), (-1, 0))
    return [
        hit("first day of 2015", *_drugs(WARFARIN, (-12, 0), (-6, 0), (0, 0)), zero=date(2015, 1, 1)),
        hit("last day of 2018, four items on three days", *usual, *_drugs(WARFARIN, (-1, 0)), zero=date(2018, 12, 31)),
        miss("last day of 2014", *usual, zero=date(2014, 12, 31)),
        miss("first day of 2019", *usual, zero=date(2019, 1, 1)),
        miss("three items on two days", *_drugs(WARFARIN, (-4, 0), (-2, 0), (-2, 0)), zero=_SPRING_2016),
        miss("the first a day before the year", *_drugs(WARFARIN, (-12, -1), (-4, 0), (-2, 0)), zero=_SPRING_2016),
        miss("one of three another anticoagulant", *usual[:2], *_drugs(APIXABAN, (-1, 0)), zero=_SPRING_2016),
    ]  # fmt: skip


def _chest_xrays() -> list[Story]:
    hit, miss = _told(CHEST_XRAY_COHORT, CHEST_XRAY)
    two = (_later(CHEST_XRAY, 3, 0), CHEST_XRAY)
    return [
        hit("lung cancer on the day after", _tumour("C341", 0, 1)),
        hit("lung cancer on the last day of the two years", _tumour("C343", 24, 0)),
        hit("two X-rays, of which the earlier is kept", _tumour("C349", 5, 0), scans=two),
        miss("lung cancer on the day", _tumour("C341", 0, 0)),
        miss("lung cancer one day after the two years", _tumour("C341", 24, 1)),
        miss("a second lung cancer, the first before", _tumour("C341", -10, 0), _tumour("C349", 5, 0)),
        miss("cancer of the breast", _tumour("C504", 5, 0), sex="F"),
        miss("X-ray of the knee", _tumour("C343", 5, 0), scans=(Scan("CR", "knee"),)),
    ]  # fmt: skip


def _head_mrs() -> list[Story]:
    hit, miss = _told(MR_COHORT, HEAD_MR)
    return [
        hit("no dementia"),
        hit("dementia on the day after the MR", _stay("F009", 0, 1)),
        miss("admitted with dementia on the day", _stay("F03X", 0, 0)),
        miss("in psychiatry with Alzheimer's disease long before", Event("smr04", (-20, 0), "G301")),
        miss("a drug for dementia before", *_drugs(DONEPEZIL, (-3, 0))),
        miss("MR of the head without thin slices", scans=(replace(HEAD_MR, careless=True),)),
        miss("MR of the spine", scans=(Scan("MR", "spine"),)),
    ]  # fmt: skip


def _pregnancies() -> list[Story]:
    hit, miss = _told(PREGNANCY_COHORT, WOMB)
    birth = Event("smr02", (0, 100))
    neck, second = Scan("US", "neck"), _later(WOMB, 0, 60)
    return [
        hit("birth on the last day of the thirty weeks", Event("smr02", (0, 210)), sex="F", age=15),
        hit("twins on the day", Event("smr02", (0, 0), babies=2), sex="F", age=50),
        hit("two ultrasounds of one pregnancy", birth, scans=(WOMB, second), sex="F", age=31),
        miss("birth one day after the thirty weeks", Event("smr02", (0, 211)), sex="F", age=29),
        miss("birth on the day before", Event("smr02", (0, -1)), sex="F", age=29),
        miss("a stay without a birth", Event("smr02", (0, 100), babies=0), sex="F", age=29),
        miss("ultrasound of the neck", birth, scans=(neck,), sex="F", age=29),
        miss("aged 51", birth, sex="F", age=51),
    ]  # fmt: skip


def _mammograms() -> list[Story]:
    """Cases and controls of years in which nobody else has a mammogram, so that who is matched is known."""
    hit, miss = _told(MAMMOGRAMS_COHORT, MAMMOGRAM)
    soon, may, two = _tumour("C504", 1, 9), date(2014, 5, 20), (MAMMOGRAM, _later(MAMMOGRAM, -10, 0))
    august, in_2013 = date(2014, 8, 2), date(2013, 6, 4)
    return [
        hit("case of 60 years, of two mammograms the nearest", soon, scans=two, sex="F", age=60, zero=may),
        hit("case of 50 years, on the day", _tumour("C501", 0, 0), sex="F", age=50, zero=in_2013),
        hit("case of 70 years, last day of the two years", _tumour("C50", 24, 0), sex="F", age=70, zero=in_2013),
        hit("control of the same age", sex="F", age=60, zero=august),
        hit("control three years older", _tumour("C343", 1, 0), sex="F", age=63, zero=august),
        miss("four years older", sex="F", age=64, zero=august),
        miss("four years younger than one case, six older than another", sex="F", age=66, zero=in_2013),
        miss("of another year", sex="F", age=60, zero=date(2012, 8, 2)),
        miss("carcinoma in situ of the breast years later", _tumour("D051", 50, 0), sex="F", age=60, zero=august),
        miss("three views and no cancer", scans=(replace(MAMMOGRAM, first=3),), sex="F", age=60, zero=august),
        miss("three views and cancer", soon, scans=(replace(MAMMOGRAM, first=3),), sex="F", age=58, zero=august),
        miss("case of 49 years", soon, sex="F", age=49, zero=in_2013),
        miss("case of 71 years", soon, sex="F", age=71, zero=in_2013),
        miss("a second breast cancer, the first before", _tumour("C509", -30, 0), soon, sex="F", age=60, zero=may),
    ]  # fmt: skip


def _strokes() -> list[Story]:
    hit, miss = _told(STROKE_COHORT, HEAD_CT)

    def died(*when: int) -> Event:
        return Event("deaths", (when[0], when[1]))

    return [
        hit("infarction on the day before, death on the thirtieth day", _stay("I639", 0, -1), died(0, 29)),
        hit("haemorrhage on the day after, death in the third week", _stay("I618", 0, 1), died(0, 20)),
        miss("death on the thirty-first day", _stay("I639", 0, 0), died(0, 31)),
        miss("no death", _stay("I64X", 0, 0)),
        miss("admitted two days before", _stay("I639", 0, -2), died(0, 9)),
        miss("a second stroke", _stay("I639", -24, 0), _stay("I639", 0, 0), died(0, 9)),
        miss("pneumonia", _stay("J189", 0, 0), died(0, 9)),
        miss("MR without diffusion", _stay("I639", 0, 0), died(0, 9), scans=(Scan("MR", "head"),)),
        hit("MR with diffusion", _stay("I64X", 0, 1), died(0, 9), scans=(HEAD_DWI,)),
        hit("CT, and MR with diffusion on the day after", _stay("I639", 0, 0), died(0, 9),
            scans=(HEAD_CT, _later(HEAD_DWI, 0, 1))),
        miss("MR with diffusion two days after", _stay("I639", 0, -2), died(0, 9), scans=(HEAD_DWI,)),
        miss("MR of the spine, with diffusion", _stay("I639", 0, 0), died(0, 9), scans=(SPINE_DWI,)),
    ]  # fmt: skip


def _knees() -> list[Story]:
    hit, miss = _told(KNEE_COHORT, KNEE_MR)

    def replaced(code: str, *when: int) -> Event:
        return _stay("M179", *when, operation=code)

    return [
        hit("replaced on the day", replaced("W401", 0, 0)),
        hit("replaced on the last day of the five years", replaced("W421", 60, 0)),
        hit("two MRs, of which the nearer is kept", replaced("W411", 50, 0), scans=(KNEE_MR, _later(KNEE_MR, 40, 0))),
        miss("replaced one day after the five years", replaced("W401", 60, 1)),
        miss("the other knee replaced before", replaced("W401", -12, 0), replaced("W411", 6, 0)),
        miss("a hip replaced", replaced("W371", 6, 0)),
        miss("MR of the spine before a knee was replaced", replaced("W401", 6, 0), scans=(Scan("MR", "spine"),)),
    ]  # fmt: skip


def _pets() -> list[Story]:
    hit, miss = _told(PET_COHORT, PET)
    lymphoma = _tumour("C833", -1, 0)

    def treated(*when: int) -> Event:
        return _stay("Z511", *when, operation="X723")

    return [
        hit("chemotherapy on the day after", lymphoma, treated(0, 1)),
        hit("chemotherapy two months after, lymphoma one", _tumour("C819", 1, 0), treated(2, 0)),
        hit("chemotherapy three months before", lymphoma, treated(-3, 0)),
        miss("chemotherapy on the day", lymphoma, treated(0, 0)),
        miss("chemotherapy two months and a day after", lymphoma, treated(2, 1)),
        miss("lymphoma a month and a day after", _tumour("C819", 1, 1), treated(0, 9)),
        miss("cancer of the lung", _tumour("C343", -1, 0), treated(0, 9)),
        miss("the CT of a PET-CT alone", lymphoma, treated(0, 9), scans=(replace(PET, first=1),)),
    ]  # fmt: skip


def _embolisms() -> list[Story]:
    hit, miss = _told(EMBOLISM_COHORT, CHEST_CT)
    admitted, soon = _stay("I269", 0, 0), _drugs(APIXABAN, (0, 2))
    day_after = _stay("I260", 0, 1)
    return [
        hit("an anticoagulant on the day", admitted, *_drugs(APIXABAN, (0, 0))),
        hit("admitted on the day after, an anticoagulant on the thirtieth", day_after, *_drugs(WARFARIN, (0, 31))),
        hit("another one more than six months before", admitted, *soon, *_drugs(WARFARIN, (-6, -1))),
        miss("an anticoagulant on the thirty-first day", admitted, *_drugs(APIXABAN, (0, 31))),
        miss("another one six months before", admitted, *soon, *_drugs(WARFARIN, (-6, 0))),
        miss("admitted two days after", _stay("I269", 0, 2), *_drugs(APIXABAN, (0, 3))),
        miss("no anticoagulant", admitted),
        miss("CT of the abdomen", admitted, *soon, scans=(Scan("CT", "abdomen"),)),
    ]  # fmt: skip


def _children() -> list[Story]:
    hit, miss = _told(CHILD_COHORT, HEAD_CT)
    hurt, day_before = Event("ae", (0, 0), "S099"), Event("ae", (0, -1), "S001")
    return [
        hit("aged 15", hurt, age=15),
        hit("hurt on the day before, admitted on the eighth day", day_before, _stay("J189", 0, 8), age=6),
        miss("aged 16", hurt, age=16),
        miss("admitted on the seventh day", hurt, _stay("S0650", 0, 7), age=9),
        miss("admitted on the day", hurt, _stay("S0650", 0, 0), age=9),
        miss("hurt two days before", Event("ae", (0, -2), "S099"), age=9),
        miss("hurt at the arm", Event("ae", (0, 0), "S501"), age=9),
    ]  # fmt: skip


def worked_stories() -> tuple[Story, ...]:
    """All of them, cohort by cohort."""
    told = (
        _three_drugs, _chest_xrays, _head_mrs, _pregnancies, _mammograms, _strokes, _knees, _pets, _embolisms, _children
    )  # fmt: skip
    return tuple(story for tell in told for story in tell())
