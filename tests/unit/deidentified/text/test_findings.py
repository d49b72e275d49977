"""Each detector: a text, and what it finds there."""

import pytest
from pydicom.uid import UID_dictionary

from smi_spark.deidentified.text.findings import find_identifiers
from smi_spark.deidentified.text.rules import Rules

NONE = Rules(rules=())


def found(text: str, names: str | None = None, rules: Rules = NONE) -> list[tuple[str, str]]:
    return [(finding.detector, finding.part) for finding in find_identifiers(text, names, rules)]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("CHI 1601509456", "1601509456"),
        ("160150 9456 seen", "160150 9456"),
        ("28 07 44 2005", "28 07 44 2005"),
        ("280-744-2005", "280-744-2005"),
        ("300 1601509456 2", "1601509456"),
        ("AX_3011886032_T2", "3011886032"),
        ("160150.9456 - twin", "160150.9456"),
        ("302315926 of the old PACS", "302315926"),
        ("1601509457", "1601509457"),  # another check digit: issued since November 2025, or mistyped
        ("2902001237", "2902001237"),
    ],
)
def test_a_chi_number_is_found_however_it_is_grouped(text: str, part: str) -> None:
    assert found(text) == [("chi", part)]


@pytest.mark.parametrize(
    "text",
    [
        "1234567890",  # no day, no check digit
        "3002501234",  # 30 February
        "160150 9457",  # in groups, without the check digit
        "302315927",  # nine digits likewise
        "16015094561",
        "160150.9457",  # a time, a measure
        "16 01 50 94 of 56",
        "20189312.7", "1.3.12.2.1107.5.2.30", "1.160150.9456", "160150.9456.1",  # UIDs, versions
        "T1 30/04", "1/2 mm", "L4/5 L5/S1",
    ],
)  # fmt: skip
def test_other_digits_are_no_number_of_health(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("part", ["5483288874", "548 328 8874", "747-656-1252"])
def test_an_nhs_number_is_found_by_its_check_digit(part: str) -> None:
    assert found(f"NHS {part}.") == [("nhs", part)]


@pytest.mark.parametrize("text", ["5483288875", "548 328 8875", "5483 288 874"])
def test_digits_without_the_check_digit_or_the_groups_are_no_nhs_number(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "part",
    [
        "16/01/1950", "16.1.50", "3-2-31", "05/25/2014", "2018-03-12", "20180312", "2019_07_04", "28th July 1944",
        "July 28 1944", "12-MAR-18", "04Jul2019", "1st of May 2017", "3rd Sept, 2016", "12th August", "9 Nov",
        "JULY 2019", "Mar '19", "03/2018", "16011950", "16 / 01 / 1950", "2015-01", "31/12/99",
    ],
)  # fmt: skip
def test_a_date_is_found_however_it_is_written(part: str) -> None:
    assert found(f"since {part}, stable") == [("date", part)]


@pytest.mark.parametrize(
    "text",
    [
        "30/04",
        "6/12",
        "2016",
        "5.3.1.3",
        "20191345",
        "0.5 MAR 2",
        "2 may need repeat",
        "45/12/2019",
        "Marked 3",
        "Decub 2",
    ],
)
def test_fractions_versions_and_years_are_no_dates(text: str) -> None:
    assert found(text) == []


def test_a_moment_of_dicom_holds_a_date() -> None:
    assert found("20180312093000.000000") == [("date", "20180312")]


@pytest.mark.parametrize("part", ["EH8 9YL", "EH89YL", "g12 8qq", "SW1A 1AA", "DD1-4HN", "ZX12 3AB"])
def test_a_postcode_is_found_by_its_shape(part: str) -> None:
    assert found(f"lives {part}") == [("postcode", part)]


@pytest.mark.parametrize("text", ["B30f", "TUS-A500", "EH8 9YC", "E1 23AB", "XEH8 9YL"])
def test_other_letters_and_digits_are_no_postcode(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "part",
    ["0131 496 0123", "01314960123", "07700 900123", "+44 7700 900789", "+44 (0)141 496 0777", "(01632) 960 555",
     "020 7946 0958", "0044 131 496 0222"],
)  # fmt: skip
def test_a_telephone_number_is_found(part: str) -> None:
    assert found(f"ring {part} after 5") == [("phone", part)]


def test_a_local_number_counts_behind_a_word_that_says_so() -> None:
    assert found("tel:496 0123") == [("phone", "496 0123")]
    assert found("lot 496 0123") == []


def test_an_address_of_e_mail_is_found() -> None:
    assert found("send to <joe+scan@mail.example.com>.") == [("email", "joe+scan@mail.example.com")]


@pytest.mark.parametrize(
    "part",
    ["Dr Campbell", "Dr. A. B. Thomson", "MR MACLEOD", "Mr.Stewart", "DrJones", "Dr_Murray", "Sister Mary Henderson",
     "Professor Sir David Lane", "Ms Van der Berg", "Mrs O'Neill", "Miss K Patel"],
)  # fmt: skip
def test_a_title_is_found_with_the_name_behind_it(part: str) -> None:
    assert found(f"seen by {part}, ok") == [("title", part)]


@pytest.mark.parametrize("text", ["Miss-centred; repeat", "Sister nodule 4mm", "no dr", "HDR Boost", "Msec 4"])
def test_a_title_without_a_name_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "names", "part"),
    [
        ("seen with Drummond's sister", "DRUMMOND^ISOBEL", "Drummond's"),
        ("MacDonald waiting", "MCDONALD^JIM", "MacDonald"),
        ("JMcDonald LSPINE", "MCDONALD^JIM", "JMcDonald"),
        ("Fionas mum here", "O'HARA^FIONA", "Fionas"),
        ("KERR_LEFT_KNEE", "KERR^DAVINA", "KERR"),
        ("Mac Donald fasting", "MACDONALD^ISLA", "Mac Donald"),
        ("OHARA and son", "O'Hara^Fiona", "OHARA"),
        ("mrs Jones, tearful", "SMITH-JONES^CARA", "Jones"),
        ("Nunez speaks spanish", "NÚÑEZ^ANA MARIA", "Nunez"),
        ("STRASSER", "Straßer^Uwe", "STRASSER"),
        ("Maria cooperative", "NÚÑEZ^ANA MARIA", "Maria"),
        ("王小东 moved", "Wang^XiaoDong=王^小东", "王小东"),
        ("was Black before", "SMITH^ANN\\BLACK^ANN", "Black"),
    ],
)
def test_a_word_of_the_persons_own_name_is_found(text: str, names: str, part: str) -> None:
    assert ("name", part) in found(text, names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Marked artefact", "MARK^ANNE"),
        ("baby girl of 2", "AITKEN^BABY GIRL"),
        ("van in bay 2", "VAN DER BERG^J"),
        ("J", "X^J"),
    ],
)
def test_parts_of_words_particles_and_initials_are_no_names(text: str, names: str) -> None:
    assert found(text, names) == []


def test_findings_say_where_they_stand() -> None:
    (finding,) = find_identifiers("DOB 16/01/1950", None, NONE)
    assert finding == ("date", 4, 14, "16/01/1950")


def test_a_text_may_hold_several() -> None:
    assert found("KERR,JOHN 1601509456 G12 8QQ", "KERR^JOHN") == [
        ("name", "KERR"), ("name", "JOHN"), ("chi", "1601509456"), ("postcode", "G12 8QQ"),
    ]  # fmt: skip


@pytest.mark.parametrize("piece", ["Dr ", "A. ", "1 ", "12/", "a.b@", "@a-", "DrDr", "VAN DER ", "A'A'", "0", "jan "])
def test_a_long_text_of_one_piece_is_gone_through(piece: str) -> None:
    assert len(find_identifiers(piece * 5000, "DR^A", NONE)) <= 5000


def test_no_uid_of_the_standard_is_a_finding() -> None:
    assert len(UID_dictionary) > 400
    assert [uid for uid in UID_dictionary if find_identifiers(uid, None, NONE)] == []
