"""Names of files that tables, or systems, have trouble with."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from smi_spark.dicom import read_headers
from smi_spark.dicom.names import opened, written
from smi_spark.dicom.sources import addresses, list_files, list_paths, list_prefixes, open_root

DICOM = Path(str(get_testdata_file("CT_small.dcm", download=False))).read_bytes()
NAMES = {
    b"a b, c;d.dcm": "a b, c;d.dcm",
    b"#1 100%.dcm": "#1 100%.dcm",
    b"%41?*[x].dcm": "%41?*[x].dcm",
    b"two\nlines.dcm": "two\nlines.dcm",
    b"'quoted' \"twice\"`.dcm": "'quoted' \"twice\"`.dcm",
    "å💉.dcm".encode(): "å💉.dcm",
    b"latin-\xe5.dcm": r"latin-\xe5.dcm",
    rb"looks-like-\xe5.dcm": r"looks-like-\x5cxe5.dcm",
    rb"windows\path.dcm": r"windows\path.dcm",
}


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name), st.binary().filter(lambda name: b"\0" not in name))
def test_every_name_has_one_writing_and_every_writing_is_text(name: bytes, other: bytes) -> None:
    text = written(os.fsdecode(name))
    assert os.fsencode(opened(text)) == name
    assert text.encode().decode() == text
    assert (text == written(os.fsdecode(other))) == (name == other)


@pytest.mark.parametrize(
    "name", [rb"\x5cxff", rb"\\xff", b"\xff\\x", rb"\x5", rb"\xFF", rb"\x00", b"\\\xff", b"\xe5\xa5"]
)
def test_backslashes_and_halves_of_characters_come_back(name: bytes) -> None:
    assert os.fsencode(opened(written(os.fsdecode(name)))) == name


def test_files_are_found_and_read_whatever_their_names_and_their_folders_names(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/root \xff/in\xfe"
    os.makedirs(folder)  # noqa: PTH103
    for name in NAMES:
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(DICOM)
    root = open_root(f"{tmp_path}/root " + os.fsdecode(b"\xff"))
    assert root.folder == rf"{tmp_path}/root \xff"
    assert open_root(root.folder) == root
    (prefix,) = list_prefixes(root)
    found = {path: size for path, size, _ in list_files(root, prefix)}
    assert found == {rf"in\xfe/{text}": len(DICOM) for text in NAMES.values()}
    assert set(list_paths(root, prefix)) == set(found)
    read = read_headers(addresses(root, found), {"Rows": "Rows"}, within=root.place)
    assert read["Rows"].to_pylist() == [128] * len(NAMES)
    assert read["reason"].null_count == len(NAMES)


def test_paths_of_a_thousand_characters_and_more_are_read(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["f" * 200] * 5)
    folder.mkdir(parents=True)
    (folder / f"{'n' * 250}.dcm").write_bytes(DICOM)
    paths = [path for prefix in list_prefixes(str(tmp_path)) for path in list_paths(str(tmp_path), prefix)]
    assert [len(path) for path in paths] == [1259]
    assert read_headers(addresses(str(tmp_path), paths), {"Rows": "Rows"})["Rows"].to_pylist() == [128]


def test_members_of_a_tar_archive_have_such_names_too(tmp_path: Path) -> None:
    import tarfile

    file = tmp_path / "1.dcm"
    file.write_bytes(DICOM)
    for kind in ("tar", "tgz"):
        (tmp_path / kind).mkdir()
        with tarfile.open(tmp_path / kind / f"night.{kind}", "w:gz" if kind == "tgz" else "w") as archive:
            for name in NAMES:
                archive.add(file, f"in/{os.fsdecode(name)}")
        root = open_root(str(tmp_path / kind))
        paths = list(list_paths(root, ""))
        assert paths == [f"night.{kind}!in/{text}" for text in NAMES.values()]
        read = read_headers(addresses(root, paths), {"Rows": "Rows"}, within=root.place)
        assert read["Rows"].to_pylist() == [128] * len(NAMES)
