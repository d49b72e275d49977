"""The people of an archive: planted stories, people whom chance alone leads, and those with records alone."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.days import FIRST_DAY, LAST_DAY, YEARS, add_months, day_between, moved
from smi_spark.synthetic.following import die_of_cancer, fall_ill_with_cancer, follow
from smi_spark.synthetic.history import plan_history
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.people import Person, Population, infancy
from smi_spark.synthetic.profile import Profile
from smi_spark.synthetic.records import ORDINARY_DRUGS
from smi_spark.synthetic.stories import WARFARIN, Event, Scan, Story, planted
from smi_spark.synthetic.studies import BODY_PARTS
from smi_spark.synthetic.worked_stories import worked_stories

RECORDS_ONLY = 2 / 3  # people with records alone, for one with images; their babies come on top
PATIENTS_A_BLOCK = 500
_NUMBERS = 10_000  # of people in a block, more than it can have
_ASKED_ABOUT = ("CT", "MG")
_NOT_OF_INFANTS = ("MG", "PT")
_SCREENED = (date(1945, 1, 1), date(1965, 12, 31))  # who is invited to mammograms in these years
_HARMLESS = (Scan("CR", "chest"), Scan("CR", "knee"), Scan("US", "abdomen"), Scan("MR", "knee"), Scan("CT", "abdomen"))


@dataclass(frozen=True)
class Block:
    """Part of an archive that is planned and written alone: its patients, numbered from ``first`` (0) on.

    kept_free: CHI numbers that people of an earlier block have. worked: its people are none of the archive's patients,
    but those of ``worked_stories``.
    """

    number: int = 0
    first: int = 0
    patients: int = PATIENTS_A_BLOCK
    kept_free: frozenset[str] = frozenset()
    worked: bool = False


def blocks(patients: int, in_block: int = PATIENTS_A_BLOCK, worked: bool = False) -> list[Block]:
    """The blocks of an archive of so many patients, and that of the worked stories, if they are wanted, behind them."""
    of_patients = [
        Block(number, first, min(in_block, patients - first))
        for number, first in enumerate(range(0, patients, in_block))
    ]
    return [*of_patients, *([Block(len(of_patients), patients, 0, worked=True)] if worked else [])]


def plan_block(profile: Profile, block: Block, seed: int) -> list[Life]:
    """The block's people with images, of the archive the stories first, then people with records alone."""
    return list(_lives(_archive(profile, block, seed), block))


def chi_numbers(profile: Profile, block: Block, seed: int) -> set[str]:
    """Every CHI number that somebody of the block has or had."""
    archive = _archive(profile, block, seed)
    for _ in _lives(archive, block):
        pass
    return archive.population.chis


def _archive(profile: Profile, block: Block, seed: int) -> "_Archive":
    return _Archive(Population(block.number * _NUMBERS + 1, block.kept_free), profile, seed)


def _lives(archive: "_Archive", block: Block) -> Iterator[Life]:
    if block.worked:
        for index, story in enumerate(worked_stories()):
            yield from _worked(archive, story, stream(archive.seed, "worked", index))
        return
    stories = planted()
    for index in range(block.first, block.first + block.patients):
        rng = stream(archive.seed, "life", index)
        if index < len(stories):
            yield _storied(archive, stories[index], rng)
        else:
            yield from _ordinary(archive, index - len(stories), rng)
    for index in range(round(block.patients * RECORDS_ONLY)):
        yield from _unimaged(archive, stream(archive.seed, "records only", block.number, index))


@dataclass(frozen=True)
class _Archive:
    population: Population
    profile: Profile
    seed: int

    def begin(self, person: Person, rng: random.Random, story: Story | None = None, zero: date | None = None) -> Life:
        """The life of a person of whom nothing is told yet but where they lived."""
        merge = (moved(zero, *story.merge[0]), moved(zero, *story.merge[1])) if zero and story and story.merge else None
        past = stream(self.seed, "history", person.number)
        history = plan_history(person, self.population, self.profile, past, merge)
        return Life(history, self.seed, rng, story, self.profile.imaging.longer)

    def close(self, life: Life) -> Life:
        """``life`` with all that follows from it, and its end."""
        follow(life, self.profile)
        life.end(self.profile)
        return life


def _storied(archive: _Archive, story: Story, rng: random.Random) -> Life:
    """A planted story, amid events that cannot change its answer."""
    person = archive.population.new(rng, sex=story.sex, born=story.born)
    zero = story.day_zero or day_between(add_months(FIRST_DAY, 12), add_months(LAST_DAY, -36), rng)
    life = archive.begin(person, rng, story, zero)
    for scan in story.scans:
        life.scan(scan, moved(zero, *scan.when))
    for drug, when in story.drugs:
        life.prescribe(moved(zero, *when), drug)
    for when in story.admissions:
        life.admit(moved(zero, *when))
    for site, when in story.tumours:
        life.diagnose(moved(zero, *when), site)
    life.scan(rng.choice(_HARMLESS), zero - timedelta(days=rng.randint(200, 900)))
    life.admit(zero - timedelta(days=rng.randint(200, 1500)))
    _take_ordinary_drugs(life)
    die_of_cancer(life, archive.profile.cancer)
    return archive.close(life)


def _worked(archive: _Archive, story: Story, rng: random.Random) -> Iterator[Life]:
    """A story of the worked definitions and nothing beside it but ordinary drugs; and who is born in it."""
    zero = story.day_zero or day_between(add_months(FIRST_DAY, 12), add_months(LAST_DAY, -36), rng)
    born = story.born if story.age is None else _aged(story.age, zero)
    life = archive.begin(archive.population.new(rng, sex=story.sex, born=born), rng, story, zero)
    deaths = [event for event in story.events if event.table == "deaths"]
    died = moved(zero, *deaths[0].when) if deaths else None
    life.until = died or life.until
    for scan in story.scans:
        life.scan(scan, moved(zero, *scan.when))
    babies = [baby for event in story.events for baby in _happen(archive, life, event, moved(zero, *event.when), rng)]
    _take_ordinary_drugs(life)
    for one in (life, *babies):
        one.close(died if one is life else None)
        yield one


def _aged(years: int, day: date) -> tuple[date, date]:
    """The days on which somebody was born who is so many years old on ``day``."""
    return add_months(day, -12 * (years + 1)) + timedelta(days=1), add_months(day, -12 * years)


def _happen(archive: _Archive, life: Life, event: Event, day: date, rng: random.Random) -> list[Life]:
    """Adds the event to ``life``; gives those who are born in it."""
    babies = []
    match event.table:
        case "prescribing":
            life.prescribe(day, event.code)
        case "smr01":
            life.admit(day, event.code, event.operation)
        case "smr04":
            life.stay_in_psychiatry(day, event.code)
        case "smr06":
            life.diagnose(day, event.code)
        case "ae":
            life.attend(day, event.code)
        case "smr02" if event.babies:
            people = [archive.population.new(rng, born=(day, day)) for _ in range(event.babies)]
            babies = [archive.begin(person, rng) for person in people]
            life.give_birth([each.history.on(day, each.aside) for each in babies])
            life.rows["smr02"][-1]["ADMISSION_DATE"] = day
        case "smr02":
            life.await_birth(day)
    return babies


def _ordinary(archive: _Archive, index: int, rng: random.Random) -> Iterator[Life]:
    """A person whom chance alone leads; each fifth an infant, with the mother's records."""
    if index % 5 == 0:
        baby = archive.begin(archive.population.new(rng, born=infancy(rng)), rng)
        day = baby.person.birth_date + timedelta(days=rng.randint(3, 300))
        _image(baby, _of_infants(archive.profile, day.year, rng), day, index)
        yield from _deliver(archive, baby, rng)
        return
    modality, year = _drawn(archive.profile, rng)
    sex, born = ("F", _SCREENED) if modality == "MG" else ("", None)
    life = archive.begin(archive.population.new(rng, sex=sex, born=born), rng)
    _image(life, modality, _day_of(year, rng), index)
    for _ in range(rng.randint(0, 2)):
        modality, year = _drawn(archive.profile, rng)
        if modality != "MG" or life.person.sex == "F":
            _image(life, modality, _day_of(year, rng), index)
    _fall_ill(archive, life)
    yield archive.close(life)


def _drawn(profile: Profile, rng: random.Random) -> tuple[str, int]:
    """Modality and year of a study."""
    weights = profile.imaging.weights(range(FIRST_DAY.year, LAST_DAY.year + 1))
    return rng.choices(list(weights), list(weights.values()))[0]


def _of_infants(profile: Profile, year: int, rng: random.Random) -> str:
    weights = {of: weight for (of, _), weight in profile.imaging.weights([year]).items() if of not in _NOT_OF_INFANTS}
    return rng.choices(list(weights), list(weights.values()))[0]


def _day_of(year: int, rng: random.Random) -> date:
    return day_between(date(year, 1, 1), date(year, 12, 31), rng)


def _unimaged(archive: _Archive, rng: random.Random) -> Iterator[Life]:
    """Someone known from records alone: a mother of newborns, or anybody."""
    if rng.random() < 0.25:
        baby = archive.begin(archive.population.new(rng, born=infancy(rng)), rng)
        yield from _deliver(archive, baby, rng)
        return
    life = archive.begin(archive.population.new(rng), rng)
    _fall_ill(archive, life)
    yield archive.close(life)


def _deliver(archive: _Archive, baby: Life, rng: random.Random) -> Iterator[Life]:
    """The mother, the baby, and a twin for some."""
    babies, born = [baby], baby.person.birth_date
    if rng.random() < archive.profile.births.twins.value:
        babies.append(archive.begin(archive.population.new(rng, born=(born, born)), rng))
    person = archive.population.new(rng, sex="F", born=(add_months(born, -38 * 12), add_months(born, -20 * 12)))
    mother = archive.begin(person, rng)
    mother.give_birth([each.history.on(born, each.aside) for each in babies])
    yield from map(archive.close, (mother, *babies))


def _image(life: Life, modality: str, day: date, index: int) -> None:
    """A study; now and then without dates, or with the CHI not as it should be written."""
    rng = life.rng
    dates = {3: "no_study_date", 6: "none"}.get(index % 8, "all") if not life.studies else "all"
    scan = Scan(modality, rng.choice(BODY_PARTS[modality]), dates=dates, careless=index % 8 == 5)
    life.scan(scan, day, str if modality in _ASKED_ABOUT else partial(_careless, rng=rng))


def _careless(chi: str, rng: random.Random) -> str:
    """A CHI as some write it: without its leading zero, or twice. Not for what the questions ask about."""
    if chi.startswith("0"):
        return rng.choice((chi, chi[1:]))
    return rng.choice((chi,) * 9 + (f"{chi}\\{chi}",))


def _fall_ill(archive: _Archive, life: Life) -> None:
    """A tumour for some; admissions, drugs (warfarin for some), most near the first scan."""
    rng = life.rng
    day = life.studies[0].day if life.studies else day_between(FIRST_DAY, LAST_DAY, rng)
    if rng.random() < archive.profile.cancer.a_year.within(YEARS):
        fall_ill_with_cancer(life, archive.profile.cancer, day + timedelta(days=rng.randint(-300, 600)))
    for _ in range(rng.randint(0, 3)):
        life.admit(day + timedelta(days=rng.randint(-400, 150)))
    _take_ordinary_drugs(life)
    if rng.random() < 0.4:
        for month in range(rng.randint(1, 6)):
            life.prescribe(moved(day, month - 4, rng.randint(0, 9)), WARFARIN)


def _take_ordinary_drugs(life: Life) -> None:
    rng = life.rng
    for _ in range(rng.randint(2, 9)):
        life.prescribe(day_between(FIRST_DAY, LAST_DAY, rng), rng.choice(ORDINARY_DRUGS))
