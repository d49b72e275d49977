"""Structured reports and electrocardiograms: headers without pixels, whose values lie in sequences."""

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedSRStorage, GeneralECGWaveformStorage

from smi_spark.dicom import read_headers
from tests.unit.dicom.files import dataset, write


def items(*rows: dict[str, Any]) -> Sequence:
    return Sequence([item(**row) for row in rows])


def item(**values: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def read(path: Path) -> dict[str, Any]:
    """The columns of ``schemas/images.yaml`` that the file fills."""
    (row,) = read_headers([path]).to_pylist()
    assert (row["reason"], row["value_errors"]) == (None, [])
    return {name: value for name, value in row.items() if value is not None}


def test_a_report_tells_its_state_and_the_images_that_it_is_about(tmp_path: Path) -> None:
    about = [{"ReferencedSOPClassUID": CTImageStorage, "ReferencedSOPInstanceUID": f"1.9.1.{n}"} for n in (1, 2, 3)]
    series = [
        {"SeriesInstanceUID": "1.9.1", "ReferencedSOPSequence": items(*about[:2])},
        {"SeriesInstanceUID": "1.9.2", "ReferencedSOPSequence": items(about[2])},
    ]
    report = dataset(
        SOPClassUID=EnhancedSRStorage, Modality="SR", CompletionFlag="COMPLETE", VerificationFlag="VERIFIED",
        ReferencedStudySequence=items({"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
                                       "ReferencedSOPInstanceUID": "1.9"}),
        ReferencedPerformedProcedureStepSequence=items({"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.3",
                                                        "ReferencedSOPInstanceUID": "1.9.9"}),
        CurrentRequestedProcedureEvidenceSequence=items(
            {"StudyInstanceUID": "1.9", "ReferencedSeriesSequence": items(*series)}
        ),
        ContentSequence=items({"ValueType": "TEXT", "TextValue": "No fracture."}),
    )  # fmt: skip

    row = read(write(tmp_path / "report.dcm", report, pixels=None))

    assert (row["modality_as_written"], row["CompletionFlag"], row["VerificationFlag"]) == (
        "SR", "COMPLETE", "VERIFIED",
    )  # fmt: skip
    assert row["CurrentReqEvidence_StudyInstanceUID"] == ["1.9"]
    assert row["CurrentReqEvidence_SeriesInstanceUID"] == ["1.9.1", "1.9.2"]
    assert row["CurrentReqEvidence_SOPInstanceUID"] == ["1.9.1.1", "1.9.1.2", "1.9.1.3"]
    assert row["CurrentReqEvidence_SOPClassUID"] == [CTImageStorage] * 3
    assert row["Study_ReferencedSOPInstanceUID"] == ["1.9"]
    assert row["RefProcStep_ReferencedSOPInstanceUID"] == ["1.9.9"]


def test_an_electrocardiogram_tells_each_of_its_groups_of_channels(tmp_path: Path) -> None:
    groups = [
        {"NumberOfWaveformChannels": 12, "NumberOfWaveformSamples": samples, "SamplingFrequency": "500",
         "WaveformBitsAllocated": 16, "WaveformData": bytes(24 * samples)}
        for samples in (5000, 600)
    ]  # fmt: skip
    ecg = dataset(SOPClassUID=GeneralECGWaveformStorage, Modality="ECG", WaveformSequence=items(*groups))
    ecg["WaveformSequence"].value[0]["WaveformData"].VR = "OW"
    ecg["WaveformSequence"].value[1]["WaveformData"].VR = "OW"

    row = read(write(tmp_path / "ecg.dcm", ecg, pixels=None))

    assert row["modality_as_written"] == "ECG"
    assert (row["NumberOfWaveformChannels"], row["NumberOfWaveformSamples"]) == ([12, 12], [5000, 600])
    assert (row["SamplingFrequency"], row["WaveformBitsAllocated"]) == ([500.0, 500.0], [16, 16])
