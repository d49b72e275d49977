"""What is not built again, told before anything is read."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from smi_spark.analysis.build import projects_key
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.project import read_project
from smi_spark.analysis.rebuild import _given, _shape
from smi_spark.analysis.registry import Column, Delivered, Registered
from smi_spark.config import Config
from smi_spark.errors import ConfigError
from tests.projects import LUNG

PLACE = "/projects/lung.yaml"
NODULES: dict[str, Any] = {"cohort": "nodules", "project": "lung", "question": "Who?", "images": {"modality": "CT"}}
DAY = datetime(2026, 11, 23, tzinfo=UTC)
NEXT = "It cannot be built again as it was: build the next version from its definition."


def built(config: Config, **values: Any) -> Registered:
    key = projects_key(config, "lung")
    entry = Registered("lung", "nodules", 2, DAY, "", "{}", "", (), (), (), key, "", "0.1", dates="shift")
    return replace(entry, **values)


def test_a_version_of_other_dates_another_key_or_without_rules_that_came_since_is_refused(config: Config) -> None:
    definition = read_definition(NODULES, "test")
    for entry, project, told in (
        (built(config), {"dates": "truncate"}, f"{PLACE}: dates: truncate, and it was built with shift."),
        (built(config, key_id="other"), {}, "it was built with project key other, which is another now."),
        (
            built(config),
            {"rejection": "standard"},
            f"{PLACE}: rejection: there are rules now, and it was built without.",
        ),
    ):
        with pytest.raises(ConfigError) as raised:
            _shape(config, entry, definition, read_project(LUNG | project, PLACE))
        assert str(raised.value) == f"lung/nodules version 2: {told} {NEXT}"


def test_columns_are_those_that_the_version_had(config: Config) -> None:
    entry = built(config, columns=(Column("images", "modality", "string"), Column("images", "patient_id", "string")))
    hidden = _shape(config, entry, read_definition(NODULES, "test"), read_project(LUNG, PLACE)).left_out
    assert "PatientSex" not in hidden["images"], "no table of that name was delivered"
    with_images = replace(entry, tables=(Delivered("images", 1, 1),))
    hidden = _shape(config, with_images, read_definition(NODULES, "test"), read_project(LUNG, PLACE)).left_out
    assert "PatientSex" in hidden["images"]
    assert {"modality", "patient_id"}.isdisjoint(hidden["images"])


def test_a_file_with_another_definition_is_refused() -> None:
    recorded = read_definition(NODULES, "test")
    assert _given(recorded, recorded, "lung/nodules version 2") is recorded
    with pytest.raises(ConfigError, match=r"^lung/nodules version 2 was built from another definition than the file"):
        _given(read_definition(NODULES | {"question": "Who else?"}, "test"), recorded, "lung/nodules version 2")
