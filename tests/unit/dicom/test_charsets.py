"""Text in every charset of PS3.3 C.12.1.1.2, as Python's own codecs write it."""

from pathlib import Path

import pytest

from smi_spark.dicom import decode_headers, read_headers
from tests.unit.dicom.files import element, raw_file

SINGLE = [
    ("100", "latin-1", "Müller^Jürg"),
    ("101", "iso8859_2", "Łukasz^Žižka"),
    ("109", "iso8859_3", "Ċensu^Ħal"),
    ("110", "iso8859_4", "Ķēniņš^Ģirts"),
    ("144", "iso8859_5", "Люксембург^Иван"),
    ("127", "iso8859_6", "قباني^لنزار"),
    ("126", "iso8859_7", "Διονυσιος^Ηρα"),
    ("138", "iso8859_8", "שרון^דבורה"),
    ("148", "iso8859_9", "Çavuşoğlu^İpek"),
    ("203", "iso8859_15", "Œuvre^Š€"),
    ("166", "tis_620", "นามสกุล^ชื่อ"),
    ("13", "shift_jis", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
]
JAPANESE = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
HALF_WIDTH = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
KOREAN = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
CHINESE = b"Zhang^XiaoDong=\x1b$)A" + "张^".encode("gb2312") + b"\x1b$)A" + "小东".encode("gb2312")


def name_of(folder: Path, charset: bytes, raw: bytes) -> str | None:
    path = raw_file(folder / "a.dcm", element(0x00080005, "CS", charset), element(0x00100010, "PN", raw))
    read = read_headers([path], {"name": "PatientName"}, with_header=True)
    assert decode_headers(read["header"], read["left_out"], {"name": "PatientName"})["name"] == read["name"]
    found: list[str | None] = read["name"].to_pylist()
    return found[0]


@pytest.mark.parametrize(("term", "codec", "text"), SINGLE)
def test_charsets_of_one_byte_a_letter(tmp_path: Path, term: str, codec: str, text: str) -> None:
    raw = text.encode(codec)
    assert name_of(tmp_path, f"ISO_IR {term}".encode(), raw) == text
    assert name_of(tmp_path, f"ISO 2022 IR {term}".encode(), raw) == text


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        (b"ISO_IR 192", "Ó Broin^Seán=王^小东".encode(), "Ó Broin^Seán=王^小东"),
        (b"GB18030", "王^小东=㐀^𠀀".encode("gb18030"), "王^小东=㐀^𠀀"),
        (b"GBK", "王^小东".encode("gbk"), "王^小东"),
        (b"", b"Macdonald^Flora", "Macdonald^Flora"),
        (b"ISO_IR 6", b"Macdonald^Flora", "Macdonald^Flora"),
    ],
)
def test_charsets_of_several_bytes_a_letter(tmp_path: Path, charset: bytes, raw: bytes, text: str) -> None:
    assert name_of(tmp_path, charset, raw) == text


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        (b"\\ISO 2022 IR 87", JAPANESE, "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (b"ISO 2022 IR 6\\ISO 2022 IR 87", JAPANESE, "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (b"ISO 2022 IR 13\\ISO 2022 IR 87", HALF_WIDTH, "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"),
        (b"\\ISO 2022 IR 159", b"\x1b$(D\x30\x21\x1b(B^A", "丂^A"),
        (b"\\ISO 2022 IR 149", KOREAN, "Hong^Gildong=洪^吉洞=홍^길동"),
        (b"\\ISO 2022 IR 58", CHINESE, "Zhang^XiaoDong=张^小东"),
        (b"ISO 2022 IR 100\\ISO 2022 IR 144", b"M\xfcller=\x1b-L" + "Иван".encode("iso8859_5"), "Müller=Иван"),
    ],
)  # fmt: skip
def test_switches_of_charset_and_the_three_groups_of_a_name(
    tmp_path: Path, charset: bytes, raw: bytes, text: str
) -> None:
    assert name_of(tmp_path, charset, raw) == text


@pytest.mark.parametrize(
    "charset",
    [
        "ISO IR 100", "ISO-IR 100", "ISO-IR-100", "ISO_IR_100", "iso_ir 100", "ISO_IR100", "ISO_IR  100", "IR 100",
        "ISO 2022 IR100", "ISO_2022_IR_100", "ISO2022 IR 100", "ISO8859-1", "ISO 8859-1", "latin1", "ISO_IR 100\0",
    ],
)  # fmt: skip
def test_misspelled_charsets_are_what_they_mean(tmp_path: Path, charset: str) -> None:
    assert name_of(tmp_path, charset.encode(), "Müller^Zoë".encode("latin-1")) == "Müller^Zoë"


@pytest.mark.parametrize(
    "charset", ["UTF8", "UTF-8", "ISO_IR192", "ISO-IR 192", "ISO 2022 IR 192", "UNICODE_1_1_UTF-8"]
)
def test_utf_8_by_other_names(tmp_path: Path, charset: str) -> None:
    assert name_of(tmp_path, charset.encode(), "王^Zoë".encode()) == "王^Zoë"


@pytest.mark.parametrize("charset", ["nonsense", "rot13", "hex", "ISO_IR 999"])
def test_what_is_no_charset_is_read_as_latin_1(tmp_path: Path, charset: str) -> None:
    assert name_of(tmp_path, charset.encode(), "Müller".encode("latin-1")) == "Müller"


def test_a_backslash_within_a_letter_parts_no_values(tmp_path: Path) -> None:
    raw = "表示\\構成".encode("shift_jis")
    assert b"\\" in "表".encode("shift_jis")
    path = raw_file(tmp_path / "a.dcm", element(0x00080005, "CS", b"ISO_IR 13"), element(0x00180010, "LO", raw))
    values = read_headers([path], {"agent": "ContrastBolusAgent"})["agent"].to_pylist()
    assert values == ["表示\\構成"]


def test_an_item_has_its_own_charset_and_lends_it_to_what_is_in_it(tmp_path: Path) -> None:
    def item(*elements: bytes) -> bytes:
        content = b"".join(elements)
        return b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content

    def code(text: bytes, *before: bytes) -> bytes:
        return item(*before, element(0x00080104, "LO", text))

    greek, cyrillic = element(0x00080005, "CS", b"ISO_IR 126"), element(0x00080005, "CS", b"ISO_IR 144")
    inner = element(0x00081111, "SQ", code("Ηρα".encode("iso8859_7")))
    outer = element(0x00081032, "SQ", code("Zoë".encode("latin-1")) + code("Ив".encode("iso8859_5"), cyrillic)
                    + item(greek, inner) + code("Zoë".encode("latin-1")))  # fmt: skip
    path = raw_file(tmp_path / "a.dcm", element(0x00080005, "CS", b"ISO_IR 100"), outer)
    columns = {
        "meanings": "ProcedureCodeSequence.CodeMeaning",
        "inner": "ProcedureCodeSequence.ReferencedPerformedProcedureStepSequence.CodeMeaning",
    }
    read = read_headers([path], columns, with_header=True)
    assert read["reason"].to_pylist() == [None]
    assert read["meanings"].to_pylist() == [["Zoë", "Ив", "Zoë"]]
    assert read["inner"].to_pylist() == [["Ηρα"]]
    decoded = decode_headers(read["header"], read["left_out"], columns)
    assert decoded["meanings"] == read["meanings"]
