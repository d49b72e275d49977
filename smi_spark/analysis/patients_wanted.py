"""What a definition wants of patients whose images it means: one study or series of each, others to compare with."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from smi_spark.analysis.conditions import as_a_set, one_or_more
from smi_spark.analysis.images_wanted import Images
from smi_spark.analysis.rules import Records, Rule
from smi_spark.analysis.windows import Part, Whole


class OnePerPatient(Part):
    """One study, or series, of each patient: all images of it that were selected, and no others."""

    set: Annotated[Literal["study", "series"], Field(description="study or series: what is kept whole")] = "study"
    keep: Annotated[Literal["first", "last", "nearest"], Field(description="first, last or nearest, by its date")]
    to: Annotated[Rule | None, Field(description="with nearest, the event: table, codes, window")] = None

    @model_validator(mode="after")
    def _has_an_event_for_nearest(self) -> "OnePerPatient":
        if (self.keep == "nearest") != (self.to is not None):
            told = "nearest needs an event" if self.keep == "nearest" else f"{self.keep} is by date alone"
            raise PydanticCustomError("one_per_patient", f"{told}: write to, as for a rule, with nearest and no other")
        if self.to is not None and (self.to.table is None or self.to.at_least or self.to.which or self.to.around):
            raise PydanticCustomError(
                "one_per_patient", "the event is any record of one table: write to with table, codes, having and window"
            )
        return self

    def __str__(self) -> str:
        return f"the {self.keep} {self.set} of each patient{f' to {self.to}' if self.to else ''}"


class Candidates(Part):
    """The images among which controls are looked for, and the records that their patients must have or not have."""

    images: Annotated[Images, Field(description="images of controls, as images of the cohort")] = Images()
    records: Annotated[Records, Field(description="records of controls, as records of the cohort")] = Records()


class Controls(Part):
    """Patients who are no cases, some for each case: alike in what is matched."""

    match: Annotated[
        tuple[Literal["sex", "year", "age"], ...],
        BeforeValidator(one_or_more),
        AfterValidator(as_a_set),
        Field(min_length=1, description="one or more of sex, year (of the study), age"),
    ]
    age_within: Annotated[Whole, Field(ge=0, le=10, description="years by which ages may differ, with age")] = 0
    ratio: Annotated[Whole, Field(ge=1, le=20, description="controls wanted for each case")] = 1
    candidates: Annotated[
        Candidates | None,
        Field(alias="from", description="images and records of controls; left out: the cohort's images, any records"),
    ] = None

    @model_validator(mode="after")
    def _has_ages_to_be_within(self) -> "Controls":
        if self.age_within and "age" not in self.match:
            raise PydanticCustomError("controls", "age_within is for ages that are matched: add age to match")
        return self

    def __str__(self) -> str:
        ages = f" within {self.age_within} years" if self.age_within else ""
        same = ", ".join(f"{key}{ages if key == 'age' else ''}" for key in self.match)
        return f"up to {self.ratio} control{'s' if self.ratio > 1 else ''} a case by {same}"
