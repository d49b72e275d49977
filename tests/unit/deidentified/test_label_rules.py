"""What is said of a file of rules that does not read."""

from pathlib import Path

import pytest

from smi_spark.deidentified.label_rules import Labeller, read_labeller, read_risks
from smi_spark.errors import ConfigError

RULE = "{name: long_echo, label: T2, when: {EchoTime: {at_least: 70}}}"


def written(folder: Path, rules: str, more: str = "") -> Path:
    path = folder / "rules.yaml"
    path.write_text(f"column: mr_sequence_label\n{more}\nrules: [{rules}]\n", encoding="utf-8")
    return path


def test_a_rule_reads_with_its_defaults(tmp_path: Path) -> None:
    labeller = read_labeller(written(tmp_path, RULE, "modalities: [MR]\ntext: [SeriesDescription]"))

    rule = labeller.rules[0]
    assert labeller == Labeller("mr_sequence_label", (rule,), "unknown", ("MR",), ("SeriesDescription",))
    assert (rule.name, rule.label, rule.confidence, rule.when["EchoTime"].at_least) == ("long_echo", "T2", "high", 70)


@pytest.mark.parametrize(
    ("rules", "more", "expected"),
    [
        ("{name: a, label: T2, when: {EcoTime: {at_least: 70}}}", "",
         "rule a: EcoTime is not a column of schemas/images.yaml. Did you mean EchoTime?"),
        ("{name: a, label: T2, when: {EchoTime: {any_of: [T2]}}}", "",
         "rule a: EchoTime is double, not text. Ask for at_least, at_most or present of it."),
        ("{name: a, label: T2, when: {ImageType: {at_most: 3}}}", "",
         "rule a: ImageType is array<string>, not a number. Ask for any_of, all_of, none_of or words of it."),
        ("{name: a, label: T2, when: {ImageType: {}}}", "",
         "rule a: nothing is asked of ImageType. "
         "Ask for any_of, all_of, none_of, words, at_least, at_most, present."),
        (f"{RULE}, {RULE}", "", "long_echo is the name of several rules. Rename all but one."),
        (RULE, "text: [SeriesDescripton]",
         "text: SeriesDescripton is not a column of text in schemas/images.yaml. Did you mean SeriesDescription?"),
        (RULE, "modality: [MR]",
         "modality is not a field. Fields here: otherwise, rules, column, modalities, text. Did you mean modalities?"),
        ("{name: a, label: T2, when: {EchoTime: {at_lest: 70}}}", "", "at_lest is not a field."),
        ("{name: a, label: T2, when: {text: {words: ['(t2']}}}", "", "(t2 is not a regular expression"),
        ("{name: a, label: T2, confidence: sure, when: {EchoTime: {at_least: 70}}}", "",
         "rules[0].confidence: Input should be 'high', 'medium' or 'low'. Given: 'sure'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, rules: str, more: str, expected: str) -> None:
    path = written(tmp_path, rules, more)
    with pytest.raises(ConfigError) as error:
        read_labeller(path)
    assert str(error.value).startswith(f"{path}: ")
    assert expected in str(error.value)


def test_a_risk_may_ask_for_labels_and_no_other_rule_may(tmp_path: Path) -> None:
    rule = "{name: a, label: low, when: {plane_label: {any_of: [axial]}}}"
    path = tmp_path / "risks.yaml"
    path.write_text(
        f"burned_in: {{otherwise: low, rules: []}}\nface: {{otherwise: low, rules: [{rule}]}}\n", encoding="utf-8"
    )

    assert [risk.column for risk in read_risks(path)] == ["burned_in_risk", "face_risk"]
    with pytest.raises(ConfigError, match=r"rule a: plane_label is not a column of schemas/images\.yaml"):
        read_labeller(written(tmp_path, rule))


def test_a_risk_is_one_of_four(tmp_path: Path) -> None:
    path = tmp_path / "risks.yaml"
    path.write_text("burned_in: {otherwise: hihg, rules: []}\nface: {rules: []}\n", encoding="utf-8")

    with pytest.raises(ConfigError) as error:
        read_risks(path)
    assert str(error.value) == (
        f"{path}: hihg is not a risk. Risks here: none, low, possible, high. Did you mean high?"
    )


def test_a_label_without_a_column_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, RULE)
    path.write_text(path.read_text().replace("mr_sequence_label", "mr_sequnce_label"), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"mr_sequnce_label is not a column\. .* Did you mean mr_sequence_label\?"):
        read_labeller(path)
