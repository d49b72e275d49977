"""The rates of an archive: each with its source, wrong ones named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from smi_spark.config import load_yaml, validate
from smi_spark.errors import ConfigError, InputError
from smi_spark.resources import folder
from smi_spark.synthetic.profile import PROFILES, Figure, Profile, load_profile


def figures(part: object) -> Iterator[Figure]:
    if isinstance(part, Figure):
        yield part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from figures(getattr(part, name))
    elif isinstance(part, dict):
        for inner in part.values():
            yield from figures(inner)


@pytest.mark.parametrize("name", PROFILES)
def test_every_figure_has_a_source_that_can_be_cited_or_is_assumed(name: str) -> None:
    found = list(figures(load_profile(name)))
    assert len(found) == 18
    assert all(figure.source.startswith("assumed") or len(figure.source) > 20 for figure in found)


def test_most_figures_of_scotland_can_be_cited() -> None:
    found = list(figures(load_profile("scotland")))
    assert sum(figure.source.startswith("assumed") for figure in found) <= 4


def test_an_unknown_profile_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"scottland is not a profile\. .* Did you mean scotland"):
        load_profile("scottland")


@pytest.mark.parametrize(
    ("section", "name", "figure", "told"),
    [
        ("people", "moves_a_year", {"value": 1.5, "source": "assumed"}, "people.moves_a_year.value"),
        ("people", "moves_a_year", {"value": 0.5, "source": ""}, "people.moves_a_year.source"),
        ("births", "triplets", {"value": 0.5, "source": "assumed"}, "births.triplets is not a field"),
    ],
)
def test_a_wrong_figure_is_named(section: str, name: str, figure: dict[str, object], told: str) -> None:
    content = load_yaml(Path(folder("conf")) / "synthetic" / "small.yaml")
    content[section][name] = figure
    with pytest.raises(ConfigError, match=told):
        validate(Profile, content, "small.yaml")


def test_a_rate_a_year_within_years() -> None:
    half = Figure(value=0.5, source="assumed")
    assert [half.within(years) for years in (0, 1, 2)] == [0, 0.5, 0.75]
