"""People as they are planned: how often things happen, what follows from what, nothing outside a life."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from math import sqrt
from typing import Any

import pytest

from smi_spark.synthetic.courses import Block, plan_block
from smi_spark.synthetic.days import FIRST_DAY, LAST_DAY, YEARS, whole_years
from smi_spark.synthetic.lives import Life, event_days
from smi_spark.synthetic.profile import Profile, load_profile
from smi_spark.synthetic.series import Content

PATIENTS = 400
Planned = tuple[list[Life], Profile]


@pytest.fixture(scope="module", params=["small", "scotland"])
def planned(request: pytest.FixtureRequest) -> Planned:
    """Some 700 lives, and the rates that they follow."""
    profile = load_profile(request.param)
    return plan_block(profile, Block(patients=PATIENTS), seed=11), profile


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    return plan_block(load_profile("small"), Block(patients=PATIENTS), seed=11)


def agrees(happened: Iterable[object], share: float) -> None:
    """As often as ``share`` says, within four standard errors."""
    found = [bool(one) for one in happened]
    assert len(found) > 20
    assert abs(sum(found) / len(found) - share) <= 4 * sqrt(share * (1 - share) / len(found))


def tumours(life: Life) -> list[str]:
    sites = [str(row["ICD10S_CANCER_SITE"]) for row in life.rows["smr06"]]
    return [site for site in sites if site.startswith("C")]


def left(life: Life) -> bool:
    return any(row["DATE_TRANSFER_OUT"] for row in life.rows["demography"])


def grown_up(life: Life) -> bool:
    return whole_years(life.person.birth_date, LAST_DAY) >= 18


def test_people_move_die_leave_and_have_two_numbers_as_often_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    years = sum(LAST_DAY.year - life.history.since.year for life in lives)
    moves = sum(len(life.history.homes) - 1 for life in lives)
    agrees([True] * moves + [False] * (years - moves), profile.people.moves_a_year.value)
    free = [life for life in lives if life.story is None or life.story.merge is None]
    agrees((life.history.merge for life in free), profile.people.two_numbers.value)
    healthy = [life for life in lives if grown_up(life) and not life.cause]
    agrees((life.rows["deaths"] for life in healthy), profile.people.dies_a_year.within(YEARS))
    agrees((left(life) for life in lives if not life.rows["deaths"]), profile.people.leaves_a_year.within(YEARS))


def test_studies_are_spread_over_modalities_and_years_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    first = [life.studies[0] for life in lives if life.studies and life.story is None and grown_up(life)]
    weights = profile.imaging.weights(range(FIRST_DAY.year, LAST_DAY.year + 1))
    total = sum(weights.values())
    for modality in profile.imaging.studies:
        share = sum(weight for (of, _), weight in weights.items() if of == modality) / total
        agrees((study.modality == modality for study in first), share)
    late = sum(weight for (_, year), weight in weights.items() if year >= 2019) / total
    agrees((study.day.year >= 2019 for study in first), late)
    by_chance = [life for life in lives if life.story is None and any(s.modality == "MG" for s in life.studies)]
    assert {life.person.sex for life in by_chance} == {"F"}


def test_studies_have_as_many_images_as_are_cited() -> None:
    profile = load_profile("scotland")
    lives = plan_block(profile, Block(number=1, first=500), seed=11)
    studies = [study for life in lives for study in life.studies]
    for modality, cited in (("CT", 342), ("MR", 381)):
        counts = [
            sum(series.images for series in study.series if series.content is Content.IMAGES)
            for study in studies
            if study.modality == modality
        ]
        assert len(counts) > 40
        assert abs(sum(counts) / len(counts) / cited - 1) < 0.08


def test_twins_are_born_as_often_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    births = [row["NUM_OF_BIRTHS_THIS_PREGNANCY"] for life in lives for row in life.rows["smr02"]]
    agrees((count == 2 for count in births), profile.births.twins.value)


def test_emergencies_begin_in_ae_as_often_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    emergencies = [
        (row["MAIN_CONDITION"], row["ADMISSION_DATE"])
        in [(before["DISEASE_1_CODE"], before["ARRIVAL_DATE"]) for before in life.rows["ae"]]
        for life in lives
        for row in life.rows["smr01"]
        if row["ADMISSION_TYPE"] in ("33", "36")
    ]
    agrees(emergencies, profile.hospital.through_ae.value)


def test_clinics_see_people_again_and_in_vain_as_often_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    visits = [row for life in lives for row in life.rows["smr00"]]
    agrees((row["REFERRAL_TYPE"] == "3" for row in visits), profile.clinics.returns.value)
    agrees((row["CLINIC_ATTENDANCE"] == "8" for row in visits), profile.clinics.missed.value)


def test_people_are_in_ae_and_psychiatry_as_often_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    whole = [life for life in lives if grown_up(life) and not life.cause]
    through = sum(row["ADMISSION_TYPE"] in ("33", "36") for life in whole for row in life.rows["smr01"])
    alone = sum(len(life.rows["ae"]) for life in whole) - round(through * profile.hospital.through_ae.value)
    years = len(whole) * YEARS
    agrees([True] * alone + [False] * (years - alone), profile.hospital.ae_alone_a_year.value)
    stays = sum(len(life.rows["smr04"]) for life in whole)
    agrees([True] * stays + [False] * (years - stays), profile.hospital.mental_health_a_year.value)


def test_cancer_is_found_and_fatal_as_often_as_the_profile_says(planned: Planned) -> None:
    lives, profile = planned
    free = [life for life in lives if life.story is None and grown_up(life) and not life.rows["smr02"]]
    agrees((tumours(life) for life in free), profile.cancer.a_year.within(YEARS))
    agrees((life.rows["deaths"] and life.cause for life in lives if tumours(life)), profile.cancer.fatal.value)
    sites = Counter(site for life in free if life.person.sex == "F" for site in tumours(life))
    assert set(sites) <= set(profile.cancer.sites) - {"C61X"}


def test_nothing_happens_before_a_life_or_after_it(planned: Planned) -> None:
    for life in planned[0]:
        days = [study.day for study in life.studies] + [day for row in life.all_rows() for day in event_days(row)]
        (end,) = {row["DATE_OF_DEATH"] or row["DATE_TRANSFER_OUT"] for row in demography(life)}
        assert life.person.birth_date <= life.history.since <= min(days)
        assert end is None or max(days) == end


def demography(life: Life) -> list[dict[str, Any]]:
    return life.rows["demography"]


def test_every_death_has_its_date_in_the_demography_and_a_cause_that_the_registry_knows(lives: list[Life]) -> None:
    assert sum(len(life.rows["deaths"]) for life in lives) > 50
    for life in lives:
        dates = {row["DATE_OF_DEATH"] for row in demography(life)}
        assert dates == ({row["DATE_OF_DEATH"] for row in life.rows["deaths"]} or {None})
        for row in life.rows["deaths"]:
            cause = str(row["UNDERLYING_CAUSE_OF_DEATH"])
            assert (cause in tumours(life)) == cause.startswith("C") == bool(life.cause)
            assert all(row["DATE_OF_DEATH"] >= tumour["INCIDENCE_DATE"] for tumour in life.rows["smr06"])


def test_a_tumour_brings_scans_admissions_and_prescriptions(lives: list[Life]) -> None:
    ill = [life for life in lives if life.story is None and tumours(life)]
    for life in ill:
        (tumour,) = life.rows["smr06"]
        assert tumour["ICD10S_CANCER_SITE"] in [row["MAIN_CONDITION"] for row in life.rows["smr01"]]
        assert "MORPHINE SULFATE" in " ".join(str(row["PI_APPROVED_NAME"]) for row in life.rows["prescribing"])
    seen = [tumours(life)[0] in [row["MAIN_CONDITION"] for row in life.rows["smr00"]] for life in ill]
    assert sum(seen) > 0.8 * len(ill) > 50


def test_homes_and_numbers_follow_each_other_in_the_demography(lives: list[Life]) -> None:
    assert sum(len({row["POSTCODE"] for row in demography(life)}) > 1 for life in lives) > 200
    for life in lives:
        numbers = {row["CHI_NUMBER"] for row in demography(life)}
        for number in numbers:
            rows = [row for row in demography(life) if row["CHI_NUMBER"] == number]
            for row, following in pairwise(rows):
                assert (following["DATE_FROM"] - row["DATE_TO"]).days == 1
            assert rows[-1]["DATE_TO"] == (rows[-1]["DATE_OF_DEATH"] or rows[-1]["DATE_TRANSFER_OUT"])
            assert rows[-1]["UPI_NUMBER"] == life.person.chi
        assert len(numbers) == (2 if life.history.merge else 1)


def test_what_is_before_a_second_number_has_the_old_one_and_what_is_after_the_merge_the_kept_one(
    lives: list[Life],
) -> None:
    between = Counter[bool]()
    for life in (life for life in lives if life.history.merge):
        merge = life.history.merge
        assert merge is not None
        numbered = [(study.day, study.person.chi) for study in life.studies]
        for table in ("smr00", "smr01", "smr04", "smr06", "ae", "deaths"):
            numbered += [(first_day(row), str(row["UPI_NUMBER"])) for row in life.rows[table]]
        for day, number in numbered:
            assert number in (merge.old, life.person.chi)
            if day < merge.second:
                assert number == merge.old
            elif day >= merge.merged:
                assert number == life.person.chi
            else:
                between[number == merge.old] += 1
    assert min(between[True], between[False]) > 20


def first_day(row: Any) -> date:
    return next(day for column, day in row.items() if day in event_days({column: day}))


def test_twins_have_one_birthday_and_numbers_of_their_own(lives: list[Life]) -> None:
    by_number = {chi: life for life in lives for chi in {row["CHI_NUMBER"] for row in demography(life)}}
    pairs = [
        [by_number[str(row[f"BABY_CI_CHI_NUMBER_BABY_{n}"])] for n in (1, 2)]
        for life in lives
        for row in life.rows["smr02"]
        if row["NUM_OF_BIRTHS_THIS_PREGNANCY"] == 2
    ]
    assert len(pairs) > 10
    for one, two in pairs:
        assert one.person.birth_date == two.person.birth_date == one.history.since == two.history.since
        assert one.person.chi != two.person.chi


def test_no_two_people_have_one_number(lives: list[Life]) -> None:
    numbers = [chi for life in lives for chi in {row["CHI_NUMBER"] for row in demography(life)}]
    assert len(numbers) == len(set(numbers))


def test_a_rate_that_changes_leaves_the_images_and_planted_rows_alone(lives: list[Life]) -> None:
    rare = plan_block(load_profile("scotland"), Block(patients=20), seed=11)
    for one, other in zip(lives[:20], rare, strict=False):
        assert [study.uid for study in one.studies] == [study.uid for study in other.studies]
        assert [row["URI"] for row in one.rows["smr01"]] == [row["URI"] for row in other.rows["smr01"]]
