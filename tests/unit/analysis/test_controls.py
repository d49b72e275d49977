"""Controls as definitions ask for them."""

from typing import Any

import pytest

from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.permission import check_permitted
from smi_spark.analysis.project import read_project
from smi_spark.errors import ConfigError
from tests.projects import LONG, LUNG

LUNGS: dict[str, Any] = {
    "cohort": "lungs",
    "project": "lung",
    "question": "Who?",
    "images": {"modality": "CT"},
    "records": {"required": [{"table": "smr06"}]},
}
WITHOUT = {"images": {"modality": "DX"}, "records": {"excluded": [{"table": "smr01"}]}}


def ask(controls: dict[str, Any], **project: Any) -> None:
    definition = read_definition({**LUNGS, "controls": controls}, "lungs.yaml")
    check_permitted(definition, read_project(LUNG | LONG | project, "lung.yaml"), "lungs.yaml")


@pytest.mark.parametrize(
    ("controls", "told"),
    [
        ({"match": ["sex", "hight"]},
         "controls.match[1]: Input should be 'sex', 'year' or 'age'. Given: 'hight'."),
        ({"match": ["sex"], "age_within": 2},
         "controls: age_within is for ages that are matched: add age to match. "
         "It is: patients who are no cases, matched to these."),
        ({"match": ["sex"], "ratio": 0}, "controls.ratio: Input should be greater than or equal to 1. Given: 0. "
                                         "It is: controls wanted for each case."),
        ({"match": ["sex"], "from": {"modality": "CT"}},
         "controls.from.modality is not a field. Fields here: images, records."),
        ({"match": ["sex"], "from": {"images": {"modality": "CTT"}}},
         "controls.from.images.modality: CTT is not a value. "
         "Values here: CT, MR, CR, DX, US, MG, PT, NM, XA, RF, SR, OTHER. Did you mean CT?"),
        ({"match": ["sex"], "from": {"images": {"modality": "MR"}}},
         "controls.from: images.modality: MR is not permitted. lung.yaml: modalities permits CT, DX."),
        ({"match": ["sex"], "from": {"images": {"modality": "CT"}, "records": {"excluded": [{"table": "deaths"}]}}},
         "controls.from.records.excluded[0].table: deaths is not permitted. lung.yaml: records permits smr01, smr06."),
    ],
)  # fmt: skip
def test_wrong_controls_say_what_is_accepted(controls: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ask(controls)
    assert str(raised.value) == f"lungs.yaml: {told}"


def test_who_matches_by_what_the_profile_hides_would_tell_it(tmp_path: Any) -> None:
    strict = tmp_path / "strict.yaml"
    strict.write_text("profile: strict\nmeaning: Dates alone.\noptions: [retain_modified_dates]\n")
    with pytest.raises(ConfigError) as raised:
        ask({"match": ["sex", "year", "age"]}, profile=str(strict))
    assert str(raised.value).splitlines() == [
        f"lungs.yaml: controls.match looks at {column}, which the project may not have. lung.yaml: profile: {strict}."
        for column in ("age_at_study", "PatientSex")
    ]


def test_controls_are_part_of_the_cohort_and_their_records_are_read() -> None:
    plain = read_definition(LUNGS, "lungs.yaml")
    definition = read_definition({**LUNGS, "controls": {"match": ["year", "sex"], "from": WITHOUT}}, "lungs.yaml")
    assert definition.controls is not None
    assert definition.sha256() != plain.sha256()
    assert definition.record_tables() == ("smr01", "smr06")
    assert str(definition.controls) == "up to 1 control a case by sex, year"
    candidates = definition.of_candidates()
    assert candidates.images.modality == ("DX",)
    assert (len(candidates.records.required), len(candidates.records.excluded)) == (0, 1)
    again = read_definition({**LUNGS, "controls": {"match": "sex"}}, "lungs.yaml").of_candidates()
    assert (again.images, again.records.required) == (plain.images, ())
