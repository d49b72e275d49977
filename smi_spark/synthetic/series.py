"""Series as they are planned: the images of a modality, and what some studies have beside them."""

import random
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from smi_spark.synthetic.scanners import Scanner

_ROOT = "1.3.6.1.4.1.99999"  # a root that nobody holds


class Content(StrEnum):
    """What a series holds. ``thin``: slices of a head thin enough to show its face."""

    IMAGES = "images"
    THIN = "thin"
    ENHANCED = "enhanced"
    REPORT = "report"
    DOSE_REPORT = "dose_report"
    DOSE_SCREEN = "dose_screen"
    CAPTURE = "capture"


REPORTS = frozenset({Content.REPORT, Content.DOSE_REPORT})  # without pixels
SCREENS = frozenset({Content.CAPTURE, Content.DOSE_SCREEN})  # with text in the pixels


@dataclass(frozen=True)
class Series:
    """One series; ``kind`` is the protocol in words, ``description`` what the scanner makes of it."""

    uid: str
    number: int
    modality: str
    kind: str
    description: str
    images: int
    content: Content = Content.IMAGES

    def sop_uid(self, image: int) -> str:
        """The SOP Instance UID of the image of that number, from 1."""
        return f"{self.uid}.{image}"


# Series of a study: (modality, kind, fewest images, most images).
SERIES: dict[str, tuple[tuple[str, str, int, int], ...]] = {
    "CT": (("CT", "Scout", 1, 2), ("CT", "Axial 5.0", 8, 15)),
    "MR": (("MR", "Localizer", 3, 3), ("MR", "T1 SE", 5, 9), ("MR", "T2 TSE", 5, 9)),
    "CR": (("CR", "PA", 1, 1), ("CR", "LAT", 1, 1)),
    "US": (("US", "B-mode", 3, 6),),
    "MG": (("MG", "R CC", 1, 1), ("MG", "L CC", 1, 1), ("MG", "R MLO", 1, 1), ("MG", "L MLO", 1, 1)),
    "PT": (("CT", "CTAC", 4, 6), ("PT", "PET AC", 8, 12)),
}

# How the makers' protocols call a kind of series. No word is one of a body part: these stand where the study says.
_DESCRIPTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("GE", "Scout"): ("Scout", "SCOUTS"),
    ("SIEMENS", "Scout"): ("Topogram  0.6  T20f",),
    ("PHILIPS", "Scout"): ("Surview", "SURVIEW 512"),
    ("CANON", "Scout"): ("Scano", "DUAL SCANO"),
    ("GE", "Axial 5.0"): ("ROUTINE 5.0", "5mm STD", "HELICAL 5MM"),
    ("SIEMENS", "Axial 5.0"): ("Routine  5.0  H31s", "Spi 5.0  B30f", "AxRoutine  5.0  I31f  3"),
    ("PHILIPS", "Axial 5.0"): ("Axial 5.0", "W/O 5MM, iDose (3)"),
    ("CANON", "Axial 5.0"): ("Axial 5.0 CE", "5.0  CE AXIAL"),
    ("GE", "Localizer"): ("3-Plane Loc", "3 PLANE LOC SSFSE"),
    ("SIEMENS", "Localizer"): ("localizer", "AAScout"),
    ("PHILIPS", "Localizer"): ("Survey", "SmartSurvey"),
    ("GE", "T1 SE"): ("Ax T1 SE", "SAG T1 FSE"),
    ("SIEMENS", "T1 SE"): ("t1_se_tra", "t1_tse_sag_384"),
    ("PHILIPS", "T1 SE"): ("T1W_SE", "sT1W_TSE"),
    ("GE", "T2 TSE"): ("Ax T2 PROPELLER", "AX T2 FRFSE"),
    ("SIEMENS", "T2 TSE"): ("t2_tse_tra_512", "t2_tse_sag_384"),
    ("PHILIPS", "T2 TSE"): ("T2W_TSE", "T2W_DRIVE"),
    ("GE", "DWI"): ("Ax DWI b1000", "DWI PROPELLER"),
    ("SIEMENS", "DWI"): ("ep2d_diff_3scan_trace_p2", "resolve_diff_3scan_trace_tra"),
    ("PHILIPS", "DWI"): ("DWI_SSh", "sDWI_SSh"),
    ("GE", "CTAC"): ("CTAC 3.75 Thick", "WB CT SLICES"),
    ("SIEMENS", "CTAC"): ("CT WB  3.0  B30f", "AC CT  4.0  HD_FoV"),
    ("PHILIPS", "CTAC"): ("CTAC,  3D", "ctac-nac"),
    ("GE", "PET AC"): ("PET AC 3D MAC", "WB 3D MAC"),
    ("SIEMENS", "PET AC"): ("PET WB", "PET AC TrueX+TOF"),
    ("PHILIPS", "PET AC"): ("WB_CTAC", "[WB_CTAC] Body"),
    ("GE", "CT thin"): ("0.625 STD", "THIN STND"),
    ("SIEMENS", "CT thin"): ("Thin  1.0  H30s", "Spi  0.75  J40s  3"),
    ("PHILIPS", "CT thin"): ("Thins 0.9 UA", "AXIAL 0.67"),
    ("CANON", "CT thin"): ("Vol. 0.5x1.0 FC21", "1.0 Thin Soft"),
    ("GE", "MR thin"): ("Sag BRAVO", "AX 3D SPGR"),
    ("SIEMENS", "MR thin"): ("t1_mprage_sag_p2_iso", "t1_mprage_tra_iso1.0"),
    ("PHILIPS", "MR thin"): ("3D_T1W_TFE", "sT1W_3D_TFE"),
    ("GE", "dose screen"): ("Dose Report",),
    ("PHILIPS", "dose screen"): ("Dose Info",),
    ("SIEMENS", "dose report"): ("Dose Report", "Patient Protocol SR"),
    ("GE", "dose report"): ("Dose Record",),
    ("CANON", "dose report"): ("Radiation Dose Structured Report",),
}

_SLICES = 4  # images that make a series of slices
# Turns in which a study has something beside its images: (every, which).
_THIN = {"CT": (4, 0), "MR": (1, 0)}
_ENHANCED = {"CT": (8, 1), "MR": (3, 1)}
_REPORT, _CAPTURE, _DOSE, _SCREEN = (6, 2), (12, 5), (4, 3), (3, 1)


@dataclass(frozen=True)
class SeriesPlanner:
    """Plans the series of one study; ``words`` begin each description, ``aside`` decides what no count hangs on."""

    modality: str
    scanner: Scanner
    day: date
    words: str
    aside: random.Random

    def images(self, rng: random.Random, longer: float) -> tuple[Series, ...]:
        """The images that such a study always has; like some makers' their UIDs hold a serial number and a date."""
        return tuple(
            Series(self._uid(rng), number, of, kind, self._described(kind), _count(rng.randint(fewest, most), longer))
            for number, (of, kind, fewest, most) in enumerate(SERIES[self.modality], start=1)
        )

    def accompanied(self, images: tuple[Series, ...], body_part: str, turn: int) -> tuple[Series, ...]:
        """``images`` with what the study of that turn has beside them; the first and the last series stay.

        A dose screen says CT of itself, as real ones do: no study of a head has one, lest it count as an image of one.
        """
        if len(images) < 2:
            return images
        more = []
        if body_part == "head" and _is_turn(turn, _THIN.get(self.modality)):
            slices = self.aside.randint(10, 16)
            more.append(self._beside(Content.THIN, 7, self.modality, f"{self.modality} thin", slices))
        if _is_turn(turn, _ENHANCED.get(self.modality)):
            more.append(self._beside(Content.ENHANCED, 8, self.modality, f"{self.modality} enhanced"))
        if _is_turn(turn, _CAPTURE):
            more.append(self._beside(Content.CAPTURE, 80, "OT", "Screen save"))
        if _is_turn(turn, _REPORT):
            more.append(self._beside(Content.REPORT, 90, "SR", "Radiology report"))
        if self.modality == "CT" and self.scanner.family != "PHILIPS" and _is_turn(turn, _DOSE):
            more.append(self._beside(Content.DOSE_REPORT, 97, "SR", "dose report"))
        screens = self.modality == "CT" and body_part != "head" and self.scanner.family in ("GE", "PHILIPS")
        if screens and _is_turn(turn, _SCREEN):
            more.append(self._beside(Content.DOSE_SCREEN, 99, "CT", "dose screen"))
        return (*images[:1], *more, *images[1:])

    def of_diffusion(self) -> Series:
        """Slices weighted by diffusion."""
        return self._beside(Content.IMAGES, 9, "MR", "DWI", self.aside.randint(5, 9))

    def _beside(self, content: Content, number: int, modality: str, kind: str, images: int = 1) -> Series:
        return Series(self._uid(self.aside), number, modality, kind, self._described(kind), images, content)

    def _uid(self, rng: random.Random) -> str:
        return f"{_ROOT}.{self.scanner.number}.3000{self.day:%y%m%d}{rng.randrange(10**14):014d}"

    def _described(self, kind: str) -> str:
        spelled = self.aside.choice(_DESCRIPTIONS.get((self.scanner.family, kind), (kind,)))
        return f"{self.words} {spelled}".strip()


def _count(images: int, longer: float) -> int:
    """A scout or a view stays what it is."""
    return images if images < _SLICES else round(images * longer)


def _is_turn(turn: int, when: tuple[int, int] | None) -> bool:
    return when is not None and turn % when[0] == when[1]
