"""Studies as they are planned, before any byte of DICOM: who, when, where, of what, in how many images."""

import random
from dataclasses import dataclass
from datetime import date

from smi_spark.synthetic.people import Person
from smi_spark.synthetic.scanners import PHYSICIANS, SCANNERS, Scanner
from smi_spark.synthetic.stories import Scan

# How a body part is coded in BodyPartExamined, and how people write it; {} is the modality.
CODED: dict[str, tuple[str, ...]] = {
    "head": ("HEAD", "BRAIN", "SKULL"),
    "neck": ("NECK",),
    "chest": ("CHEST", "LUNG"),
    "abdomen": ("ABDOMEN", "LIVER"),
    "pelvis": ("PELVIS",),
    "breast": ("BREAST",),
    "knee": ("KNEE",),
    "spine": ("LSPINE", "CSPINE", "SPINE"),
    "wholebody": ("WHOLEBODY",),
}
DESCRIBED: dict[str, tuple[str, ...]] = {
    "head": ("{} Head", "{} BRAIN", "Brain w/o", "{} HEAD W/O CONTRAST", "Head^Routine"),
    "neck": ("{} Neck", "{} Soft tissue neck with contrast"),
    "chest": ("{} Chest", "{} CHEST HI-RES", "Thorax^Routine", "XR Chest PA"),
    "abdomen": ("{} Abdomen", "{} Liver triple phase", "Abdomen^AbdomenRoutine"),
    "pelvis": ("{} Pelvis", "XR Pelvis AP"),
    "breast": ("{} Breast", "Mammogram bilateral", "Screening breasts"),
    "knee": ("{} Knee", "Knee PD FS", "XR Knee Rt"),
    "spine": ("{} L-Spine", "{} Lumbar spine", "Cervical spine"),
    "wholebody": ("{} Whole body FDG", "Eyes to thighs"),
}
BODY_PARTS: dict[str, tuple[str, ...]] = {
    "CT": ("head", "head", "chest", "abdomen", "pelvis", "neck"),
    "MR": ("head", "spine", "knee", "pelvis"),
    "CR": ("chest", "chest", "knee", "pelvis"),
    "US": ("abdomen", "neck", "breast"),
    "MG": ("breast",),
    "PT": ("wholebody",),
}
# Series of a study: (modality, kind, fewest images, most images).
SERIES: dict[str, tuple[tuple[str, str, int, int], ...]] = {
    "CT": (("CT", "Scout", 1, 2), ("CT", "Axial 5.0", 8, 15)),
    "MR": (("MR", "Localizer", 3, 3), ("MR", "T1 SE", 5, 9), ("MR", "T2 TSE", 5, 9)),
    "CR": (("CR", "PA", 1, 1), ("CR", "LAT", 1, 1)),
    "US": (("US", "B-mode", 3, 6),),
    "MG": (("MG", "R CC", 1, 1), ("MG", "L CC", 1, 1), ("MG", "R MLO", 1, 1), ("MG", "L MLO", 1, 1)),
    "PT": (("CT", "CTAC", 4, 6), ("PT", "PET AC", 8, 12)),
}
_UNSPECIFIC = ("", "OUTPATIENT EXAM", "URGENT")
_ROOT = "1.3.6.1.4.1.99999"  # a root that nobody holds


@dataclass(frozen=True)
class Series:
    """One series; ``kind`` is the protocol in words."""

    uid: str
    number: int
    modality: str
    kind: str
    description: str
    images: int

    def sop_uid(self, image: int) -> str:
        """The SOP Instance UID of the image of that number, from 1."""
        return f"{self.uid}.{image}"


@dataclass(frozen=True)
class Study:
    """One study. ``dates`` and ``careless`` as in ``Scan``; ``person`` as on its day, ``patient_id`` the CHI as it is
    written.
    """

    person: Person
    modality: str
    body_part: str
    day: date
    dates: str
    duplicated: bool
    accession: str
    uid: str
    patient_id: str
    scanner: Scanner
    physician: str
    description: str
    body_part_examined: str
    series: tuple[Series, ...]
    careless: bool

    @property
    def folder(self) -> str:
        """Where the files of the study lie, below the archive's root."""
        return f"{self.day:%Y/%m/%d}/{self.accession}"

    @property
    def study_date(self) -> date | None:
        """The day that the headers give as StudyDate."""
        return self.day if self.dates == "all" else None


def plan_study(person: Person, ordinal: int, scan: Scan, day: date, patient_id: str, rng: random.Random) -> Study:
    """The study that ``scan`` asks for. The body part stands in its code, the study's or all series' descriptions."""
    where = rng.choice(("code", "code", "study", "series"))
    words = rng.choice(DESCRIBED[scan.body_part]).format(scan.modality)
    scanner = rng.choice(SCANNERS[scan.modality])
    return Study(
        person=person,
        modality=scan.modality,
        body_part=scan.body_part,
        day=day,
        dates=scan.dates,
        duplicated=scan.duplicated,
        accession=f"QX{person.number:07d}A{ordinal:03d}",
        uid=f"2.25.{rng.getrandbits(122)}",
        patient_id=patient_id,
        scanner=scanner,
        physician=rng.choice(PHYSICIANS),
        description=words if where == "study" else rng.choice(_UNSPECIFIC),
        body_part_examined=rng.choice(CODED[scan.body_part]) if where == "code" else "",
        series=_plan_series(scan.modality, scanner, day, words if where == "series" else "", rng),
        careless=scan.careless,
    )


def _plan_series(modality: str, scanner: Scanner, day: date, words: str, rng: random.Random) -> tuple[Series, ...]:
    """The study's series; like some makers' their UIDs hold a serial number and a date."""
    return tuple(
        Series(
            uid=f"{_ROOT}.{scanner.number}.3000{day:%y%m%d}{rng.randrange(10**14):014d}",
            number=number,
            modality=of,
            kind=kind,
            description=f"{words} {kind}".strip(),
            images=rng.randint(fewest, most),
        )
        for number, (of, kind, fewest, most) in enumerate(SERIES[modality], start=1)
    )
