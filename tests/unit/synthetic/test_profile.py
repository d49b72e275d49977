"""The rates of an archive: each with its source, wrong ones named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from smi_spark.config import validate
from smi_spark.errors import ConfigError, InputError
from smi_spark.reasons import Reason
from smi_spark.resources import folder
from smi_spark.synthetic.profile import PROFILES, Figure, Imaging, Profile, Studies, load_profile
from smi_spark.yaml_file import load_yaml

MODALITIES = {"CT", "MR", "CR", "US", "MG", "PT"}
FAULTS = set(Reason) - {
    Reason.UNREADABLE, Reason.OUTSIDE_ROOT, Reason.DICOM_DIRECTORY, Reason.SET_ASIDE, Reason.REFUSED_FOLDER,
    Reason.ERASED, Reason.DEFAULT_PATIENT_ID, Reason.TWO_PATIENT_IDS, Reason.NOT_IN_MAPPING,
    Reason.WRONG_FIELD_COUNT, Reason.BAD_VALUE, Reason.MISSING_VALUE, Reason.DUPLICATE_KEY,
    Reason.TWO_IDS, Reason.TWO_PERSONS, Reason.OTHER_ID, Reason.UNFIT_ID,
}  # fmt: skip


def figures(part: object) -> Iterator[Figure | Studies]:
    if isinstance(part, Figure | Studies):
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
    assert len(found) == 18 + len(MODALITIES) + len(FAULTS)
    assert all(figure.source.startswith("assumed") or len(figure.source) > 20 for figure in found)


def test_most_figures_of_scotland_can_be_cited() -> None:
    found = list(figures(load_profile("scotland").model_copy(update={"faults": {}})))
    assert sum(figure.source.startswith("assumed") for figure in found) <= 6


@pytest.mark.parametrize("name", PROFILES)
def test_every_modality_has_its_studies_and_every_kind_of_fault_its_share(name: str) -> None:
    profile = load_profile(name)
    assert set(profile.imaging.studies) == MODALITIES
    assert set(profile.faults) == FAULTS


def test_studies_grow_from_the_year_that_is_given() -> None:
    studies = {"CT": Studies(examinations=2, growth=0.5, source="assumed")}
    imaging = Imaging(first_year=2010, studies=studies)
    assert imaging.weights([2010, 2011, 2012]) == {("CT", 2010): 2, ("CT", 2011): 3, ("CT", 2012): 4.5}


def test_an_unknown_profile_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"scottland is not a profile\. .* Did you mean scotland"):
        load_profile("scottland")


def test_a_profile_of_ones_own_is_a_file(tmp_path: Path) -> None:
    own = tmp_path / "ours.yaml"
    text = (Path(folder("conf")) / "synthetic" / "small.yaml").read_text(encoding="utf-8")
    own.write_text(text.replace("cut_short: {value: 0.0002", "cut_short: {value: 0.3"))
    profile = load_profile(str(own))
    assert profile.faults[Reason.CUT_SHORT].value == 0.3
    assert profile.faults[Reason.MALFORMED] == load_profile("small").faults[Reason.MALFORMED]
    with pytest.raises(InputError, match=r"There is no file .*none\.yaml\. Give one like those in conf/synthetic, or"):
        load_profile(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("section", "name", "figure", "told"),
    [
        ("people", "moves_a_year", {"value": 1.5, "source": "assumed"}, "people.moves_a_year.value"),
        ("people", "moves_a_year", {"value": 0.5, "source": ""}, "people.moves_a_year.source"),
        (
            "imaging",
            "studies",
            {"XC": {"examinations": 1, "growth": 0, "source": "assumed"}},
            "no files of XC are made",
        ),
        ("faults", "cut_shrt", {"value": 0.5, "source": "assumed"}, "Given: 'cut_shrt'"),
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
