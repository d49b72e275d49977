"""Rules of a site: what they take away, what they add, what is wrong in a file of them."""

from pathlib import Path

import pytest

from smi_spark.config import Config, Text
from smi_spark.deidentified.text.findings import find_identifiers
from smi_spark.deidentified.text.rules import Rule, Rules, read_rules, shipped_rules, site_rules
from smi_spark.errors import ConfigError


def found(text: str, *rules: Rule, column: str = "ImageComments") -> list[tuple[str, str]]:
    given = Rules(rules=rules).of_column(column)
    return [(finding.detector, finding.part) for finding in find_identifiers(text, rules=given)]


def test_an_ignore_rule_takes_away_what_lies_within_its_part() -> None:
    rule = Rule(name="dose", action="Ignore", pattern=r"(\S+) mGy", part=1)
    assert found("12.05.18 mGy on 12.05.18", rule) == [("date", "12.05.18")]


def test_a_finding_that_reaches_beyond_the_part_stays() -> None:
    rule = Rule(name="mr", action="Ignore", pattern=r"MR HEAD")
    assert found("MR HEAD", rule) == []
    assert found("MR HEAD SMITH", rule) == [("title", "MR HEAD SMITH")]


def test_a_report_rule_makes_its_part_a_finding_under_its_name() -> None:
    rule = Rule(name="unit number", action="Report", pattern=r"unit no (?P<number>\d+)", part="number")
    assert found("unit no 123 seen", rule) == [("unit number", "123")]


def test_a_rule_holds_for_the_columns_that_it_names_alone() -> None:
    rule = Rule(name="version", action="Ignore", column="SoftwareVersions|Model", pattern=r"\d+\.\d+\.\d+")
    assert found("12.11.05", rule, column="SoftwareVersions") == []
    assert found("12.11.05", rule, column="MySoftwareVersions") == [("date", "12.11.05")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules: [{name: a, action: Drop, pattern: x}]", r"rules.yaml: rules\[0\].action: .*Given: 'Drop'"),
        ("rules: [{name: a, action: Ignore}]", r"rules.yaml: rules\[0\].pattern is missing"),
        (
            "rules: [{name: a, action: Ignore, patern: x, pattern: x}]",
            r"rules\[0\].patern is not a field.*mean pattern",
        ),
        ("rules: [{name: a, action: Ignore, pattern: '('}]", r"rules\[0\].pattern: .*is not a regular expression"),
        ("rules: [{name: a, action: Ignore, pattern: x, part: 1}]", r"rules\[0\]: .*part 1 is no group"),
        ("rules: [{name: a, action: Report, pattern: x}, {name: a, action: Ignore, pattern: y}]", "called a is there"),
    ],
)
def test_a_wrong_rule_is_named_by_file_and_path(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_rules(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["MR BRAIN", "MR ABDOMEN AND PELVIS", "DR CHEST PA", "MS FOLLOW UP T2", "CTDIvol 12.05.18 mGy", "TE/TR 10/2000",
     "T2 2SE", "a20180312" + 23 * "b"],
)  # fmt: skip
def test_the_shipped_rules_ignore_what_archives_are_full_of(text: str) -> None:
    assert find_identifiers(text) == []


def test_mr_is_software_where_software_is_told() -> None:
    texts = ("syngo MR B19", "MR Software release:DV29.0", "MR Macleod")
    found = {
        column: [f.part for text in texts for f in find_identifiers(text, rules=shipped_rules().of_column(column))]
        for column in ("SoftwareVersions", "SeriesDescription")
    }
    assert found == {
        "SoftwareVersions": ["MR Macleod"],
        "SeriesDescription": ["MR B", "MR Software", "MR Macleod"],
    }


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("MR MACLEOD CLINIC", ("title", "MR MACLEOD CLINIC")),
        ("hosp no 1234567A", ("hospital number", "1234567A")),
        ("lives E1 1AA", ("postcode", "E1 1AA")),
    ],
)
def test_the_shipped_rules_leave_identifiers(text: str, finding: tuple[str, str]) -> None:
    assert [(f.detector, f.part) for f in find_identifiers(text, rules=shipped_rules())] == [finding]


def test_a_site_has_rules_of_its_own_beside_those_that_come_along(config: Config, tmp_path: Path) -> None:
    assert site_rules(config) == shipped_rules()
    own = config.model_copy(update={"text": Text(rules=str(tmp_path / "own"))})
    with pytest.raises(ConfigError, match=r"^text.rules: .*/own is no folder. Make it, or leave the field out.$"):
        site_rules(own)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.yaml").write_text("rules: [{name: bay, action: Report, pattern: 'bay [0-9]'}]")
    assert [rule.name for rule in site_rules(own).rules] == [*(rule.name for rule in shipped_rules().rules), "bay"]
