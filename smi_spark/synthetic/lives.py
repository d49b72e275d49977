"""What happens to people: studies and records that follow from each other."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from smi_spark.synthetic import records
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.days import FIRST_DAY, LAST_DAY, add_months, day_between, moved
from smi_spark.synthetic.people import Person, Population, infancy
from smi_spark.synthetic.records import ORDINARY_DRUGS, TABLES, Row
from smi_spark.synthetic.stories import WARFARIN, Scan, Story, planted
from smi_spark.synthetic.studies import BODY_PARTS, Study, plan_study

RECORDS_ONLY = 2 / 3  # people with records alone, for one with images
_SITES = ("C509", "C343", "C183", "C61X", "C439")
_HARMLESS = (Scan("CR", "chest"), Scan("CR", "knee"), Scan("US", "abdomen"), Scan("MR", "knee"), Scan("CT", "abdomen"))


class Life:
    """One person's studies and record rows, in the order in which they were added."""

    def __init__(self, person: Person, rng: random.Random, story: Story | None = None) -> None:
        self.person = person
        self.story = story
        self.rng = rng
        self.studies: list[Study] = []
        self.rows: dict[str, list[Row]] = {table: [] for table in TABLES}

    def scan(self, scan: Scan, day: date, patient_id: str = "") -> None:
        written = patient_id or self.person.chi
        self.studies.append(plan_study(self.person, len(self.studies) + 1, scan, day, written, self.rng))

    def admit(self, day: date) -> None:
        self._add("smr01", records.admission(self.person, len(self.rows["smr01"]), day, self.rng))

    def prescribe(self, day: date, drug: str) -> None:
        ordinal = len(self.rows["prescribing"])
        self._add("prescribing", records.prescription(self.person, ordinal, day, drug, self.rng))

    def diagnose(self, day: date, site: str) -> None:
        self._add("smr06", records.tumour(self.person, len(self.rows["smr06"]) + 1, day, site, self.rng))

    def give_birth(self, babies: list[Person]) -> None:
        self._add("smr02", records.maternity(self.person, len(self.rows["smr02"]), babies, self.rng))

    def end(self) -> None:
        """Death, some weeks after all else."""
        days = [study.day for study in self.studies]
        days += [value for row in self.all_rows() for value in row.values() if isinstance(value, date)]
        last = max(days, default=LAST_DAY)
        self._add("deaths", records.death(self.person, last + timedelta(days=self.rng.randint(20, 400)), self.rng))

    def all_rows(self) -> list[Row]:
        """The rows of all tables."""
        return [row for rows in self.rows.values() for row in rows]

    def _add(self, table: str, row: Row) -> None:
        self.rows[table].append(row)


def all_lives(population: Population, patients: int, seed: int) -> Iterator[Life]:
    """``patients`` people with images, the stories first, then people with records alone."""
    stories = planted()
    for index in range(patients):
        rng = stream(seed, "life", index)
        if index < len(stories):
            yield _storied(population, stories[index], rng)
        else:
            yield from _ordinary(population, index - len(stories), rng)
    for index in range(round(patients * RECORDS_ONLY)):
        yield from _unimaged(population, stream(seed, "records only", index))


def _storied(population: Population, story: Story, rng: random.Random) -> Life:
    """A planted story, amid events that cannot change its answer."""
    person = population.new(rng, sex=story.sex, born=story.born)
    life = Life(person, rng, story)
    zero = story.day_zero or day_between(add_months(FIRST_DAY, 12), add_months(LAST_DAY, -36), rng)
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
    if rng.random() < 0.15:
        life.end()
    return life


def _ordinary(population: Population, index: int, rng: random.Random) -> Iterator[Life]:
    """A person whom chance alone leads; each fifth an infant, with the mother's records."""
    infant = index % 5 == 0
    person = population.new(rng, born=infancy(rng) if infant else None)
    life = Life(person, rng)
    if infant:
        _image(life, person.birth_date + timedelta(days=rng.randint(3, 300)), index)
        yield _mother(population, [person], rng)
    else:
        for _ in range(rng.randint(1, 3)):
            _image(life, day_between(FIRST_DAY, LAST_DAY, rng), index)
        _fall_ill(life)
    yield life


def _image(life: Life, day: date, index: int) -> None:
    """A study of any kind; now and then without dates, or with the CHI not as it should be written."""
    rng = life.rng
    modality = rng.choice(("CT", "CT", "MR", "CR", "US", "PT" if life.person.birth_date < FIRST_DAY else "CR"))
    dates = {3: "no_study_date", 6: "none"}.get(index % 8, "all") if not life.studies else "all"
    written = life.person.chi if modality == "CT" else _careless(life.person.chi, rng)
    scan = Scan(modality, rng.choice(BODY_PARTS[modality]), dates=dates, careless=index % 8 == 5)
    life.scan(scan, day, written)


def _careless(chi: str, rng: random.Random) -> str:
    """A CHI as some write it: without its leading zero, or twice. Not for CT, which the questions ask about."""
    if chi.startswith("0"):
        return rng.choice((chi, chi[1:]))
    return rng.choice((chi,) * 9 + (f"{chi}\\{chi}",))


def _fall_ill(life: Life) -> None:
    """Admissions, drugs (warfarin for some), a tumour for some, death for some; most near the first scan."""
    rng = life.rng
    day = life.studies[0].day if life.studies else day_between(FIRST_DAY, LAST_DAY, rng)
    for _ in range(rng.randint(0, 3)):
        life.admit(day + timedelta(days=rng.randint(-400, 150)))
    _take_ordinary_drugs(life)
    if rng.random() < 0.4:
        for month in range(rng.randint(1, 6)):
            life.prescribe(moved(day, month - 4, rng.randint(0, 9)), WARFARIN)
    if rng.random() < 0.3:
        life.diagnose(day + timedelta(days=rng.randint(-300, 600)), rng.choice(_SITES))
    if rng.random() < 0.15:
        life.end()


def _take_ordinary_drugs(life: Life) -> None:
    rng = life.rng
    for _ in range(rng.randint(2, 9)):
        life.prescribe(day_between(FIRST_DAY, LAST_DAY, rng), rng.choice(ORDINARY_DRUGS))


def _unimaged(population: Population, rng: random.Random) -> Iterator[Life]:
    """Someone known from records alone: a mother of newborns, or anybody."""
    if rng.random() < 0.25:
        baby = population.new(rng, born=infancy(rng))
        twin = [population.new(rng, born=(baby.birth_date, baby.birth_date))] if rng.random() < 0.3 else []
        yield _mother(population, [baby, *twin], rng)
        return
    life = Life(population.new(rng), rng)
    _fall_ill(life)
    yield life


def _mother(population: Population, babies: list[Person], rng: random.Random) -> Life:
    born = babies[0].birth_date
    life = Life(population.new(rng, sex="F", born=(add_months(born, -38 * 12), add_months(born, -20 * 12))), rng)
    life.give_birth(babies)
    return life
