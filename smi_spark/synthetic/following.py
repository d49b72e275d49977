"""What follows from what: A&E before an admission, clinics after a scan, a tumour's treatment, death of it."""

from datetime import date, timedelta

from smi_spark.synthetic.contacts import Appointment
from smi_spark.synthetic.days import FIRST_DAY, yearly
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.profile import Cancer, Clinics, Profile
from smi_spark.synthetic.records import EMERGENCY, MORPHINE
from smi_spark.synthetic.stories import Scan

_OF_ONE_SEX = {"C61": "M"}
_STAGING = {"C18": Scan("CT", "abdomen"), "C61": Scan("MR", "pelvis")}  # of other sites a CT of the chest
_ONCOLOGY, _RADIOLOGY = "D4", "H2"
_SURVIVED = 1_500  # most days from a tumour, or what is told behind it, to a death of it


def follow(life: Life, profile: Profile) -> None:
    """Add what follows from the life so far, in tables that no planted question asks about."""
    for row in list(life.rows["smr01"]):
        if row["ADMISSION_TYPE"] in EMERGENCY and life.aside.random() < profile.hospital.through_ae.value:
            life.attend(_date(row["ADMISSION_DATE"]), str(row["MAIN_CONDITION"]))
    for study in list(life.studies):
        if life.aside.random() < profile.clinics.after_scan.value:
            _attend_clinic(life, profile.clinics, study.day, _RADIOLOGY, "")
    for row in list(life.rows["smr06"]):
        _attend_clinic(life, profile.clinics, _date(row["INCIDENCE_DATE"]), _ONCOLOGY, str(row["ICD10S_CANCER_SITE"]))
    first_year = max(FIRST_DAY, life.history.since).year
    for day in yearly(profile.hospital.ae_alone_a_year.value, first_year, life.aside):
        life.attend(day)
    for day in yearly(profile.hospital.mental_health_a_year.value, first_year, life.aside):
        life.stay_in_psychiatry(day)


def fall_ill_with_cancer(life: Life, cancer: Cancer, day: date) -> None:
    """A tumour, its treatment, a scan of its site for who has images at all; and for some a death of it, later."""
    rng = life.rng
    site = _site(life, cancer)
    life.diagnose(day, site)
    if life.studies:
        for later in (rng.randint(-20, 30), rng.randint(90, 300))[: rng.randint(1, 2)]:
            life.scan(_STAGING.get(site[:3], Scan("CT", "chest")), day + timedelta(days=later))
    for _ in range(rng.randint(1, 2)):
        life.admit(day + timedelta(days=rng.randint(5, 90)), site)
    for _ in range(rng.randint(1, 4)):
        life.prescribe(day + timedelta(days=rng.randint(5, 200)), MORPHINE)
    die_of_cancer(life, cancer)


def die_of_cancer(life: Life, cancer: Cancer) -> None:
    """For some who have one, the day of a death of it; nothing is added behind that day."""
    sites = [str(row["ICD10S_CANCER_SITE"]) for row in life.rows["smr06"]]
    malignant = [site for site in sites if site.startswith("C")]
    if malignant and life.aside.random() < cancer.fatal.value:
        life.doom(malignant[0], _SURVIVED)


def _site(life: Life, cancer: Cancer) -> str:
    """A site by its weight, of those that the person's sex can have."""
    weights = {
        site: figure.value
        for site, figure in cancer.sites.items()
        if _OF_ONE_SEX.get(site[:3], life.person.sex) == life.person.sex
    }
    return life.rng.choices(list(weights), list(weights.values()))[0]


def _attend_clinic(life: Life, clinics: Clinics, day: date, specialty: str, condition: str) -> None:
    """A first appointment some weeks after the day, and returns, as many as their share of all asks for."""
    first = True
    while first or life.aside.random() < clinics.returns.value:
        day += timedelta(days=life.aside.randint(7, 60))
        kept = life.aside.random() >= clinics.missed.value
        life.visit(day, Appointment(specialty, condition, first, kept))
        first = False


def _date(value: object) -> date:
    assert isinstance(value, date)
    return value
