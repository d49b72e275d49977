"""Bytes of DICOM files (PS3.10), from planned studies."""

import copy
from collections.abc import Iterable, Iterator
from io import BytesIO

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset

from smi_spark.synthetic.headers import image_values, series_header, spoil
from smi_spark.synthetic.studies import Series, Study


def study_files(study: Study, seed: int) -> Iterator[bytes]:
    """The bytes of every image of ``study``, series by series."""
    for series in study.series:
        for image in series_images(study, series, seed, range(1, series.images + 1)):
            yield encode(image)


def series_images(study: Study, series: Series, seed: int, numbers: Iterable[int]) -> Iterator[Dataset]:
    """The images of those numbers; they share the values of the series' header, not copied in depth."""
    header = _settled(series_header(study, series, seed))
    if study.careless:
        spoil(header)
    for number in numbers:
        image = copy.copy(header)
        image.file_meta = copy.copy(header.file_meta)
        for keyword, value in image_values(series, number).items():
            setattr(image, keyword, value)
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        yield image


def encode(image: Dataset) -> bytes:
    """The bytes of a file with preamble and file meta."""
    buffer = BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()


def _settled(header: Dataset) -> FileDataset:
    """``header`` written and read again: its values stay bytes, and each image then takes a fraction of the time."""
    header.SOPInstanceUID = header.SeriesInstanceUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    return dcmread(BytesIO(encode(header)))
