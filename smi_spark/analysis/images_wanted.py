"""The images that a definition wants: what it may ask of an image, of each series and of each study."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from smi_spark.analysis.conditions import Conditions, OneOrMore, wrong_conditions
from smi_spark.analysis.grammar import ExpressionText
from smi_spark.analysis.id_list import IdList, read_id_list
from smi_spark.analysis.where import wrong_parts
from smi_spark.analysis.windows import Dates, Part, Whole
from smi_spark.deidentified.label_rules import (
    RISKS,
    SURE,
    UNKNOWN,
    Labeller,
    body_part_rules,
    labellers,
)
from smi_spark.errors import unknown_name
from smi_spark.schema import load_schema
from smi_spark.secure.partitions import MODALITIES, OTHER

SEXES = ("F", "M", "O")
# Fields whose value is one of some, and the columns of zone 2 that they look at.
ONE_OF = {
    "modality": "modality", "body_part": "body_part_label", "mr_sequence": "mr_sequence_label",
    "ct_kind": "ct_kind_label", "plane": "plane_label", "contrast": "contrast_label", "capture": "capture_label",
    "manufacturer": "manufacturer_label", "burned_in_risk": "burned_in_risk", "face_risk": "face_risk",
    "label_confidence": "label_confidence", "sex": "PatientSex",
}  # fmt: skip
LOOKED_AT = {**ONE_OF, "study_date": "StudyDate", "age": "age_at_study"}


class Ages(Part):
    """Whole years at the study, both ends included; 90 stands for 90 and over."""

    min: Annotated[Whole | None, Field(ge=0, le=90, description="youngest age, whole years")] = None
    max: Annotated[Whole | None, Field(ge=0, le=90, description="oldest age, whole years; 90 is 90 and over")] = None

    @model_validator(mode="after")
    def _can_match(self) -> "Ages":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("ages", f"nobody is at least {self.min} and at most {self.max}")
        return self

    def __str__(self) -> str:
        return f"{0 if self.min is None else self.min}–{90 if self.max is None else self.max}"


class Count(Part):
    """How many there must be."""

    at_least: Annotated[Whole | None, Field(ge=1, description="least number")] = None
    at_most: Annotated[Whole | None, Field(ge=1, description="greatest number")] = None

    @model_validator(mode="after")
    def _can_match(self) -> "Count":
        if self.at_least is None and self.at_most is None:
            raise PydanticCustomError("count", "nothing is asked: give at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise PydanticCustomError("count", f"nothing is at least {self.at_least} and at most {self.at_most}")
        return self

    def __str__(self) -> str:
        ends = {"at least": self.at_least, "at most": self.at_most}
        return " and ".join(f"{word} {number}" for word, number in ends.items() if number is not None)


class EachSeries(Part):
    """What each series must have of the images that are left."""

    images: Annotated[Count, Field(description="at_least and at_most, images of the series")]


class EachStudy(Part):
    """What each study must have of the series and images that are left."""

    series: Annotated[Count | None, Field(description="at_least and at_most, series of the study")] = None
    images: Annotated[Count | None, Field(description="at_least and at_most, images of the study")] = None

    @model_validator(mode="after")
    def _asks(self) -> "EachStudy":
        if self.series is None and self.images is None:
            raise PydanticCustomError("count", "nothing is asked: give series or images")
        return self


class OfAnImage(Part):
    """What an image must be; every field narrows, and one left out does not."""

    modality: Annotated[OneOrMore | None, Field(description="one or more of CT, MR …")] = None
    body_part: Annotated[OneOrMore | None, Field(description="one or more body part labels")] = None
    study_date: Annotated[Dates | None, Field(description="from and until, dates of the study")] = None
    sex: Annotated[OneOrMore | None, Field(description="one or more of F, M, O")] = None
    age: Annotated[Ages | None, Field(description="min and max, whole years at the study")] = None
    mr_sequence: Annotated[OneOrMore | None, Field(description="one or more MR sequence labels")] = None
    ct_kind: Annotated[OneOrMore | None, Field(description="one or more of axial, scout …")] = None
    plane: Annotated[OneOrMore | None, Field(description="one or more of axial, coronal …")] = None
    contrast: Annotated[OneOrMore | None, Field(description="one or more of with, without, unknown")] = None
    capture: Annotated[OneOrMore | None, Field(description="one or more capture labels; none of a scanner's image")] = (
        None
    )
    manufacturer: Annotated[OneOrMore | None, Field(description="one or more manufacturer labels")] = None
    burned_in_risk: Annotated[OneOrMore | None, Field(description="one or more of none, low, possible, high")] = None
    face_risk: Annotated[OneOrMore | None, Field(description="one or more of none, low, possible, high")] = None
    label_confidence: Annotated[OneOrMore | None, Field(description="one or more of low, medium, high")] = None
    having: Annotated[
        Conditions | None, Field(description="column of images → value, or one_of, begins_with, at_least …")
    ] = None

    def looked_at(self) -> Iterator[tuple[str, str]]:
        """Each field that is given, as written, and the column of zone 2 that it looks at."""
        yield from ((field, column) for field, column in LOOKED_AT.items() if getattr(self, field) is not None)
        yield from ((f"having.{column}", column) for column in self.having or ())


class Images(OfAnImage):
    """The images wanted: each by itself, then series by their images, then studies by their series and images."""

    any_of: Annotated[
        tuple[OfAnImage, ...] | None, Field(min_length=1, description="kinds of images, of which one is enough")
    ] = None
    none_of: Annotated[
        tuple[OfAnImage, ...] | None, Field(min_length=1, description="kinds of images that are not wanted")
    ] = None
    each_series: Annotated[EachSeries | None, Field(description="images, how many a series must have")] = None
    each_study: Annotated[EachStudy | None, Field(description="series and images, how many a study must have")] = None
    where: Annotated[
        ExpressionText | None, Field(description="a condition on the columns of an image, as in KVP > 100")
    ] = None
    from_list: Annotated[
        IdList | None, BeforeValidator(read_id_list), Field(description="a CSV of one column, ids of zone 2")
    ] = None

    def looked_at(self) -> Iterator[tuple[str, str]]:
        """As of one kind of images, those in any_of and none_of included."""
        yield from super().looked_at()
        for path, kind in self.kinds():
            yield from ((f"{path}.{field}", column) for field, column in kind.looked_at())
        yield from (("where", column) for column in (self.where.columns() if self.where else ()))

    def kinds(self) -> Iterator[tuple[str, OfAnImage]]:
        """The kinds of images in any_of and none_of, by their path."""
        for name in ("any_of", "none_of"):
            yield from ((f"{name}[{number}]", kind) for number, kind in enumerate(getattr(self, name) or ()))


def wrong_image_names(images: Images, place: str) -> Iterator[str]:
    """A line for each value that no image has, and each condition that no column of zone 2 can meet."""
    yield from _wrong_values(images, place, images.modality)
    for path, kind in images.kinds():
        if kind == OfAnImage():
            yield f"{place}.{path}: nothing is asked of it, so that it means all images. Give it a field."
        yield from _wrong_values(kind, f"{place}.{path}", kind.modality or images.modality)
    if images.where is not None:
        yield from wrong_parts(images.where, f"{place}.where")


def _wrong_values(wanted: OfAnImage, place: str, modalities: tuple[str, ...] | None) -> Iterator[str]:
    for field in ONE_OF:
        given = getattr(wanted, field)
        known = known_values(field) if given else ()
        yield from (unknown_name(f"{place}.{field}", one, "value", known) for one in given or () if one not in known)
        labelled = _labeller(ONE_OF[field]).modalities if given and field in _LABELS else ()
        if labelled and modalities and not set(labelled) & set(modalities):
            yield (
                f"{place}.{field}: only {' and '.join(labelled)} images have it, and these are "
                f"{' or '.join(modalities)}. Nothing is both."
            )
    yield from wrong_conditions(wanted.having or {}, load_schema("images"), f"{place}.having")


_LABELS = ("mr_sequence", "ct_kind", "plane", "contrast", "capture", "manufacturer")
_FIXED: dict[str, tuple[Any, ...]] = {
    "modality": (*MODALITIES, OTHER), "sex": SEXES, "burned_in_risk": RISKS, "face_risk": RISKS,
    "label_confidence": SURE,
}  # fmt: skip


def known_values(field: str) -> tuple[str, ...]:
    """What a field of ``ONE_OF`` may say; labels as ``conf/labels`` has them."""
    if field in _FIXED:
        return _FIXED[field]
    if field == "body_part":
        return (*body_part_rules(), UNKNOWN)
    labeller = _labeller(ONE_OF[field])
    return tuple(dict.fromkeys([*(rule.label for rule in labeller.rules), labeller.otherwise]))


def _labeller(column: str) -> Labeller:
    (labeller,) = (labeller for labeller in labellers() if labeller.column == column)
    return labeller
