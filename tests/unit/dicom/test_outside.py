"""Names and links that lead out of their root are refused; links within it go on working."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from smi_spark.dicom import read_headers
from smi_spark.dicom.sources import addresses, list_files, list_paths, open_root

DICOM = Path(str(get_testdata_file("CT_small.dcm", download=False))).read_bytes()
OUTSIDE = ("outside_root", "its name, or a link, leads out of the root")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one file, beside another folder with one."""
    for folder in ("root", "other"):
        (tmp_path / folder / "in").mkdir(parents=True)
        (tmp_path / folder / "in/1.dcm").write_bytes(DICOM)
    return tmp_path / "root"


def listed(root: Path) -> list[str]:
    paths = [path for part in ("", "in") for path, _, _ in list_files(str(root), part)]
    assert [path for part in ("", "in") for path in list_paths(str(root), part)] == paths
    return paths


def read(root: Path, *paths: str) -> dict[str, tuple[str | None, str | None]]:
    opened = open_root(str(root))
    rows = read_headers(addresses(opened, paths), {"Rows": "Rows"}, within=opened.place).to_pylist()
    assert [row["Rows"] for row in rows] == [None if row["reason"] else 128 for row in rows]
    return {path: (row["reason"], row["detail"]) for path, row in zip(paths, rows, strict=True)}


def test_links_are_read_within_the_root_and_refused_beyond_it(root: Path) -> None:
    (root / "in/2.dcm").symlink_to(root / "in/1.dcm")
    (root / "in/3.dcm").symlink_to(root.parent / "other/in/1.dcm")
    (root / "in/4.dcm").symlink_to("../../other/in/1.dcm")
    (root / "in/5.dcm").symlink_to("3.dcm")
    (root / "in/6.dcm").symlink_to(root / "gone.dcm")
    (root / "in/7.dcm").symlink_to("/gone.dcm")
    (root / "loop").symlink_to(root)
    (root / "elsewhere").symlink_to(root.parent / "other")
    (root.parent / "root and more.dcm").write_bytes(DICOM)
    (root / "in/8.dcm").symlink_to(root.parent / "root and more.dcm")

    assert listed(root) == ["elsewhere", *(f"in/{number}.dcm" for number in range(1, 9))]
    good = (None, None)
    assert read(root, *listed(root)) == {
        "elsewhere": OUTSIDE, "in/1.dcm": good, "in/2.dcm": good, "in/3.dcm": OUTSIDE, "in/4.dcm": OUTSIDE,
        "in/5.dcm": OUTSIDE, "in/6.dcm": ("unreadable", "No such file or directory"), "in/7.dcm": OUTSIDE,
        "in/8.dcm": OUTSIDE,
    }  # fmt: skip


def test_a_link_that_leads_out_is_not_looked_through_when_listed(root: Path) -> None:
    (root / "in/2.dcm").symlink_to(root.parent / "other/in/1.dcm")
    sizes = {path: size for path, size, _ in list_files(str(root), "in")}
    assert sizes == {"in/1.dcm": len(DICOM), "in/2.dcm": len(str(root.parent / "other/in/1.dcm"))}


def test_a_root_may_itself_be_a_link(root: Path) -> None:
    (root / "in/2.dcm").symlink_to("1.dcm")
    (root.parent / "link").symlink_to(root)
    assert set(read(root.parent / "link", "in/1.dcm", "in/2.dcm").values()) == {(None, None)}


def test_paths_with_two_dots_are_refused_and_names_with_them_are_not(root: Path) -> None:
    (root / "in/a..b.dcm").write_bytes(DICOM)
    paths = ["../other/in/1.dcm", "in/../../other/in/1.dcm", "in/a..b.dcm"]
    assert list(read(root, *paths).values()) == [OUTSIDE, OUTSIDE, (None, None)]


def test_an_object_whose_key_climbs_is_refused_without_a_request() -> None:
    rows = read_headers(["s3://nobody/here/../1.dcm", "s3://nobody/here/a.zip!../1.dcm"], within="s3://nobody/here")
    assert [(row["reason"], row["detail"]) for row in rows.to_pylist()] == [OUTSIDE] * 2


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_members_that_would_be_unpacked_elsewhere_are_refused(root: Path, kind: str) -> None:
    names = ["in/1.dcm", "../2.dcm", "/etc/3.dcm", "in/../../4.dcm", "..\\5.dcm", "C:\\6.dcm", "in/..7.dcm"]
    place = root / f"in/a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(place, "w") as archive:
            for name in names:
                archive.writestr(name, DICOM)
    else:
        with tarfile.open(place, "w:gz" if kind == "tgz" else "w") as tar:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(DICOM)
                tar.addfile(info, io.BytesIO(DICOM))
    paths = [path for path in listed(root) if "!" in path]
    assert paths == [f"in/a.{kind}!{name}" for name in names]
    good = (None, None)
    assert list(read(root, *paths).values()) == [good, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, good]


def test_an_archive_by_a_link_is_read_within_the_root_and_not_opened_beyond_it(root: Path) -> None:
    for folder in (root, root.parent / "other"):
        with zipfile.ZipFile(folder / "in/a.zip", "w") as archive:
            archive.writestr("1.dcm", DICOM)
    (root / "b.zip").symlink_to(root / "in/a.zip")
    (root / "c.zip").symlink_to(root.parent / "other/in/a.zip")
    assert listed(root) == ["b.zip!1.dcm", "c.zip", "in/1.dcm", "in/a.zip!1.dcm"]
    found = read(root, "b.zip!1.dcm", "c.zip", "c.zip!1.dcm")
    assert list(found.values()) == [(None, None), OUTSIDE, OUTSIDE]


def test_without_a_root_a_link_is_a_file_as_any(root: Path) -> None:
    (root / "in/3.dcm").symlink_to(root.parent / "other/in/1.dcm")
    assert read_headers([str(root / "in/3.dcm")], {"Rows": "Rows"})["Rows"].to_pylist() == [128]
