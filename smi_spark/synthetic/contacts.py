"""Rows of the records of contacts: outpatients (SMR00), mental health (SMR04), accident and emergency."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from smi_spark.synthetic.people import Person
from smi_spark.synthetic.records import BOARDS, LOCATIONS, Row, catalogued, episode, key, patient

CONSULTANTS = ("QHC4471902", "QHC8126640", "QHC3390517")  # codes that no other text holds
SEEN, MISSED = "1", "8"  # CLINIC_ATTENDANCE
NEW, RETURN = "1", "3"  # REFERRAL_TYPE
_ORDINARY = ("S0650", "R55X", "R074", "T149", "S610")
_MENTAL = ("F102", "F200", "F322", "F319", "F03X")


@dataclass(frozen=True)
class Appointment:
    """What an outpatient clinic is for; ``first`` or a return, ``kept`` by the patient or not."""

    specialty: str
    condition: str
    first: bool
    kept: bool


def visit(person: Person, ordinal: int, day: date, rng: random.Random, appointment: Appointment) -> Row:
    """One SMR00 record of an appointment on ``day``."""
    return {
        "EPISODE_RECORD_KEY": key(person, ordinal, "QOUT"),
        "LOCATION": rng.choice(LOCATIONS),
        "CLINIC_DATE": day,
        **patient(person),
        **catalogued(person, day),
        "DR_POSTCODE": person.postcode,
        "HBTREAT_CURRENTDATE": rng.choice(BOARDS),
        "SPECIALTY": appointment.specialty,
        "CONSULTANT_HCP_RESPONSIBLE": rng.choice(CONSULTANTS),
        "CLINIC_ATTENDANCE": SEEN if appointment.kept else MISSED,
        "REFERRAL_TYPE": NEW if appointment.first else RETURN,
        "MAIN_CONDITION": appointment.condition,
    }


def psychiatric_stay(person: Person, ordinal: int, day: date, rng: random.Random, condition: str = "") -> Row:
    """One SMR04 episode that begins on ``day``, for ``condition`` (default: any)."""
    stay = rng.choice((1, 4, 9, 21, 48))
    condition = condition or rng.choice(_MENTAL)
    return {
        **episode(person, key(person, ordinal, "QPSY"), day, stay, rng),
        "SPECIALTY": "G1",
        "CONSULTANT_HCP_RESPONSIBLE": rng.choice(CONSULTANTS),
        "ADMISSION_DIAGNOSIS_1": rng.choice((condition, "")),
        "MAIN_CONDITION": condition,
    }


def attendance(person: Person, ordinal: int, day: date, rng: random.Random, condition: str = "") -> Row:
    """One A&E attendance that begins on ``day``, for ``condition`` (default: any)."""
    minutes, waited = rng.randrange(24 * 60), rng.randint(10, 300)
    later, end = divmod(minutes + waited, 24 * 60)
    return {
        "LOCATION": rng.choice(LOCATIONS),
        "ARRIVAL_DATE": day,
        "ARRIVAL_TIME": _clock(minutes),
        "CASE_REFERENCE_NUMBER": key(person, ordinal, "QAE"),
        "DAT_DATE": day + timedelta(days=later),
        "DAT_TIME": _clock(end),
        **patient(person),
        "POSTCODE_EPI": person.postcode,
        "HBTREAT_CURRENTDATE": rng.choice(BOARDS),
        "DISEASE_1_CODE": condition or rng.choice(_ORDINARY),
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
