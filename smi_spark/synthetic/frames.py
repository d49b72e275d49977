"""Enhanced multi-frame images of CT and MR: what all frames share, and each has (PS3.3 A.36, A.38, C.7.6.16)."""

import random
from typing import Any

from smi_spark.synthetic.encoding import known
from smi_spark.synthetic.modalities import PIXELS
from smi_spark.synthetic.sequences import code
from smi_spark.synthetic.series import Series
from smi_spark.synthetic.studies import Study

FRAMES = 5

_REGIONS = {
    "head": ("69536005", "Head"),
    "neck": ("45048000", "Neck"),
    "chest": ("51185008", "Chest"),
    "abdomen": ("818981001", "Abdomen"),
    "pelvis": ("816092008", "Pelvis"),
    "knee": ("72696002", "Knee"),
    "spine": ("421060004", "Spine"),
}


def enhanced(study: Study, series: Series, rng: random.Random) -> dict[str, Any]:
    """A multi-frame image beyond patient, study and series; a comment of its first frame names somebody."""
    frame_type = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    described = {
        "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME",
        "VolumeBasedCalculationTechnique": "NONE",
    }
    if series.modality == "MR":
        described |= {"ComplexImageComponent": "MAGNITUDE", "AcquisitionContrast": rng.choice(("T1", "T2"))}
    return {
        **PIXELS,
        **described,
        **(_CT if series.modality == "CT" else _MR),
        "ImageType": frame_type,
        "NumberOfFrames": FRAMES,
        "AcquisitionDateTime": f"{study.day:%Y%m%d}091500.000000",
        "AcquisitionDuration": 2.5 * FRAMES,
        "ContentQualification": "PRODUCT",
        "PositionReferenceIndicator": "",
        "AcquisitionContextSequence": [],
        "DimensionOrganizationSequence": [{"DimensionOrganizationUID": f"{study.uid}.6"}],
        "DimensionIndexSequence": [_index(study, "StackID"), _index(study, "InStackPositionNumber")],
        "SharedFunctionalGroupsSequence": [_shared(study, series, {"FrameType": frame_type, **described}, rng)],
        "PerFrameFunctionalGroupsSequence": [_frame(study, number) for number in range(1, FRAMES + 1)],
    }


_CT: dict[str, Any] = {"LossyImageCompression": "00"}
_MR: dict[str, Any] = {
    "ResonantNucleus": "1H",
    "KSpaceFiltering": "NONE",
    "MagneticFieldStrength": 3,
    "ApplicableSafetyStandardAgency": "IEC",
    "MRAcquisitionType": "3D",
    "PulseSequenceName": "T1TFE",
    "EchoPulseSequence": "GRADIENT",
    "MultipleSpinEcho": "NO",
    "MultiPlanarExcitation": "NO",
    "PhaseContrast": "NO",
    "TimeOfFlightContrast": "NO",
    "SteadyStatePulseSequence": "NONE",
    "EchoPlanarPulseSequence": "NO",
    "SaturationRecovery": "NO",
    "SpectrallySelectedSuppression": "NONE",
    "OversamplingPhase": "NONE",
    "GeometryOfKSpaceTraversal": "RECTILINEAR",
    "RectilinearPhaseEncodeReordering": "LINEAR",
    "SegmentedKSpaceTraversal": "SINGLE",
    "CoverageOfKSpace": "FULL",
    "NumberOfKSpaceTrajectories": 1,
}


def _index(study: Study, keyword: str) -> dict[str, Any]:
    return {
        "DimensionOrganizationUID": f"{study.uid}.6",
        "DimensionIndexPointer": known(keyword)[0],
        "FunctionalGroupPointer": known("FrameContentSequence")[0],
    }


def _shared(study: Study, series: Series, frame_type: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    value, meaning = _REGIONS[study.body_part]
    thickness = rng.choice((1.5, 3, 5))
    return {
        "PixelMeasuresSequence": [{"PixelSpacing": [0.9375, 0.9375], "SliceThickness": thickness}],
        "PlaneOrientationSequence": [{"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}],
        "FrameAnatomySequence": [{"FrameLaterality": "U", "AnatomicRegionSequence": [code(value, "SCT", meaning)]}],
        "FrameVOILUTSequence": [{"WindowCenter": 600, "WindowWidth": 1400}],
        "PixelValueTransformationSequence": [
            {"RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU"}
            if series.modality == "CT"
            else {"RescaleIntercept": 0, "RescaleSlope": 1, "RescaleType": "US"}
        ],
        **(_ct_groups(frame_type) if series.modality == "CT" else _mr_groups(frame_type)),
    }


def _ct_groups(frame_type: dict[str, Any]) -> dict[str, Any]:
    return {
        "CTImageFrameTypeSequence": [frame_type],
        "CTAcquisitionTypeSequence": [
            {"AcquisitionType": "SPIRAL", "TubeAngle": 0, "ConstantVolumeFlag": "NO", "FluoroscopyFlag": "NO"}
        ],
        "CTAcquisitionDetailsSequence": [
            {
                "RotationDirection": "CW",
                "RevolutionTime": 0.5,
                "SingleCollimationWidth": 0.625,
                "TotalCollimationWidth": 40,
                "TableHeight": 160.5,
                "GantryDetectorTilt": 0,
                "DataCollectionDiameter": 500,
            }
        ],
        "CTReconstructionSequence": [
            {
                "ReconstructionAlgorithm": "FILTER_BACK_PROJ",
                "ConvolutionKernel": "FC21",
                "ConvolutionKernelGroup": "BRAIN",
                "ReconstructionDiameter": 240,
                "ReconstructionPixelSpacing": [0.9375, 0.9375],
            }
        ],
        "CTExposureSequence": [{"ExposureTimeInms": 500, "XRayTubeCurrentInmA": 245, "ExposureInmAs": 122.5}],
        "CTXRayDetailsSequence": [{"KVP": 120, "FocalSpots": 1.2, "FilterType": "FLAT"}],
    }


def _mr_groups(frame_type: dict[str, Any]) -> dict[str, Any]:
    return {
        "MRImageFrameTypeSequence": [frame_type],
        "MRTimingAndRelatedParametersSequence": [
            {
                "RepetitionTime": 8.1,
                "FlipAngle": 8,
                "EchoTrainLength": 1,
                "RFEchoTrainLength": 1,
                "GradientEchoTrainLength": 1,
                "SpecificAbsorptionRateSequence": [
                    {"SpecificAbsorptionRateDefinition": "IEC_HEAD", "SpecificAbsorptionRateValue": 0.4}
                ],
            }
        ],
        "MREchoSequence": [{"EffectiveEchoTime": 3.7}],
        "MRAveragesSequence": [{"NumberOfAverages": 1}],
        "MRReceiveCoilSequence": [
            {
                "ReceiveCoilName": "MULTI COIL",
                "ReceiveCoilManufacturerName": "",
                "ReceiveCoilType": "MULTICOIL",
                "QuadratureReceiveCoil": "NO",
            }
        ],
    }


def _frame(study: Study, number: int) -> dict[str, Any]:
    taken = f"{study.day:%Y%m%d}0915{2 * number:02d}.000000"
    content = {
        "FrameAcquisitionNumber": 1,
        "FrameReferenceDateTime": taken,
        "FrameAcquisitionDateTime": taken,
        "FrameAcquisitionDuration": 2500,
        "StackID": "1",
        "InStackPositionNumber": number,
        "TemporalPositionIndex": 1,
        "DimensionIndexValues": [1, number],
    }
    if number == 1:
        content["FrameComments"] = f"{study.person.surname} moved"
    return {
        "FrameContentSequence": [content],
        "PlanePositionSequence": [{"ImagePositionPatient": [-124.75, -118.5, -20 + 2.5 * number]}],
    }
