"""A person's life in the archive: studies and record rows, none before the first day or after the last."""

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from smi_spark.synthetic import contacts, records
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.days import LAST_DAY, YEARS, whole_years
from smi_spark.synthetic.history import History
from smi_spark.synthetic.people import Person
from smi_spark.synthetic.profile import Profile
from smi_spark.synthetic.records import BIRTH_DATES, TABLES, Row
from smi_spark.synthetic.stories import Scan, Story
from smi_spark.synthetic.studies import Study, plan_study

_GROWN_UP = 18  # years; who is younger does not die here


class Life:
    """One person's studies and record rows, in the order in which they were added.

    What is not within ``history.since`` and ``until`` is not added. ``rng`` leads the person, ``aside`` decides what
    goes on beside it, so that a rate that changes does not change the rest. ``longer``: modality → how many times as
    many images a series of slices has.
    """

    def __init__(
        self,
        history: History,
        seed: int,
        rng: random.Random,
        story: Story | None = None,
        longer: Mapping[str, float] | None = None,
    ) -> None:
        self.history = history
        self.person = history.person
        self.story = story
        self.rng = rng
        self._longer = longer or {}
        self.aside = stream(seed, "aside", history.person.number)
        self.until = date.max
        self.cause = ""  # the cancer that the person dies of
        self.studies: list[Study] = []
        self.rows: dict[str, list[Row]] = {table: [] for table in TABLES}

    def scan(self, scan: Scan, day: date, write: Callable[[str], str] = str) -> None:
        """A study; ``write`` gives the CHI as the study has it."""
        if self.history.since <= day <= self.until:
            person, ordinal, longer = self._on(day), len(self.studies) + 1, self._longer.get(scan.modality, 1)
            self.studies.append(plan_study(person, ordinal, scan, day, write(person.chi), self.rng, longer))

    def admit(self, day: date, condition: str = "", operation: str = "") -> None:
        """An episode of SMR01."""
        row = records.admission(self._on(day), len(self.rows["smr01"]), day, self.rng, condition)
        self._add("smr01", row | ({"MAIN_OPERATION": operation} if operation else {}))

    def prescribe(self, day: date, drug: str) -> None:
        """A prescribed item."""
        ordinal = len(self.rows["prescribing"])
        self._add("prescribing", records.prescription(self._on(day), ordinal, day, drug, self.rng))

    def diagnose(self, day: date, site: str) -> None:
        """A tumour of SMR06."""
        self._add("smr06", records.tumour(self._on(day), len(self.rows["smr06"]) + 1, day, site, self.rng))

    def give_birth(self, babies: list[Person]) -> None:
        """A delivery of SMR02; the babies as they are on their birthday."""
        mother = self._on(babies[0].birth_date)
        self._add("smr02", records.maternity(mother, len(self.rows["smr02"]), babies, self.rng))

    def await_birth(self, day: date) -> None:
        """A stay of SMR02 without a delivery."""
        self._add("smr02", records.stay_before_birth(self._on(day), len(self.rows["smr02"]), day))

    def visit(self, day: date, appointment: contacts.Appointment) -> None:
        """An appointment of SMR00."""
        self._add("smr00", contacts.visit(self._on(day), len(self.rows["smr00"]), day, self.aside, appointment))

    def attend(self, day: date, condition: str = "") -> None:
        """An attendance at A&E."""
        self._add("ae", contacts.attendance(self._on(day), len(self.rows["ae"]), day, self.aside, condition))

    def stay_in_psychiatry(self, day: date, condition: str = "") -> None:
        """An episode of SMR04."""
        person, ordinal = self._on(day), len(self.rows["smr04"])
        self._add("smr04", contacts.psychiatric_stay(person, ordinal, day, self.aside, condition))

    def all_rows(self) -> list[Row]:
        """The rows of all tables."""
        return [row for rows in self.rows.values() for row in rows]

    def last_day(self) -> date:
        """The last day of which anything is told so far, at least the first one."""
        days = [study.day for study in self.studies] + [day for row in self.all_rows() for day in event_days(row)]
        return max([*days, self.history.merge.merged if self.history.merge else self.history.since])

    def doom(self, site: str, at_most: int) -> None:
        """The person is to die of the cancer, within ``at_most`` days, though behind all that is told so far."""
        self.until = self.last_day() + timedelta(days=self.aside.randint(20, at_most))
        self.cause = site

    def end(self, profile: Profile) -> None:
        """Death, or the country is left, some weeks after all else, for some; and the demography, which says so."""
        died = self._day_of_death(profile)
        left = None
        if died is None and self.aside.random() < profile.people.leaves_a_year.within(YEARS):
            left = self.last_day() + timedelta(days=self.aside.randint(20, 400))
        self.close(died, left)

    def close(self, died: date | None = None, left: date | None = None) -> None:
        """Death, or the country left, where a day is given for one; and the demography."""
        if died:
            self.until = died
            self._add("deaths", records.death(self._on(died), died, self.aside, self.cause))
        self.rows["demography"] = self.history.rows(died, left)

    def _day_of_death(self, profile: Profile) -> date | None:
        if self.cause:
            return self.until
        grown_up = whole_years(self.person.birth_date, LAST_DAY) >= _GROWN_UP
        if grown_up and self.aside.random() < profile.people.dies_a_year.within(YEARS):
            return self.last_day() + timedelta(days=self.aside.randint(20, 400))
        return None

    def _on(self, day: date) -> Person:
        return self.history.on(day, self.aside)

    def _add(self, table: str, row: Row) -> None:
        days = event_days(row)
        if self.history.since <= min(days) and max(days) <= self.until:
            self.rows[table].append(row)


def event_days(row: Row) -> list[date]:
    """The dates of a row but for those of birth."""
    return [value for column, value in row.items() if isinstance(value, date) and column not in BIRTH_DATES]
