"""CHI numbers are valid by another reckoning than the one that made them; people differ."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from smi_spark.synthetic import chi_check_digit, chi_number
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.people import Population


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.sampled_from("FM"), st.integers())
def test_a_chi_holds_birth_date_and_sex_and_passes_modulus_11(born: date, sex: str, seed: int) -> None:
    chi = chi_number(born, sex, stream(seed))
    assert (len(chi), chi[:6]) == (10, born.strftime("%d%m%y"))
    assert int(chi[8]) % 2 == (sex == "M")
    assert sum(int(digit) * weight for digit, weight in zip(chi, range(10, 0, -1), strict=True)) % 11 == 0


def test_check_digits_by_hand() -> None:
    # 0·10 + 1·9 + 0·8 + 1·7 + 5·6 + 0·5 + 1·4 + 2·3 + 3·2 = 62, 62 mod 11 = 7, 11 − 7 = 4
    assert chi_check_digit("010150123") == 4
    assert chi_check_digit("000000000") == 0
    assert chi_check_digit("000000006") == 10  # 12 mod 11 = 1: no CHI has these nine digits


def test_no_two_people_have_one_chi() -> None:
    population, day = Population(), date(1950, 6, 1)
    people = [population.new(stream(1, n), sex="F", born=(day, day)) for n in range(300)]
    assert len({person.chi for person in people}) == 300
    assert [person.number for person in people] == list(range(1, 301))


def test_a_name_can_be_written_in_the_persons_character_set() -> None:
    codecs = {"": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
    population = Population()
    people = [population.new(stream(2, n)) for n in range(200)]
    assert all(person.pn.encode(codecs[person.charset]) for person in people)
    assert any(not person.pn.isascii() for person in people)
