"""Screens saved as pictures, with text burned in: the patient's name and CHI, the study's dose (PS3.3 section A.8)."""

from typing import Any, NamedTuple

import numpy as np

from smi_spark.synthetic.lettering import Box, Picture, write
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.studies import Study

_CAPTURE, _DOSE = (160, 384), (136, 480)  # rows, columns
_MARGIN = 8
_GREY = 96

_TYPES = {
    "GE": ["DERIVED", "SECONDARY", "SCREEN SAVE"],
    "SIEMENS": ["DERIVED", "SECONDARY", "OTHER", "CSA RESULT"],
    "PHILIPS": ["DERIVED", "SECONDARY", "DOSE_INFO"],
}


class Word(NamedTuple):
    """A text in a picture; ``kind`` as in ``identifiers``, empty where it names nobody."""

    text: str
    kind: str = ""


def screen(study: Study, series: Series) -> dict[str, Any]:
    """The header of a secondary capture beyond patient, study and series; some do not say that text is burned in."""
    rows, columns = _size(series)
    says = {} if study.person.number % 3 == 0 else {"BurnedInAnnotation": "YES"}
    return {
        **says,
        "ImageType": _TYPES.get(study.scanner.family, ["DERIVED", "SECONDARY"]),
        "ConversionType": "WSD",
        "DateOfSecondaryCapture": f"{study.day:%Y%m%d}",
        "TimeOfSecondaryCapture": "094500",
        "SecondaryCaptureDeviceManufacturer": study.scanner.workplace or study.scanner.maker,
        "SecondaryCaptureDeviceID": study.scanner.station,
        "PatientOrientation": "",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "LossyImageCompression": "00",
    }


def picture(study: Study, series: Series) -> Picture:
    """Rows by columns of 8 bits: the text, and beside it a disc."""
    return _drawn(study, series)[0]


def words(study: Study, series: Series) -> list[tuple[Word, Box]]:
    """The texts of the picture, each with the box that it fills."""
    return _drawn(study, series)[1]


def without_text(series: Series) -> Picture:
    """The picture as it is behind the text."""
    rows, columns = _size(series)
    across, down = np.arange(columns)[None, :] - (columns - rows // 4), np.arange(rows)[:, None] - (rows * 5 // 8)
    return np.where(across**2 + down**2 < (rows * 3 // 16) ** 2, np.uint8(_GREY), np.uint8(0))


def _drawn(study: Study, series: Series) -> tuple[Picture, list[tuple[Word, Box]]]:
    drawn, found = without_text(series), []
    scale = 2 if series.content is Content.DOSE_SCREEN else 3
    for line, parts in enumerate(_lines(study, series)):
        left, top = _MARGIN, _MARGIN + 12 * scale * line
        for word in parts:
            box = write(drawn, left, top, word.text, scale)
            found.append((word, box))
            left = box[2] + 7 * scale
    return drawn, found


def _lines(study: Study, series: Series) -> list[list[Word]]:
    person = study.person
    chi = Word(person.chi, "chi")
    if series.content is Content.DOSE_SCREEN:
        return [
            [Word("DOSE REPORT")],
            [Word("NAME:"), Word(person.surname, "name"), Word(person.forename, "name")],
            [Word("ID:"), chi],
            [Word("ACC:"), Word(study.accession, "accession")],
            [Word("TOTAL DLP: 812.40 MGY-CM")],
        ]
    return [
        [Word(person.surname, "name")],
        [Word(person.forename, "name")],
        [Word("CHI"), chi],
        [Word(f"{person.birth_date:%Y-%m-%d}", "birth_date"), Word(person.sex)],
    ]


def _size(series: Series) -> tuple[int, int]:
    return _DOSE if series.content is Content.DOSE_SCREEN else _CAPTURE
