"""Rules that a person's decisions on texts become."""

import re
import stat
from pathlib import Path

import pytest

from smi_spark.deidentified.text.decisions import pattern_of, put_rule
from smi_spark.deidentified.text.findings import find_identifiers
from smi_spark.deidentified.text.rules import read_rules

COLUMN = "SeriesDescription"


def found(folder: Path, text: str, column: str = COLUMN) -> list[str]:
    return [finding.detector for finding in find_identifiers(text, None, read_rules(folder).of_column(column))]


def test_a_text_that_is_kept_has_no_finding_more_nor_have_those_of_the_same_shape(tmp_path: Path) -> None:
    assert found(tmp_path, "Spi 12.05.18 B30f") == ["date"]
    decided = put_rule(tmp_path, COLUMN, "Spi 12.05.18 B30f", frozenset({"date"}), keep=True)
    assert str(decided) == (
        f"rule 'keep SeriesDescription 1' written to {tmp_path}/decided.yaml. Review again, and adopt what passes."
    )
    assert found(tmp_path, "Spi 12.05.18 B30f") == found(tmp_path, "Spi 11.06.19 B31f") == []
    assert found(tmp_path, "Spi 12.05.18 B30f of 12.05.18") == ["date", "date"]
    assert found(tmp_path, "Spi 12.05.18 B30f", "ProtocolName") == ["date"]


def test_a_number_of_somebody_is_kept_as_it_is_and_no_other(tmp_path: Path) -> None:
    put_rule(tmp_path, COLUMN, "phantom 1601509456", frozenset({"chi"}), keep=True)
    assert found(tmp_path, "phantom 1601509456") == []
    assert found(tmp_path, "phantom 1601509455") == ["chi"]


def test_a_text_that_is_dropped_is_a_finding_under_the_rules_name(tmp_path: Path) -> None:
    put_rule(tmp_path, COLUMN, "MacTavish 2", keep=False)
    assert found(tmp_path, "MacTavish 7") == ["drop SeriesDescription 1"]
    assert found(tmp_path, "MacTavish 7 T2") == []


def test_a_decision_takes_the_place_of_the_opposite_one_and_stands_once(tmp_path: Path) -> None:
    kept = put_rule(tmp_path, COLUMN, "TE 9 Nov (a+b)", frozenset({"date"}), keep=True)
    assert not put_rule(tmp_path, COLUMN, "TE 9 Nov (a+b)", frozenset({"date"}), keep=True).is_new
    put_rule(tmp_path, COLUMN, "Other", keep=False)
    put_rule(tmp_path, COLUMN, "TE 9 Nov (a+b)", keep=False)
    assert [rule.name for rule in read_rules(tmp_path).rules] == [
        "drop SeriesDescription 1", "drop SeriesDescription 2",
    ]  # fmt: skip
    assert "drop SeriesDescription 2" in found(tmp_path, "TE 9 Nov (a+b)")
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600, "a text that is dropped may say who somebody is"


@pytest.mark.parametrize("text", ["CT (5.0) [x] a|b", "a\\b{2}", "Ümlaut 3 #", "tab\there"])
def test_the_pattern_of_a_text_is_found_in_it_alone(text: str) -> None:
    for exact in (True, False):
        assert re.search(pattern_of(text, exact=exact), text)
        assert not re.search(pattern_of(text, exact=exact), text + "x")
