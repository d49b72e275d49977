"""Rows of secure/images as an archive of CT and MR has them, by the ten million: column functions of a number."""

from typing import NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config

SLICES, SERIES, STUDIES = 100, 4, 3  # images a series, series a study, studies a patient
_ROOT = "1.2.840.113619.2.416."
_A_TASK = 500_000  # images
_REGIONS = ("Head", "Chest", "Abdomen", "Spine", "Knee", "Pelvis", "Neck", "Heart")
_WORDS = ("routine", "thin", "with contrast", "localiser", "axial", "T1 tra", "T2 tse sag", "FLAIR", "lung", "bone")
_MODELS = ("Discovery 750", "Revolution", "Signa HDxt", "Optima 660", "LightSpeed 16")


class Days(NamedTuple):
    """Days of studies: so many from the first on."""

    first: str
    count: int


WHOLE = Days("2015-01-01", 365 * 10)


def append_images(
    spark: SparkSession, config: Config, first: int, count: int, run_id: str, days: Days = WHOLE, kept: str = "true"
) -> None:
    """Images ``first`` to ``first + count`` of the archive → secure/images, as a run of that name adds them.

    kept: what is true of those that it adds, by their number ``id``.

    A study lies in one task and in order, as files of one folder do. Half of the columns that a modality has are null,
    those of other modalities all are. UIDs have 40 to 60 characters, of which those of images share nothing but the
    root with their study; a tenth of the images name two others.
    """
    target = tables.table(config, "secure/images")
    numbers = spark.range(first, first + count, 1, max(2, count // _A_TASK)).where(kept)
    tables.append(tables.completed(_described(numbers, days), target, run_id=F.lit(run_id)), target)


def _described(numbers: DataFrame, days: Days) -> DataFrame:
    """The columns that are not null, of which some hang on others."""
    series, study = F.expr(f"id div {SLICES}"), F.expr(f"id div {SLICES * SERIES}")
    patient = F.expr(f"id div {SLICES * SERIES * STUDIES}")
    of = numbers.select("id", series.alias("series"), study.alias("study"), patient.alias("patient"))
    is_ct, slice_number = _drawn("kind", "study") % 10 < 7, F.col("id") % SLICES
    known = of.withColumns(
        {
            "is_ct": is_ct,
            "slice": slice_number,
            "day": F.date_add(F.lit(days.first).cast("date"), (_drawn("day", "study") % days.count).cast("int")),
            "StudyInstanceUID": _uid("study", "study"),
        }
    )
    return known.select("*", *(column.alias(name) for name, column in _columns().items()))


def _columns() -> dict[str, Column]:
    day, is_ct, place = F.col("day"), F.col("is_ct"), F.col("slice").cast("double")
    born = F.date_add(F.lit("1930-01-01").cast("date"), (_drawn("born", "patient") % 25_000).cast("int"))
    region, words = _one_of(_REGIONS, "region", "study"), _one_of(_WORDS, "words", "series")
    image, where = _uid("image", "id"), place * 1.25 - 200 + _drawn("where", "series") % 1000 / 1000
    chi = F.lpad((_drawn("chi", "patient") % 10_000).cast("string"), 4, "0")  # behind the birth date
    return {
        "modality": F.when(is_ct, "CT").otherwise("MR"),
        "year": F.year(day),
        "source": F.lit("/archive/pacs"),
        "path": F.concat(F.date_format(day, "yyyy/MM/dd/"), F.col("StudyInstanceUID"), F.lit("/"), image),
        "file_size": F.lit(526_000) + _drawn("size", "id") % 900,
        "TransferSyntaxUID": F.lit("1.2.840.10008.1.2.1"),
        "valid_from": F.current_timestamp(),
        "engine_version": F.lit("1.0.0"),
        "PatientID": F.concat(F.date_format(born, "ddMMyy"), chi),
        "PatientName": F.concat(F.lit("SURNAME^"), (_drawn("name", "patient") % 1_000_000).cast("string")),
        "PatientBirthDate": born,
        "PatientSex": F.when(_drawn("sex", "patient") % 2 == 0, "F").otherwise("M"),
        "PatientAge": F.lit("055Y"),
        "PatientWeight": (_drawn("weight", "study") % 80 + 40).cast("double"),
        "StudyDate": day,
        "StudyTime": _time("time", "study"),
        "StudyDescription": F.concat(F.when(is_ct, "CT ").otherwise("MR "), region),
        "AccessionNumber": F.concat(F.lit("A"), (_drawn("accession", "study") % 10**10).cast("string")),
        "StudyID": (_drawn("id", "study") % 100_000).cast("string"),
        "SeriesInstanceUID": _uid("series", "series"),
        "modality_as_written": F.when(is_ct, "CT").otherwise("MR"),
        "SeriesDate": day,
        "SeriesTime": _time("time", "series"),
        "SeriesNumber": F.col("series") % SERIES + 1,
        "SeriesDescription": F.concat(region, F.lit(" "), words),
        "ProtocolName": F.concat(region, F.lit(" standard")),
        "BodyPartExamined": F.upper(region),
        "PatientPosition": F.lit("HFS"),
        "Manufacturer": F.lit("GE MEDICAL SYSTEMS"),
        "ManufacturerModelName": _one_of(_MODELS, "model", "study"),
        "StationName": F.concat(F.lit("st"), (_drawn("station", "study") % 400).cast("string")),
        "DeviceSerialNumber": (_drawn("station", "study") % 400 + 10_000).cast("string"),
        "SoftwareVersions": F.array(F.lit("15"), F.lit("LX"), F.lit("MR Software release:15.0_M4")),
        "FrameOfReferenceUID": _uid("frame", "study"),
        "SOPInstanceUID": image,
        "SOPClassUID": F.when(is_ct, "1.2.840.10008.5.1.4.1.1.2").otherwise("1.2.840.10008.5.1.4.1.1.4"),
        "InstanceNumber": F.col("slice") + 1,
        "InstanceCreationDate": day,
        "ContentDate": day,
        "AcquisitionNumber": F.lit(1).cast("long"),
        "AcquisitionDate": day,
        "AcquisitionTime": _time("time", "id"),
        "ImageType": F.array(F.lit("ORIGINAL"), F.lit("PRIMARY"), F.lit("AXIAL")),
        "Rows": F.lit(512).cast("long"),
        "Columns": F.lit(512).cast("long"),
        "SamplesPerPixel": F.lit(1).cast("long"),
        "PhotometricInterpretation": F.lit("MONOCHROME2"),
        "BitsAllocated": F.lit(16).cast("long"),
        "BitsStored": F.lit(16).cast("long"),
        "PixelSpacing": F.array(F.lit(0.488281), F.lit(0.488281)),
        "SliceThickness": (_drawn("thickness", "series") % 5 + 1).cast("double"),
        "SpacingBetweenSlices": F.when(~is_ct, F.lit(5.5)),
        "SliceLocation": where,
        "ImagePositionPatient": F.array(F.lit(-125.0), F.lit(-119.5), where),
        "ImageOrientationPatient": F.array(*(F.lit(one).cast("double") for one in (1, 0, 0, 0, 1, 0))),
        "WindowCenter": F.array(F.lit(40.0)),
        "WindowWidth": F.array(F.lit(400.0)),
        "RescaleIntercept": F.when(is_ct, F.lit(-1024.0)),
        "RescaleSlope": F.when(is_ct, F.lit(1.0)),
        "RescaleType": F.when(is_ct, F.lit("HU")),
        "RefImageSeq_ReferencedSOPInstanceUID": F.when(
            F.col("id") % 10 == 0, F.array(_uid("other", "id"), _uid("another", "id"))
        ),
        "KVP": F.when(is_ct, F.lit(120.0)),
        "XRayTubeCurrent": F.when(is_ct, _drawn("current", "id") % 300 + 100),
        "ExposureTime": F.when(is_ct, F.lit(800).cast("long")),
        "Exposure": F.when(is_ct, _drawn("exposure", "id") % 100),
        "ConvolutionKernel": F.when(is_ct, F.array(F.lit("STANDARD"))),
        "MagneticFieldStrength": F.when(~is_ct, F.lit(1.5)),
        "MRAcquisitionType": F.when(~is_ct, F.lit("2D")),
        "ScanningSequence": F.when(~is_ct, F.array(F.lit("SE"))),
        "SequenceVariant": F.when(~is_ct, F.array(F.lit("SK"))),
        "SequenceName": F.when(~is_ct, F.lit("*tse2d1_9")),
        "RepetitionTime": F.when(~is_ct, F.lit(4000.0)),
        "EchoTime": F.when(~is_ct, F.lit(98.0)),
        "EchoTrainLength": F.when(~is_ct, F.lit(9).cast("long")),
        "FlipAngle": F.when(~is_ct, F.lit(150.0)),
        "ImagingFrequency": F.when(~is_ct, F.lit(63.87) + _drawn("frequency", "series") % 1000 / 1e6),
    }  # fmt: skip


def _drawn(what: str, of: str) -> Column:
    """A number drawn for each value of ``of``, the same each time."""
    return F.xxhash64(F.lit(what), F.col(of)).bitwiseAND(F.lit(2**62 - 1))


def _uid(what: str, of: str) -> Column:
    return F.concat(
        F.lit(_ROOT),
        (_drawn(what, of) % 10**9).cast("string"),
        F.lit("."),
        (_drawn(f"{what} more", of) % 10**10).cast("string"),
        F.lit("."),
        (F.col(of) + 1).cast("string"),
    )


def _time(what: str, of: str) -> Column:
    return F.lpad((_drawn(what, of) % 235_959).cast("string"), 6, "0")


def _one_of(texts: tuple[str, ...], what: str, of: str) -> Column:
    return F.get(F.array(*map(F.lit, texts)), (_drawn(what, of) % len(texts)).cast("int"))
