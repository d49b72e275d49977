"""Members of zip and tar archives, read in place."""

import io
import tarfile
import zipfile
from pathlib import Path

import pydicom.data
import pytest

from smi_spark.dicom import archives, read_headers, stores
from smi_spark.dicom.sources import addresses, list_files, list_paths, list_prefixes

FILES = Path(pydicom.data.__file__).parent / "test_files"
NAMES = ["CT_small.dcm", "MR_small.dcm", "image_dfl.dcm", "rtplan.dcm", "README.txt"]


def zipped(place: Path, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(place, "w", method) as archive:
        for name in NAMES:
            archive.write(FILES / name, f"2019/{name}")
    return place


def tarred(place: Path, mode: str) -> Path:
    with tarfile.open(place, mode) as archive:
        for name in NAMES:
            archive.add(FILES / name, f"2019/{name}")
    return place


@pytest.fixture(params=["stored.zip", "deflated.ZIP", "plain.tar", "compressed.tar.gz", "compressed.tgz"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive of each kind with the same five files."""
    name = str(request.param)
    if name.lower().endswith(".zip"):
        return zipped(tmp_path / name, zipfile.ZIP_DEFLATED if "deflated" in name else zipfile.ZIP_STORED)
    return tarred(tmp_path / name, "w:gz" if "compressed" in name else "w")


def test_members_are_the_same_rows_as_the_files(archive: Path) -> None:
    inside = read_headers([f"{archive}!2019/{name}" for name in NAMES], with_header=True).drop_columns(["source"])
    outside = read_headers([str(FILES / name) for name in NAMES], with_header=True).drop_columns(["source"])
    assert (
        inside.drop_columns(["bytes_read", "requests"]).to_pylist()
        == outside.drop_columns(["bytes_read", "requests"]).to_pylist()
    )


def test_members_and_files_read_together_keep_their_headers(tmp_path: Path) -> None:
    """Headers longer than a first read, and of unlike lengths, so that room for one is used by another."""
    content, sources = (FILES / "CT_small.dcm").read_bytes(), []
    meta = content[: content.index(b"\x08\x00\x05\x00CS")]
    for number in range(24):
        filler = b"\x09\x00\x10\x00LO\x04\x00FILL" + b"".join(
            b"\x09\x00"
            + bytes([element, 0x10])
            + b"UN\0\0"
            + (4000).to_bytes(4, "little")
            + bytes([65 + number]) * 4000
            for element in range(8 if number % 2 else 4)
        )
        place = tmp_path / f"{number:02}.dcm"
        place.write_bytes(meta + b"\x08\x00\x18\x00UI\x04\x001.%02d" % number + filler)
        if number % 3 == 1:
            with zipfile.ZipFile(tmp_path / f"{number:02}.zip", "w") as archive:
                archive.write(place, "1.dcm")
        sources.append(f"{tmp_path}/{number:02}.zip!1.dcm" if number % 3 == 1 else str(place))
    together = read_headers(sources, with_header=True)
    assert together["header"].to_pylist() == [Path(f"{tmp_path}/{number:02}.dcm").read_bytes() for number in range(24)]


def test_an_archive_is_listed_as_its_members_beside_other_files(archive: Path) -> None:
    (archive.parent / "one.dcm").write_bytes(b"")
    listed = sorted((path, size) for path, size, _ in list_files(str(archive.parent), ""))
    members = [(f"{archive.name}!2019/{name}", (FILES / name).stat().st_size) for name in NAMES]
    assert listed == sorted([*members, ("one.dcm", 0)])
    assert sorted(list_paths(str(archive.parent), "")) == [path for path, _ in listed]


def test_an_archive_can_be_a_root_itself(archive: Path) -> None:
    root = str(archive)
    paths = [path for prefix in list_prefixes(root) for path, _, _ in list_files(root, prefix)]
    assert sorted(paths) == sorted(f"{archive.name}!2019/{name}" for name in NAMES)
    assert read_headers(addresses(root, paths[:1]))["reason"].to_pylist() == [None]


def test_of_a_large_stored_member_only_its_header_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large.dcm"
    content = (FILES / "CT_small.dcm").read_bytes()
    large.write_bytes(content + bytes(20 << 20))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "large.zip", "w", method) as archive:
            archive.write(large, "large.dcm")
        row = read_headers([f"{tmp_path}/large.zip!large.dcm"], {"Rows": "Rows"}, with_header=True).to_pylist()[0]
        assert (row["Rows"], row["size"], row["bytes_read"], row["requests"]) == (
            128,
            len(content) + (20 << 20),
            16384,
            1,
        )


def test_a_local_header_longer_than_the_directory_says_is_followed(tmp_path: Path) -> None:
    """Extra fields of the two may differ: writers align data by padding the local one."""
    place = zipped(tmp_path / "plain.zip")
    with zipfile.ZipFile(place) as archive:
        info = archive.infolist()[0]
    content = bytearray(place.read_bytes())
    name = len(info.filename)
    extra = b"\xfe\xca" + (4092).to_bytes(2, "little") + bytes(4092)
    content[28:30] = len(extra).to_bytes(2, "little")
    content[30 + name : 30 + name] = extra
    end = content.rindex(b"PK\5\6")
    content[end + 16 : end + 20] = (int.from_bytes(content[end + 16 : end + 20], "little") + len(extra)).to_bytes(
        4, "little"
    )
    (tmp_path / "padded.zip").write_bytes(content)
    data, size = archives.read_member(f"{tmp_path}/padded.zip", f"2019/{NAMES[0]}", 128, 4)
    assert (data, size) == (b"DICM", (FILES / NAMES[0]).stat().st_size)


def test_an_encrypted_or_broken_member_is_a_row_with_its_reason(tmp_path: Path) -> None:
    encrypted = bytearray(zipped(tmp_path / "encrypted.zip").read_bytes())
    directory = encrypted.index(b"PK\1\2")
    encrypted[directory + 8] |= 1
    (tmp_path / "encrypted.zip").write_bytes(encrypted)
    broken = bytearray(zipped(tmp_path / "broken.zip", zipfile.ZIP_DEFLATED).read_bytes())
    broken[60:200] = b"\xff" * 140
    (tmp_path / "broken.zip").write_bytes(broken)
    (tmp_path / "cut.zip").write_bytes(zipped(tmp_path / "whole.zip").read_bytes()[:5000])
    first, second = f"2019/{NAMES[0]}", f"2019/{NAMES[1]}"
    rows = read_headers(
        [f"{tmp_path}/{name}" for name in (f"encrypted.zip!{first}", f"encrypted.zip!{second}", f"broken.zip!{first}",
                                           f"broken.zip!{second}", "cut.zip!", "whole.zip!nothing", "whole.zip!")]
    ).to_pylist()  # fmt: skip
    assert [(row["reason"], row["detail"]) for row in rows] == [
        ("unreadable", "an encrypted member of an archive"),
        (None, None),
        ("unreadable", "a broken member of an archive: it does not inflate"),
        (None, None),
        ("unreadable", "a broken archive: File is not a zip file"),
        ("unreadable", "no such member in the archive"),
        ("unreadable", "an archive, and no member of it"),
    ]


def test_a_broken_archive_stays_in_the_list_and_hides_no_other_file(tmp_path: Path) -> None:
    zipped(tmp_path / "whole.zip")
    for name in ("cut.zip", "cut.tar", "cut.tgz"):
        (tmp_path / name).write_bytes(b"no archive at all")
    paths = [path for path, _, _ in list_files(str(tmp_path), "")]
    assert paths == ["cut.tar!", "cut.tgz!", "cut.zip!", *(f"whole.zip!2019/{name}" for name in NAMES)]
    reasons = read_headers(addresses(str(tmp_path), paths))["reason"].to_pylist()
    assert reasons == ["unreadable"] * 3 + [None] * 4 + ["not_dicom"]


def test_a_member_that_says_more_than_it_holds_ends_where_it_ends(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "lying.zip", zipfile.ZIP_DEFLATED).read_bytes())
    directory = content.index(b"PK\1\2")
    content[directory + 24 : directory + 28] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "lying.zip").write_bytes(content)
    row = read_headers([f"{tmp_path}/lying.zip!2019/{NAMES[0]}"], {"Rows": "Rows"}).to_pylist()[0]
    assert (row["Rows"], row["reason"]) == (128, None)


def test_a_file_whose_name_has_an_exclamation_mark_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a!b.dcm").write_bytes((FILES / "CT_small.dcm").read_bytes())
    assert read_headers([f"{tmp_path}/a!b.dcm"])["reason"].to_pylist() == [None]


def test_ranges_of_a_member_join_to_its_bytes(archive: Path) -> None:
    whole = (FILES / "MR_small.dcm").read_bytes()
    from smi_spark.dicom.ranges import read_ranges

    joined = io.BytesIO()
    for offset in range(0, len(whole), 3000):
        found = read_ranges([(f"{archive}!2019/MR_small.dcm", offset, 3000)], 2)[0]
        assert not isinstance(found, OSError)
        joined.write(found[0])
    assert joined.getvalue() == whole


def test_files_of_a_pyarrow_file_system_are_listed_and_read_as_those_of_hdfs_are(tmp_path: Path) -> None:
    """The local file system of pyarrow in place of a cluster: no HDFS is at hand."""
    from smi_spark.dicom import hdfs

    (tmp_path / "2019").mkdir()
    (tmp_path / "2019" / "1.dcm").write_bytes((FILES / "CT_small.dcm").read_bytes())
    (tmp_path / "notes.txt").write_text("notes")
    root = f"file://{tmp_path}"
    assert hdfs.level(root) == (["2019"], ["notes.txt"])
    assert [(path, size) for path, size, _ in hdfs.files(root, "2019")] == [("2019/1.dcm", 39206)]
    assert [(path, size) for path, size, _ in hdfs.files(root, "")] == [("notes.txt", 5)]
    assert hdfs.read_range(f"{root}/2019/1.dcm", 128, 4) == (b"DICM", 39206)
    with pytest.raises(OSError, match=r"none\.dcm"):
        hdfs.read_range(f"{root}/none.dcm", 0, 1)


def test_hdfs_without_its_library_says_what_to_set() -> None:
    row = read_headers(["hdfs://nobody:8020/1.dcm"]).to_pylist()[0]
    assert row["reason"] == "unreadable"
    assert "set HADOOP_HOME" in row["detail"]
    assert stores.is_remote("hdfs://nobody:8020/1.dcm")
