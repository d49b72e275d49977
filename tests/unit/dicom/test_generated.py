"""Data sets that hypothesis invents and pydicom writes, in every syntax; and files with damage."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)  # fmt: skip

from smi_spark.dicom import decode_headers, read_headers
from smi_spark.reasons import Reason
from smi_spark.schema import load_schema
from tests.unit.dicom import oracle
from tests.unit.dicom.files import dataset, write

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
COLUMNS = {
    **load_schema("images").tags(),
    "kernel": "SharedFunctionalGroupsSequence.CTReconstructionSequence.ConvolutionKernel",
    "delta": "SequenceOfUltrasoundRegions.PhysicalDeltaX",
    "region": "SequenceOfUltrasoundRegions.RegionLocationMinX0",
    "private": "(0011,1001)",
}

word = st.text("ABCDEFGHIJ 0123456789_", min_size=0, max_size=12)
name = st.text("abcdefgÄöüñ^", min_size=0, max_size=20)
number = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.6g}"))
day = st.dates().map(lambda d: f"{d:%Y%m%d}".zfill(8))


def sequence(item: st.SearchStrategy[Dataset]) -> st.SearchStrategy[Sequence]:
    return st.lists(item, max_size=3).map(Sequence)


@st.composite
def item(draw: Any, **values: st.SearchStrategy[Any]) -> Dataset:
    made = Dataset()
    for keyword, strategy in values.items():
        if draw(st.booleans()):
            setattr(made, keyword, draw(strategy))
    made.is_undefined_length_sequence_item = draw(st.booleans())
    return made


code = item(CodeValue=word, CodeMeaning=word)
data_sets = item(
    PatientID=word, PatientName=name, PatientBirthDate=day, StudyDescription=name, StudyDate=day,
    Rows=st.integers(0, 65535), NumberOfFrames=st.integers(-(2**31), 2**31 - 1), EchoTime=number,
    PixelSpacing=st.lists(number, min_size=2, max_size=2), ImageType=st.lists(word, min_size=1, max_size=5),
    ImageComments=name, LossyImageCompressionRatio=st.lists(number, max_size=4),
    RelativeXRayExposure=st.integers(0, 99),
    ProcedureCodeSequence=sequence(code), ViewCodeSequence=sequence(code),
    SequenceOfUltrasoundRegions=sequence(
        item(PhysicalDeltaX=st.floats(allow_nan=False), RegionLocationMinX0=st.integers(0, 2**32 - 1))
    ),
    SharedFunctionalGroupsSequence=sequence(item(CTReconstructionSequence=sequence(item(ConvolutionKernel=word)))),
)  # fmt: skip


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=data_sets, undefined=st.booleans(), private=st.binary(max_size=6000), first_read=st.integers(512, 3000))
def test_every_syntax_reads_as_pydicom_does(
    tmp_path: Path, syntax: str, made: Dataset, undefined: bool, private: bytes, first_read: int
) -> None:
    ds = dataset(SpecificCharacterSet="ISO_IR 100")
    ds.update(made)
    ds.add_new(0x00110010, "LO", "SMI TEST")
    ds.add_new(0x00111001, "LO", "private text")
    ds.add_new(0x00111002, "UN", private + bytes(len(private) % 2))
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = undefined
    path = write(tmp_path / "a.dcm", ds, syntax)
    read = read_headers([path], COLUMNS, first_read=first_read, with_header=True)
    row = read.to_pylist()[0]
    assert row["reason"] is None, row["detail"]
    assert {name: row[name] for name in COLUMNS} == oracle.read(path, COLUMNS)
    decoded = decode_headers(read["header"], read["left_out"], COLUMNS)
    assert decoded.to_pylist()[0] == {name: row[name] for name in [*COLUMNS, "value_errors"]}


SEEDS = ("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm", "image_dfl.dcm", "nested_priv_SQ.dcm", "test-SR.dcm")


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_files_give_a_row_each(tmp_path: Path, seed: str) -> None:
    """Bytes turned over and ends cut off, the same ones each time: always a row, its reason from the list."""
    original = Path(str(get_testdata_file(seed, download=False))).read_bytes()[:20_000]
    chance = random.Random(seed)
    paths = []
    for i in range(120):
        damaged = bytearray(original)
        for _ in range(chance.choice([1, 1, 2, 8, 64])):
            damaged[chance.randrange(len(damaged))] = chance.choice([0, 0xFF, 0xFE, chance.randrange(256)])
        path = tmp_path / f"{i}.dcm"
        path.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(1, len(damaged))])])
        paths.append(path)
    read = read_headers(paths, COLUMNS, first_read=1024, keep_binary=256, with_header=True)
    read.validate(full=True)
    assert read["source"].to_pylist() == [str(path) for path in paths]
    assert set(read["reason"].to_pylist()) <= {None, *(reason.value for reason in Reason)}
    assert len(set(read["reason"].to_pylist())) > 1
    decoded = decode_headers(read["header"], read["left_out"], COLUMNS)
    assert [n for n in decoded.schema.names if str(decoded[n].to_pylist()) != str(read[n].to_pylist())] == []
