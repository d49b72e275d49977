"""Bytes of DICOM files (PS3.10), from planned studies."""

from collections.abc import Iterable, Iterator
from io import BytesIO

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from smi_spark.synthetic.encoding import Files
from smi_spark.synthetic.headers import encoding, file_meta, series_elements
from smi_spark.synthetic.images import image_elements
from smi_spark.synthetic.series import Series
from smi_spark.synthetic.studies import Study


def study_files(study: Study, seed: int) -> Iterator[bytes]:
    """The bytes of every image of ``study``, series by series."""
    for series in study.series:
        yield from series_files(study, series, seed, range(1, series.images + 1))


def series_files(study: Study, series: Series, seed: int, numbers: Iterable[int]) -> Iterator[bytes]:
    """The bytes of the images of those numbers: what they share is made and encoded once."""
    files: Files | None = None
    for number in numbers:
        own = image_elements(study, series, seed, number)
        if files is None:
            shared = series_elements(study, series, seed)
            files = Files(shared, file_meta(study, series), own, encoding(study, series))
        yield files.file(series.sop_uid(number), own)


def series_images(study: Study, series: Series, seed: int, numbers: Iterable[int]) -> Iterator[Dataset]:
    """The same images as data sets, to be changed; each is its own."""
    for content in series_files(study, series, seed, numbers):
        yield dcmread(BytesIO(content))


def encode(image: Dataset) -> bytes:
    """The bytes of a file with preamble and file meta."""
    buffer = BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()
