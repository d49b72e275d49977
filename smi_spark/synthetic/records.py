"""Rows of health records, as dictionaries of official column names (``schemas/records/*.yaml``)."""

import random
from datetime import date, timedelta

from smi_spark.synthetic.chance import pick
from smi_spark.synthetic.days import whole_years
from smi_spark.synthetic.people import Person

Row = dict[str, str | int | float | date | None]

TABLES = ("demography", "smr00", "smr01", "smr02", "smr04", "smr06", "ae", "prescribing", "deaths")
BIRTH_DATES = ("DOB", "DATE_OF_BIRTH")

DRUGS = {
    "0208020V0": ("0208020V0AAABAB", "WARFARIN SODIUM"),
    "0208020Z0": ("0208020Z0AAAAAA", "APIXABAN"),
    "0208020N0": ("0208020N0AAABAB", "PHENINDIONE"),
    "0212000B0": ("0212000B0AAABAB", "ATORVASTATIN"),
    "0601022B0": ("0601022B0AAABAB", "METFORMIN HYDROCHLORIDE"),
    "0205051R0": ("0205051R0AAADAD", "RAMIPRIL"),
    "0407010H0": ("0407010H0AAAMAM", "PARACETAMOL"),
    "0103050P0": ("0103050P0AAAAAA", "OMEPRAZOLE"),
    "0501013B0": ("0501013B0AAABAB", "AMOXICILLIN"),
    "0407020Q0": ("0407020Q0AAABAB", "MORPHINE SULFATE"),
    "0411000D0": ("0411000D0AAAAAA", "DONEPEZIL HYDROCHLORIDE"),
}
ORDINARY_DRUGS = tuple(code for code in DRUGS if not code.startswith(("0208020", "0407020", "0411000")))
MORPHINE = "0407020Q0"
EMERGENCY = ("33", "36")  # of ADMISSION_TYPE

BOARDS = ("S08000015", "S08000020", "S08000024", "S08000031")
PRACTICES = ("QGP10419", "QGP22307", "QGP40812")  # codes that no other text holds
LOCATIONS = ("G405H", "S314H", "T101H")
_CONDITIONS = ("I639", "I618", "J189", "S0650", "R55X", "K922", "N179", "E119", "I10X", "Z921")
_OPERATIONS = ("", "", "W371", "H229", "A411")
_DEATH_CAUSES = ("I219", "I639", "I500", "J449", "F03X", "R54X")  # cancer only where the registry knows of one


def key(person: Person, ordinal: int, letters: str) -> str:
    """A record number that stands in no other text: letters, person, ordinal."""
    return f"{letters}{person.number:07d}K{ordinal:04d}"


def sex_code(person: Person) -> str:
    """1 male, 2 female."""
    return "1" if person.sex == "M" else "2"


def patient(person: Person, born: str = "DOB") -> Row:
    """What most tables say of the patient; ``born`` is their column of the birth date."""
    return {
        "UPI_NUMBER": person.chi,
        born: person.birth_date,
        "SEX": sex_code(person),
        "POSTCODE": person.postcode,
        "GP_PRACTICE_CODE": PRACTICES[person.number % len(PRACTICES)],
    }


def catalogued(person: Person, day: date) -> Row:
    """What the linked catalogue adds to a row of ``day``."""
    return {"AGE_IN_YEARS": whole_years(person.birth_date, day), "LINK_NO": f"QLN{person.number:07d}"}


def episode(person: Person, record: str, day: date, stay: int, rng: random.Random) -> Row:
    """What all hospital episodes have: ``stay`` days from ``day`` on, under the record number ``record``."""
    return {
        "URI": record,
        "ADMISSION_DATE": day,
        "DISCHARGE_DATE": day + timedelta(days=stay),
        **patient(person),
        **catalogued(person, day),
        "HBTREAT_CURRENTDATE": rng.choice(BOARDS),
        "LOCATION": rng.choice(LOCATIONS),
        "LENGTH_OF_STAY": stay,
    }


def admission(person: Person, ordinal: int, day: date, rng: random.Random, condition: str = "") -> Row:
    """One SMR01 episode that begins on ``day``, for ``condition`` (default: any)."""
    stay = rng.choice((0, 1, 1, 2, 3, 5, 8, 13))
    conditions = rng.sample(_CONDITIONS, 3)
    return {
        **episode(person, key(person, ordinal, "QURI"), day, stay, rng),
        "SPECIALTY": rng.choice(("A1", "C8", "C11", "A8")),
        "ADMISSION_TYPE": rng.choice(("11", *EMERGENCY)),
        "INPATIENT_DAYCASE_IDENTIFIER": "I" if stay else "D",
        "MAIN_CONDITION": condition or conditions[0],
        "OTHER_CONDITION_1": conditions[1],
        "OTHER_CONDITION_2": rng.choice((conditions[2], "")),
        "MAIN_OPERATION": rng.choice(_OPERATIONS),
    }


def prescription(person: Person, ordinal: int, day: date, drug: str, rng: random.Random) -> Row:
    """One prescribed item; ``drug`` is the first nine characters of its BNF code."""
    code, name = DRUGS[drug]
    strength = pick(("", " 500 µG", " TABLETS", "\nTABLETS, SEE LEAFLET"), rng)
    return {
        "PRESCRIPTION_ITEM_ID": key(person, ordinal, "QRX"),
        **patient(person),
        "PRESCRIBED_DATE": day,
        "DISPENSED_DATE": day + timedelta(days=rng.choice((0, 0, 1, 2, 5))),
        "PI_BNF_ITEM_CODE": code,
        "PI_APPROVED_NAME": name + strength,
        "NUMBER_OF_PAID_ITEMS": 1,
        "PAID_QUANTITY": rng.choice((28.0, 56.0, 84.0, 17.5)),
    }


def tumour(person: Person, ordinal: int, day: date, site: str, rng: random.Random) -> Row:
    """One tumour of the cancer registry."""
    return {
        "PE_PATIENT_ID": key(person, 0, "QPE"),
        "TUMOUR_NO": ordinal,
        "INCIDENCE_DATE": day,
        **patient(person, born="DATE_OF_BIRTH"),
        "ICD10S_CANCER_SITE": site,
        "TYPE_ICDO3": rng.choice(("8500/3", "8140/3", "8070/3")),
        "METHOD_1ST_DETECTION": rng.choice(("1", "2", "9")),
        "DEATH_CERTIFICATE_ONLY": "0",
    }


def maternity(mother: Person, ordinal: int, babies: list[Person], rng: random.Random) -> Row:
    """One SMR02 delivery of one to three babies, all born on the same day."""
    born = babies[0].birth_date
    weeks = rng.randint(35, 41)
    return {
        "EPISODE_RECORD_KEY": key(mother, ordinal, "QMAT"),
        "UPI_NUMBER": mother.chi,
        "POSTCODE": mother.postcode,
        "ADMISSION_DATE": born - timedelta(days=rng.randint(0, 2)),
        "DISCHARGE_DATE": born + timedelta(days=rng.randint(1, 4)),
        "DATE_OF_DELIVERY": born,
        "DATE_OF_LMP": born - timedelta(weeks=weeks),
        "DOB": mother.birth_date,
        "ESTIMATED_GESTATION": weeks,
        "CONDITION_ON_DISCHARGE": "3",
        "NUM_OF_BIRTHS_THIS_PREGNANCY": len(babies),
        **{column: value for n, baby in enumerate(babies, start=1) for column, value in _baby(baby, n, rng).items()},
        "HBTREAT_CURRENTDATE": rng.choice(BOARDS),
        "LOCATION": "S314H",
        "MAIN_CONDITION": rng.choice(("O80X", "O821", "O300")),
    }


def _baby(baby: Person, place: int, rng: random.Random) -> Row:
    return {
        f"OUTCOME_OF_PREGNANCY_BABY_{place}": "1",
        f"MODE_OF_DELIVERY_BABY_{place}": rng.choice(("0", "4", "8")),
        f"BIRTHWEIGHT_BABY_{place}": rng.randrange(2200, 4200, 10),
        f"SEX_BABY_{place}": sex_code(baby),
        f"BABY_CI_CHI_NUMBER_BABY_{place}": baby.chi,
    }


def stay_before_birth(mother: Person, ordinal: int, day: date) -> Row:
    """One SMR02 episode of a day, from which the mother goes home without having given birth."""
    return {
        "EPISODE_RECORD_KEY": key(mother, ordinal, "QMAT"),
        "UPI_NUMBER": mother.chi,
        "POSTCODE": mother.postcode,
        "ADMISSION_DATE": day,
        "DISCHARGE_DATE": day,
        "DOB": mother.birth_date,
        "CONDITION_ON_DISCHARGE": "1",
        "NUM_OF_BIRTHS_THIS_PREGNANCY": 0,
        "MAIN_CONDITION": "O470",
    }


def death(person: Person, day: date, rng: random.Random, cause: str = "") -> Row:
    """The registration of one death, of ``cause`` (default: any but cancer)."""
    cause = cause or rng.choice(_DEATH_CAUSES)
    return {
        "REGISTRATION_DISTRICT": rng.choice(("602", "734", "151")),
        "YEAR_OF_REGISTRATION": day.year,
        "ENTRY_NUMBER": key(person, 0, "QNRS"),
        "DATE_OF_DEATH": day,
        "AGE": whole_years(person.birth_date, day),
        **patient(person, born="DATE_OF_BIRTH"),
        "UNDERLYING_CAUSE_OF_DEATH": cause,
        "CAUSE_OF_DEATH_CODE_0": cause,
        "CAUSE_OF_DEATH_CODE_1": rng.choice(("I10X", "E119", "")),
    }
