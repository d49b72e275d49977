"""The machines of an invented health service: makers as they spell themselves, private blocks, sites."""

from dataclasses import dataclass
from datetime import date

SITES = ("Glenquaich Royal Infirmary", "Strathfyvie District Hospital", "Inverquarrel University Hospital")
PHYSICIANS = ("WHISTLEBRAE^HAMISHA^^DR", "KINCRAIGIELEA^ODETTA^^DR", "PITTENWHEEMAN^LORCANO^^PROF", "TARVESTON^BRIDIEL")
OPERATORS = ("OPFENWICKE^ZARA", "OPSKIRLING^DOUGALD")


@dataclass(frozen=True)
class Scanner:
    """One model of one maker. ``private``: creators of private blocks (group, name, count of values).

    former: the year of an upgrade, and how the scanner spelled its maker before. workplace: how the maker's workplace
    spells it, which makes captures and reports.
    """

    number: int
    maker: str
    model: str
    software: tuple[str, ...]
    private: tuple[tuple[int, str, int], ...] = ()
    blob: bool = False
    former: tuple[int, str] = (0, "")
    workplace: str = ""

    @property
    def family(self) -> str:
        """The maker, however it is spelled: GE, SIEMENS, PHILIPS, CANON or HOLOGIC."""
        name = self.maker.strip('"').upper().replace("TOSHIBA", "CANON")
        return name.split()[0].split("_")[0].rstrip(",")

    def spelled(self, day: date) -> str:
        """Manufacturer (0008,0070) in the images of that day."""
        year, name = self.former
        return name if day.year < year else self.maker

    @property
    def site(self) -> str:
        return SITES[self.number % len(SITES)]

    @property
    def station(self) -> str:
        return f"QSTN{self.number:04d}"

    @property
    def serial(self) -> str:
        return f"QSER{self.number:06d}"

    @property
    def ae_title(self) -> str:
        return f"QAET{self.number:04d}"


_GE = ((0x0009, "GEMS_IDEN_01", 8), (0x0019, "GEMS_ACQU_01", 24), (0x0043, "GEMS_PARM_01", 22))
_SIEMENS = ((0x0019, "SIEMENS CT VA0  COAD", 11), (0x0021, "SIEMENS MED", 5), (0x0029, "SIEMENS MEDCOM HEADER", 8))
_SIEMENS_MR = ((0x0019, "SIEMENS MR HEADER", 14), (0x0029, "SIEMENS CSA HEADER", 4), (0x0051, "SIEMENS MR HEADER", 12))
_PHILIPS = ((0x01E1, "ELSCINT1", 12), (0x00E1, "ELSCINT1", 10))
_PHILIPS_MR = ((0x2001, "Philips Imaging DD 001", 24), (0x2005, "Philips MR Imaging DD 001", 30))
_PHILIPS_CR = ((0x2001, "Philips X-ray Imaging DD 001", 6),)
_PHILIPS_US = ((0x200D, "Philips US Imaging DD 017", 16),)
_PHILIPS_PT = ((0x7053, "Philips PET Private Group", 10),)
_CANON = ((0x7005, "TOSHIBA_MEC_CT3", 21),)
_HOLOGIC = ((0x0019, "LORAD Selenia", 18), (0x7E01, "HOLOGIC, Inc.", 4))

SCANNERS: dict[str, tuple[Scanner, ...]] = {
    "CT": (
        Scanner(11, "GE MEDICAL SYSTEMS", "Revolution CT", ("revo_ct_20a.24",), _GE, workplace="GE Healthcare"),
        Scanner(12, "Siemens Healthineers", "SOMATOM Definition AS", ("syngo CT 2012B",), _SIEMENS,
                former=(2019, "SIEMENS"), workplace="Siemens"),
        Scanner(13, "Philips", "Brilliance 64", ("3.5.5",), _PHILIPS, workplace="Philips Healthcare"),
        Scanner(14, "Canon Medical Systems", "Aquilion ONE", ("V8.9", "SP0102"), _CANON,
                former=(2018, "TOSHIBA"), workplace="TOSHIBA_MEC"),
    ),
    "MR": (
        Scanner(21, "GE MEDICAL SYSTEMS", "SIGNA Artist", ("29", "LX", "MR Software release:DV29.0"), _GE),
        Scanner(22, "SIEMENS", "Avanto", ("syngo MR B19",), _SIEMENS_MR, blob=True),
        Scanner(23, "Philips Healthcare", "Ingenia", ("5.3.1", "5.3.1.3"), _PHILIPS_MR,
                former=(2018, "Philips Medical Systems")),
        Scanner(24, "Siemens Healthineers", "MAGNETOM Vida", ("syngo MR XA20",), _SIEMENS_MR, workplace="Siemens"),
    ),
    "CR": (
        Scanner(31, "Philips Medical Systems", "DigitalDiagnost", ("4.0.3", "PMS81.101.1.1"), _PHILIPS_CR),
        Scanner(32, "SIEMENS", "FLUOROSPOT Compact", ("VE10",), _SIEMENS, workplace="Siemens"),
        Scanner(33, '"GE Healthcare"', "Thunder Platform", ("DM_Platform_Magic",), _GE[:2]),
    ),
    "US": (
        Scanner(41, "GE Healthcare", "LOGIQ E9", ("LOGIQE9:R6.2.6",), ((0x6003, "GEMS_Ultrasound_ImageGroup_001", 3),)),
        Scanner(42, "Philips Medical Systems", "EPIQ 7G", ("EPIQ 7G_5.0.1",), _PHILIPS_US),
        Scanner(43, "CANON_MEC", "TUS-A500", ("V2.10",), ((0x0029, "TOSHIBA_MEC_US", 7),),
                former=(2019, "TOSHIBA_MEC")),
    ),
    "MG": (
        Scanner(51, "HOLOGIC, Inc.", "Selenia Dimensions", ("AWS:1.8.4.0", "PXCM:1.4.0.7"), _HOLOGIC),
        Scanner(52, "GE MEDICAL SYSTEMS", "Senographe Essential", ("ADS_54.20",), ((0x0045, "GEMS_SENO_02", 20),)),
        Scanner(53, "SIEMENS", "Mammomat Inspiration", ("VB30N",), _SIEMENS[:2], workplace="Siemens"),
    ),
    "PT": (
        Scanner(61, "GE MEDICAL SYSTEMS", "Discovery 710", ("52.00",), ((0x0009, "GEMS_PETD_01", 44),)),
        Scanner(62, "SIEMENS", "Biograph128_mCT", ("VG60A",), ((0x0071, "SIEMENS MED PT", 6),)),
        Scanner(63, "Philips Medical Systems", "GEMINI TF TOF 64", ("3.5.5",), _PHILIPS_PT),
    ),
}  # fmt: skip
