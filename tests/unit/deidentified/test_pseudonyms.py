import hmac
import re
import uuid

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.deidentified.dates import shift_weeks
from smi_spark.deidentified.keys import project_key
from smi_spark.deidentified.pseudonyms import Domain, KeyedHash, map_distinct, pseudonym, pseudonymous_uid

KEY = bytes(range(32))
KEYS = st.binary(min_size=32, max_size=32)
# Expected values: printf "<domain>|<value>" | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("patient", "1bb888c6f62db3f1ad75913bfa1d04ff"),
        ("accession", "b6aac88535fe89213335a679b60c128b"),
    ],
)
def test_a_pseudonym_is_half_of_the_hmac_of_its_domain_and_value(domain: Domain, expected: str) -> None:
    assert pseudonym(KEY, domain, "0101031234") == expected


def test_a_uid_becomes_a_uuid_of_version_8_in_decimal() -> None:
    # the HMAC 35c258e0-8e20-7ef6-7629-ff704ec82fbd… with version and variant set
    expected = uuid.UUID("35c258e0-8e20-8ef6-b629-ff704ec82fbd")

    assert (
        pseudonymous_uid(KEY, "1.2.826.0.1") == f"2.25.{expected.int}" == "2.25.71458192010296054513970199756135739325"
    )
    assert (expected.version, expected.variant) == (8, uuid.RFC_4122)


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.2"])
def test_uids_of_the_standard_stay(uid: str) -> None:
    assert pseudonymous_uid(KEY, uid) == uid


def test_a_root_that_only_begins_like_the_standards_is_replaced() -> None:
    assert pseudonymous_uid(KEY, "1.2.840.100081.7").startswith("2.25.")


@given(key=KEYS, uid=st.from_regex(r"[0-2](\.(0|[1-9][0-9]{0,8})){1,6}", fullmatch=True))
def test_every_pseudonymous_uid_is_a_valid_uid(key: bytes, uid: str) -> None:
    made = pseudonymous_uid(key, uid)
    # PS3.5 section 9.1: at most 64 characters, components without leading zeros
    assert re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+", made)
    assert len(made) <= 64


@given(key=KEYS, value=st.text())
def test_domains_and_projects_share_no_pseudonym(key: bytes, value: str) -> None:
    domains: list[Domain] = ["patient", "uid", "accession"]
    keys = [key, project_key(key, "lung"), project_key(key, "heart")]
    assert len({pseudonym(k, domain, value) for k in keys for domain in domains}) == 9
    assert len({pseudonymous_uid(k, f"1.2.{ord(value[:1] or 'x')}") for k in keys}) == 3


@pytest.mark.parametrize(("patient", "weeks"), [("P1", -14), ("P2", 12), ("P3", 20)])
def test_a_shift_is_the_hmac_in_whole_weeks(patient: str, weeks: int) -> None:
    # the whole HMAC as a number, modulo 53, less 26
    assert shift_weeks(KEY, patient) == weeks


def test_shifts_reach_each_week_of_half_a_year_either_way_about_as_often() -> None:
    weeks = [shift_weeks(KEY, f"P{number}") for number in range(53_000)]
    often = [weeks.count(week) for week in range(-26, 27)]
    assert set(weeks) == set(range(-26, 27))
    assert 850 < min(often) <= max(often) < 1150  # 1,000 expected, ± 4.7 standard deviations


def test_each_distinct_value_is_replaced_once_and_null_stays_null() -> None:
    seen: list[str] = []

    def replace(value: str) -> str:
        seen.append(value)
        return value.upper()

    assert map_distinct(pa.array(["a", None, "b", "a"]), replace, pa.string()).to_pylist() == ["A", None, "B", "A"]
    assert seen == ["a", "b"]


@given(
    key=KEYS,
    domain=st.sampled_from(["patient", "uid", "accession"]),
    value=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
)
def test_the_hash_of_many_values_is_the_hmac_of_each(key: bytes, domain: Domain, value: str) -> None:
    expected = hmac.digest(key, f"{domain}|{value}".encode(), "sha256")
    of_many = KeyedHash(key, domain)
    assert [of_many.digest(value), of_many.digest(value)] == [expected, expected]
