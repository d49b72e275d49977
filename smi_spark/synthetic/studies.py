"""Studies as they are planned, before any byte of DICOM: who, when, where, of what, in how many images."""

import random
from dataclasses import dataclass
from datetime import date

from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.people import Person
from smi_spark.synthetic.scanners import PHYSICIANS, SCANNERS, Scanner
from smi_spark.synthetic.series import Series as Series
from smi_spark.synthetic.series import SeriesPlanner
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
    "womb": ("UTERUS",),
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
    "womb": ("{} Obstetric", "Dating scan", "Fetal anomaly scan"),
}
BODY_PARTS: dict[str, tuple[str, ...]] = {
    "CT": ("head", "head", "chest", "abdomen", "pelvis", "neck"),
    "MR": ("head", "spine", "knee", "pelvis"),
    "CR": ("chest", "chest", "knee", "pelvis"),
    "US": ("abdomen", "neck", "breast"),
    "MG": ("breast",),
    "PT": ("wholebody",),
}
_UNSPECIFIC = ("", "OUTPATIENT EXAM", "URGENT")


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


def plan_study(
    person: Person, ordinal: int, scan: Scan, day: date, patient_id: str, rng: random.Random, longer: float = 1
) -> Study:
    """The study that ``scan`` asks for. The body part stands in its code, the study's or all series' descriptions.

    Its series of slices have ``longer`` times as many images as those of the small archives.
    What goes beside the images does not draw on ``rng``, so that it changes nobody's life.
    """
    where = rng.choice(("code", "code", "study", "series"))
    words = rng.choice(DESCRIBED[scan.body_part]).format(scan.modality)
    scanner = rng.choice([one for one in SCANNERS[scan.modality] if not (scan.plain and one.blob)])
    uid = f"2.25.{rng.getrandbits(122)}"
    physician = rng.choice(PHYSICIANS)
    description = words if where == "study" else rng.choice(_UNSPECIFIC)
    code = rng.choice(CODED[scan.body_part]) if where == "code" else ""
    planner = SeriesPlanner(scan.modality, scanner, day, words if where == "series" else "", stream(0, "series", uid))
    series = planner.images(rng, longer)
    if scan.dates != "none" and not (scan.careless or scanner.blob):
        series = planner.accompanied(series, scan.body_part, person.number + ordinal)
    if scan.diffusion:
        series = (*series, planner.of_diffusion())
    return Study(
        person=person,
        modality=scan.modality,
        body_part=scan.body_part,
        day=day,
        dates=scan.dates,
        duplicated=scan.duplicated,
        accession=f"QX{person.number:07d}A{ordinal:03d}",
        uid=uid,
        patient_id=patient_id,
        scanner=scanner,
        physician=physician,
        description=description,
        body_part_examined=code,
        series=series[: scan.first],
        careless=scan.careless,
    )
