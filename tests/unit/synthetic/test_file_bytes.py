"""The bytes of files, against pydicom: what it reads is whole and without complaint, and it would write the same."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from smi_spark.synthetic.encoding import BIG_ENDIAN, EXPLICIT, JPEG, RLE, Element, Encoding, Files
from smi_spark.synthetic.files import encode, series_files, series_images, study_files
from smi_spark.synthetic.pixels import encoded
from smi_spark.synthetic.series import Content

SEED = 3


def first_files(kinds: Mapping[Any, Any]) -> dict[Any, bytes]:
    return {kind: next(series_files(study, series, SEED, [1])) for kind, (study, series) in kinds.items()}


def test_each_content_and_each_syntax_occur(kinds: Mapping[Any, Any]) -> None:
    assert {kind.content for kind in kinds} == set(Content)
    assert len({kind.syntax for kind in kinds}) == 6
    assert {kind.syntax for kind in kinds if kind.content is Content.CAPTURE} >= {EXPLICIT, RLE}


def test_pydicom_writes_the_same_bytes_when_it_has_decoded_every_value(kinds: Mapping[Any, Any]) -> None:
    for kind, content in first_files(kinds).items():
        image = dcmread(BytesIO(content))
        decoded = [element.value for element in image.iterall()]
        assert len(decoded) > 50
        assert encode(image) == content, kind


def test_pixels_decode_to_the_size_that_the_header_says(kinds: Mapping[Any, Any]) -> None:
    for kind, content in first_files(kinds).items():
        image = dcmread(BytesIO(content))
        if image.Modality == "SR":
            assert "PixelData" not in image, kind
            continue
        frames, samples = int(image.get("NumberOfFrames", 1)), image.SamplesPerPixel
        shape = [frames] * (frames > 1) + [image.Rows, image.Columns] + [samples] * (samples > 1)
        pixels = image.pixel_array
        assert list(pixels.shape) == shape, kind
        assert pixels.max() < 2**image.BitsStored, kind
        assert len(np.unique(pixels)) > 1, kind


def test_the_same_picture_comes_out_of_each_syntax(kinds: Mapping[Any, Any]) -> None:
    """A body is brighter within than without, by far, whatever the bytes' order and compression."""
    seen = set()
    for kind, content in first_files(kinds).items():
        if kind.content is Content.IMAGES and kind.modality in ("CT", "MR", "CR", "MG", "PT"):
            pixels = dcmread(BytesIO(content)).pixel_array
            assert pixels[0, 0] < 64 < 1000 < pixels[8, 8] < 1200, kind
            seen.add(kind.syntax)
    assert len(seen) == 5


def test_all_files_of_a_study_are_its_images_in_order(kinds: Mapping[Any, Any]) -> None:
    study, _ = next(found for kind, found in kinds.items() if kind.content is Content.ENHANCED)
    uids = [dcmread(BytesIO(content)).SOPInstanceUID for content in study_files(study, SEED)]
    assert uids == [series.sop_uid(n) for series in study.series for n in range(1, series.images + 1)]


def test_an_image_made_alone_is_the_one_of_its_series(kinds: Mapping[Any, Any]) -> None:
    study, series = next(found for kind, found in kinds.items() if kind.content is Content.THIN)
    whole = list(series_files(study, series, SEED, range(1, series.images + 1)))
    (alone,) = series_images(study, series, SEED, [4])
    assert encode(alone) == whole[3]
    assert len(set(whole)) == series.images >= 10


@pytest.mark.parametrize(("syntax", "written"), [
    (EXPLICIT, "1000 2000 4c4f 0400 31322020"),
    (BIG_ENDIAN, "0010 0020 4c4f 0004 31322020"),
    ("1.2.840.10008.1.2", "1000 2000 04000000 31322020"),
])  # fmt: skip
def test_an_element_by_hand(syntax: str, written: str) -> None:
    assert Encoding(syntax).element(0x00100020, Element("LO", "12 ")) == bytes.fromhex(written)


def test_shared_elements_stand_around_those_of_one_file() -> None:
    shared = {0x00080060: Element("CS", "CT"), 0x00280010: Element("US", 16)}
    files = Files(shared, {"TransferSyntaxUID": EXPLICIT}, [0x00200013, 0x00080018], Encoding(EXPLICIT))
    own = {0x00080018: Element("UI", "1.2"), 0x00200013: Element("IS", 7)}
    image = dcmread(BytesIO(files.file("1.2", own)))
    assert [element.keyword for element in image] == ["SOPInstanceUID", "Modality", "InstanceNumber", "Rows"]
    assert (image.file_meta.MediaStorageSOPInstanceUID, image.InstanceNumber, image.Rows) == ("1.2", 7, 16)


def test_jpeg_is_the_mean_grey_of_each_block() -> None:
    grey = np.repeat(np.repeat(np.array([[0, 255, 128], [7, 200, 199]], np.uint8), 8, axis=0), 8, axis=1)
    shared = {
        tag: Element("US", value)
        for tag, value in {
            0x00280002: 1, 0x00280010: 16, 0x00280011: 24, 0x00280100: 8, 0x00280101: 8, 0x00280102: 7, 0x00280103: 0,
        }.items()
    }  # fmt: skip
    shared[0x00280004] = Element("CS", "MONOCHROME2")
    files = Files(shared, {"TransferSyntaxUID": JPEG}, [0x7FE00010], Encoding(JPEG))
    image = dcmread(BytesIO(files.file("1.2", {0x7FE00010: Element("OB", encoded(grey[np.newaxis], JPEG))})))
    assert (image.pixel_array == grey).all()
