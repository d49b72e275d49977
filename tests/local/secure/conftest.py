from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

WriteDicom = Callable[..., Path]


@pytest.fixture(scope="session")
def write_dicom() -> WriteDicom:
    """Writes one small CT image; elements are given by keyword, and left out where None."""

    def write(path: Path, uid: str, **elements: str | int | None) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = uid
        given = {
            "StudyInstanceUID": "2.25.1", "SeriesInstanceUID": "2.25.2", "SOPInstanceUID": uid, "Modality": "CT",
            "StudyDate": "20180305", "PatientID": "0101010028", **elements,
        }  # fmt: skip
        for keyword, value in given.items():
            if value is not None:
                setattr(dataset, keyword, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write
