"""How often things happen to the people of an archive: the figures of ``conf/synthetic``, each with its source."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from smi_spark.config import validate
from smi_spark.errors import InputError, unknown_name
from smi_spark.reasons import Reason
from smi_spark.resources import folder
from smi_spark.synthetic.series import SERIES
from smi_spark.yaml_file import load_yaml

DEFAULT = "small"
PROFILES = ("scotland", "small")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Section):
    """A probability, and where it is from."""

    value: Annotated[float, Field(ge=0, le=1, description="a probability, from 0 to 1")]
    source: Annotated[str, Field(min_length=1, description="what can be cited for the value, or assumed")]

    def within(self, years: int) -> float:
        """The probability within so many years of what has this one within a year."""
        return float(1 - (1 - self.value) ** years)


class People(_Section):
    moves_a_year: Annotated[Figure, Field(description="who moves to another home in the country")]
    leaves_a_year: Annotated[Figure, Field(description="who leaves the country")]
    dies_a_year: Annotated[Figure, Field(description="adults who die of something else than cancer")]
    two_numbers: Annotated[Figure, Field(description="who has two CHI numbers that were merged later")]


class Births(_Section):
    twins: Annotated[Figure, Field(description="deliveries of two babies")]


class Hospital(_Section):
    through_ae: Annotated[Figure, Field(description="emergency admissions that begin in A&E")]
    ae_alone_a_year: Annotated[Figure, Field(description="who is in A&E and goes home")]
    mental_health_a_year: Annotated[Figure, Field(description="who is admitted to a psychiatric hospital")]


class Clinics(_Section):
    after_scan: Annotated[Figure, Field(description="studies that an outpatient clinic follows")]
    returns: Annotated[Figure, Field(description="appointments that are not the first of their kind")]
    missed: Annotated[Figure, Field(description="appointments that the patient does not keep")]


class Cancer(_Section):
    a_year: Annotated[Figure, Field(description="who is found to have cancer")]
    fatal: Annotated[Figure, Field(description="who dies of it")]
    sites: Annotated[dict[str, Figure], Field(min_length=1, description="ICD-10 code of a site → its weight")]


class Studies(_Section):
    examinations: Annotated[float, Field(ge=0, description="in the first year of all, in a unit that all share")]
    growth: Annotated[float, Field(gt=-1, description="a year, afterwards; 0.05 is 5 %")]
    longer: Annotated[float, Field(ge=1, description="times as many images in a series of slices")] = 1
    source: Annotated[str, Field(min_length=1, description="what can be cited for these, or assumed")]


class Imaging(_Section):
    """How studies are spread over modalities and years; a person's share in it follows from sex and age."""

    first_year: Annotated[int, Field(description="the year of the examinations that are given")]
    studies: Annotated[dict[str, Studies], Field(min_length=1, description="modality → its studies")]

    @field_validator("studies")
    @classmethod
    def _known(cls, studies: dict[str, Studies]) -> dict[str, Studies]:
        unknown = next((modality for modality in studies if modality not in SERIES), None)
        if unknown is not None:
            raise ValueError(f"no files of {unknown} are made: give {', '.join(SERIES)}")
        return studies

    @property
    def longer(self) -> dict[str, float]:
        """Modality → how many times as many images its series of slices have."""
        return {modality: of.longer for modality, of in self.studies.items()}

    def weights(self, years: Collection[int]) -> dict[tuple[str, int], float]:
        """Modality and year → how many studies."""
        found = {}
        for modality, of in self.studies.items():
            weight = of.examinations
            for year in range(self.first_year, max(years) + 1):
                if year in years:
                    found[modality, year] = weight
                weight *= 1 + of.growth  # no power: its last digit is not the same everywhere
        return found


class Profile(_Section):
    """The figures of one archive. One that is named ``…_a_year`` is the probability within a year."""

    imaging: Imaging
    people: People
    births: Births
    hospital: Hospital
    clinics: Clinics
    cancer: Cancer
    faults: Annotated[dict[Reason, Figure], Field(description="a kind of broken file → its share of all files")]


def load_profile(name: str = DEFAULT) -> Profile:
    """The profile of that name, or of a site's own file, ``rates/ours.yaml``.

    Raises InputError for an unknown one, ConfigError that names file and field where its file is wrong.
    """
    if name.endswith(".yaml"):
        if not Path(name).is_file():
            raise InputError(
                f"There is no file {name}. Give one like those in conf/synthetic, or {', '.join(PROFILES)}."
            )
        return validate(Profile, load_yaml(Path(name)), name)
    if name not in PROFILES:
        raise InputError(unknown_name("conf/synthetic", name, "profile", PROFILES))
    path = folder("conf") / "synthetic" / f"{name}.yaml"
    return validate(Profile, load_yaml(path), str(path))
