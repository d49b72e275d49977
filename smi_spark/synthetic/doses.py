"""Radiation dose structured reports of CT (PS3.3 section A.35.8, PS3.16 TID 10011)."""

import random
from typing import Any

from smi_spark.synthetic.reports import Item, contained, container, document, item
from smi_spark.synthetic.studies import Study

_REGIONS = {
    "head": ("69536005", "SCT", "Head"),
    "neck": ("45048000", "SCT", "Neck"),
    "chest": ("51185008", "SCT", "Chest"),
    "abdomen": ("818981001", "SCT", "Abdomen"),
    "pelvis": ("816092008", "SCT", "Pelvis"),
}


def dose_report(study: Study, rng: random.Random) -> dict[str, Any]:
    """An X-Ray Radiation Dose SR beyond patient, study and series: the device, the sum, two irradiation events."""
    volumes = (rng.randrange(5, 40) / 100, rng.randrange(1000, 6000) / 100)  # mGy
    doses = [(volume, round(volume * rng.randrange(15, 30), 2)) for volume in volumes]
    items = [
        item("HAS CONCEPT MOD", "CODE", ("121058", "DCM", "Procedure reported"),
             ("77477000", "SCT", "Computed Tomography X-Ray"),
             [item("HAS CONCEPT MOD", "CODE", ("363703001", "SCT", "Has Intent"),
                   ("261004008", "SCT", "Diagnostic Intent"))]),
        *_device(study),
        _when(study, "113809", "Start of X-Ray Irradiation", "091000"),
        _when(study, "113810", "End of X-Ray Irradiation", "092000"),
        item("HAS OBS CONTEXT", "CODE", ("113705", "DCM", "Scope of Accumulation"), ("113014", "DCM", "Study"),
             [item("HAS PROPERTIES", "UIDREF", ("110180", "DCM", "Study Instance UID"), study.uid)]),
        contained(container(("113811", "DCM", "CT Accumulated Dose Data"), [
            _number("113812", "Total Number of Irradiation Events", len(doses), "{events}"),
            _number("113813", "CT Dose Length Product Total", round(sum(length for _, length in doses), 2), "mGy.cm"),
        ])),
        *[_event(study, number, *dose) for number, dose in enumerate(doses, start=1)],
        item("CONTAINS", "CODE", ("113854", "DCM", "Source of Dose Information"),
             ("113856", "DCM", "Automated Data Collection")),
    ]  # fmt: skip
    return {
        **document(study),
        "VerificationFlag": "UNVERIFIED",
        **container(("113701", "DCM", "X-Ray Radiation Dose Report"), items, template="10011"),
    }


def _device(study: Study) -> list[Item]:
    """The device as the observer (PS3.16 TID 1004)."""
    scanner = study.scanner
    told = (
        ("121013", "Device Observer Name", scanner.station),
        ("121014", "Device Observer Manufacturer", scanner.spelled(study.day)),
        ("121015", "Device Observer Model Name", scanner.model),
        ("121016", "Device Observer Serial Number", scanner.serial),
        ("121017", "Device Observer Physical Location During Observation", scanner.site),
    )
    return [
        item("HAS OBS CONTEXT", "CODE", ("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device")),
        item("HAS OBS CONTEXT", "UIDREF", ("121012", "DCM", "Device Observer UID"),
             f"1.3.6.1.4.1.99999.5.{scanner.number}"),
        *[item("HAS OBS CONTEXT", "TEXT", (value, "DCM", meaning), text) for value, meaning, text in told],
    ]  # fmt: skip


def _event(study: Study, number: int, volume: float, length: float) -> Item:
    """One acquisition (PS3.16 TID 10013): a scout first, then a spiral."""
    scout = number == 1
    kind = ("113805", "DCM", "Constant Angle Acquisition") if scout else ("116152004", "SCT", "Spiral Acquisition")
    protocol = study.series[0 if scout else -1].description
    phantom = ("113690", "IEC Head Dosimetry Phantom") if study.body_part == "head" else (
        "113691", "IEC Body Dosimetry Phantom")  # fmt: skip
    return contained(container(("113819", "DCM", "CT Acquisition"), [
        item("CONTAINS", "TEXT", ("125203", "DCM", "Acquisition Protocol"), protocol),
        item("CONTAINS", "CODE", ("123014", "DCM", "Target Region"), _REGIONS[study.body_part]),
        item("CONTAINS", "CODE", ("113820", "DCM", "CT Acquisition Type"), kind),
        item("CONTAINS", "UIDREF", ("113769", "DCM", "Irradiation Event UID"), f"{study.uid}.7.{number}"),
        contained(container(("113822", "DCM", "CT Acquisition Parameters"), [
            _number("113824", "Exposure Time", 4.2, "s"),
            _number("113825", "Scanning Length", 240, "mm"),
            _number("113826", "Nominal Single Collimation Width", 0.625, "mm"),
            _number("113827", "Nominal Total Collimation Width", 40, "mm"),
            _number("113823", "Number of X-Ray Sources", 1, "{X-Ray sources}"),
        ])),
        contained(container(("113829", "DCM", "CT Dose"), [
            _number("113830", "Mean CTDIvol", volume, "mGy"),
            item("CONTAINS", "CODE", ("113835", "DCM", "CTDIw Phantom Type"), (phantom[0], "DCM", phantom[1])),
            _number("113838", "DLP", length, "mGy.cm"),
        ])),
    ]))  # fmt: skip


def _number(value: str, meaning: str, number: float, unit: str) -> Item:
    return item("CONTAINS", "NUM", (value, "DCM", meaning), (number, unit))


def _when(study: Study, value: str, meaning: str, time: str) -> Item:
    return item("HAS OBS CONTEXT", "DATETIME", (value, "DCM", meaning), f"{study.day:%Y%m%d}{time}")
