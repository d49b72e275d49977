"""What is known of a person of the tables-only archive by number, the same in images and records."""

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.synthetic.draws import Draws
from smi_spark.synthetic.quotas import Plan

_OLDEST = 90  # years; 90 stands for 90 and over, as everywhere in zone 2


def patient_id(plan: Plan, person: Column) -> Column:
    """The pseudonym (32 hexadecimal digits) of the person with that number."""
    return Draws(plan.seed).hexadecimal("patient", person)


def sex(plan: Plan, person: Column) -> Column:
    """``F``, ``M`` or ``O``."""
    return Draws(plan.seed).chosen("sex", plan.rates.people.sex.shares, person)


def age(plan: Plan, person: Column, day: Column) -> Column:
    """Whole years (int) of the person on a date, at most 90; who is born on 29 February comes of age on 1 March."""
    born = _born(plan, person)
    before_birthday = F.month(day) * 100 + F.day(day) < F.month(born) * 100 + F.day(born)
    return F.least(F.year(day) - F.year(born) - before_birthday.cast("int"), F.lit(_OLDEST))


def person_of_study(plan: Plan, study: Column) -> Column:
    """The number (long) of the person whose study it is; ``study`` is the study's number in the whole archive.

    Every person with images is covered by one study at least; the busy have the others as often as they are to.
    """
    people, draws = plan.population, Draws(plan.seed)
    turn = F.floor(study / people.spacing)
    covers = (F.pmod(study, F.lit(people.spacing)) == 0) & (turn < people.imaged)
    busy = draws.happens("busy", people.busy_ppm / 1_000_000, study)
    one_of_busy = draws.number("one of the busy", people.busy, study)
    one_of_others = people.busy + draws.number("one of the others", people.imaged - people.busy, study)
    covered = F.pmod(turn * people.step, F.lit(people.imaged))
    return F.when(covers, covered).when(busy, one_of_busy).otherwise(one_of_others)


def _born(plan: Plan, person: Column) -> Column:
    """The date of birth: of two that are drawn the earlier, as those who are scanned are older than most."""
    births, draws = plan.rates.people.births, Draws(plan.seed)
    first = date(births.first, 1, 1)
    days = (date(births.last + 1, 1, 1) - first).days
    drawn = F.least(draws.number("born", days, person), draws.number("born earlier", days, person))
    return F.date_add(F.lit(first), drawn.cast("int"))
