"""A profile applied to a data set: a new one that holds only what the profile lets through."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from smi_spark.deidentified.profile.content import ITEM_VALUES, cap_age, concept, is_local_code, value_type
from smi_spark.deidentified.profile.definition import Action, Profile, Treatment
from smi_spark.deidentified.profile.facts import OVERLAYS, is_repeating, safe_private
from smi_spark.deidentified.profile.file import file_meta, note_method
from smi_spark.deidentified.profile.identity import Identity, identity_of, text_of
from smi_spark.deidentified.profile.replacements import Replacements
from smi_spark.deidentified.profile.values import (
    DATE_VRS,
    TEXT_VRS,
    as_defined,
    copied,
    dated,
    dummy,
    emptied,
    values,
    with_value,
    with_values,
    without_value,
)
from smi_spark.deidentified.pseudonyms import STANDARD_UIDS
from smi_spark.errors import InputError

# UIDs that name a kind of thing, never a thing of somebody's.
_KINDS = frozenset(
    {
        "CodingSchemeUID",
        "ContextUID",
        "MappingResourceUID",
        "OriginalSpecializedSOPClassUID",
        "ReferencedSOPClassUID",
        "RelatedGeneralSOPClassUID",
        "SOPClassUID",
        "SOPClassesInStudy",
        "TransferSyntaxUID",
    }
)
_NAMES = {"PatientID", "PatientName"}
_OVERLAY_VRS = {"CS", "DS", "IS", "SS", "US"}  # of what describes an overlay. Source: DICOM PS3.3 section C.9.2
# What pydicom raises where bytes are not what their VR says.
_UNREADABLE = (
    AttributeError,
    BytesLengthException,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)


def apply(dataset: Dataset, profile: Profile, given: Replacements) -> Dataset:
    """A new data set, and for a file its meta information, as the profile lets it out; ``dataset`` stays as it is.

    Elements by ``Profile.treatment``, in sequences of any depth; PatientID and PatientName are those given, but that a
    PatientID within a sequence that is another person's is emptied. A value that was to stay and says the patient's id,
    or in a text anybody's CHI number, is emptied; a private one is removed, a UID replaced. Preamble,
    application entities and whatever followed the data set are gone; PatientIdentityRemoved and the codes of the
    options stand in it. Pixels are not looked at. Write it with ``save_as(file, enforce_file_format=True)``.
    Raises InputError when the profile modifies dates and ``given`` says not how.
    Source: DICOM PS3.15 section E.1.1 (de-identifier), PS3.10 section 7.1 (file meta information).
    """
    if "retain_modified_dates" in profile.options and given.date is None:
        raise InputError(f"profile {profile.profile} modifies dates, and no shift is given. Give Replacements a date.")
    if given.date is not None:
        profile = profile.modifying_dates()
    with disable_value_validation():  # values.py judges what may stay
        patient = identity_of(_read(dataset, Tag("PatientID")))
        result = _Rules(profile, given, patient).dataset(dataset)
        result.PatientID, result.PatientName = given.patient_id, given.patient_name or given.patient_id
        if "SpecificCharacterSet" in dataset:
            result.SpecificCharacterSet = "ISO_IR 192"  # pseudonyms and cleaned texts may be in any script
        note_method(result, profile)
        if hasattr(dataset, "file_meta"):
            result.file_meta = file_meta(dataset.file_meta, result, given.uid)
    result.set_original_encoding(*dataset.original_encoding)
    return result


@dataclass(frozen=True)
class _Rules:
    profile: Profile
    given: Replacements
    patient: Identity

    def dataset(self, source: Dataset, cleaning: bool = False) -> Dataset:
        """``cleaning``: within a sequence that is cleaned, where texts may stay that pass the cleaner."""
        result = Dataset()
        for tag in sorted(source.keys()):
            for element in self.private(source, tag) if tag.is_private else self.public(source, tag, cleaning):
                result.add(element)
        return result

    def public(self, source: Dataset, tag: BaseTag, cleaning: bool) -> Iterator[DataElement]:
        treatment = self.profile.treatment(tag)
        if cleaning and treatment.why == "not listed":
            treatment = Treatment(Action.CLEAN, Action.REMOVE, "within cleaned content")
        if treatment.action is Action.REMOVE or (tag.element == 0 or tag == Tag("SpecificCharacterSet")):
            return  # group lengths are written anew; the character set is the root's
        element = _read(source, tag)
        if element is not None and is_repeating(tag.group, OVERLAYS):
            result = self.overlay(source, element, treatment)
        elif element is not None:
            result = self.treated(element, treatment.action, treatment, cleaning)
        else:
            return
        if result is not None:
            yield result

    def private(self, source: Dataset, tag: BaseTag) -> Iterator[DataElement]:
        """A safe private element after the element that names its creator.

        Source: DICOM PS3.15 section E.3.10, PS3.5 section 7.8.1.
        """
        if self.profile.treatment(tag).action is Action.REMOVE or tag.element < 0x1000:
            return
        creator = _read(source, Tag(tag.group, tag.element >> 8))
        name = str(creator.value).strip() if creator is not None and creator.VR == "LO" else ""
        listed = safe_private().get((name, f"{tag.group:04X}xx{tag.element & 0xFF:02X}"))
        element = _read(source, tag) if listed else None
        kept = self.as_given(element) if element is not None and listed == element.VR else None
        if creator is not None and kept is not None and not self.patient.is_said_by(kept):
            yield DataElement(creator.tag, "LO", name)
            yield kept

    def treated(
        self, element: DataElement, action: Action, treatment: Treatment, cleaning: bool = False
    ) -> DataElement | None:
        match action:
            case Action.REMOVE:
                return None
            case _ if element.keyword in _NAMES:
                return self.named(element)
            case Action.EMPTY:
                return emptied(element)
            case Action.DUMMY:
                return self.dummied(element)
            case Action.UID if element.VR != "SQ":
                return self.uids(element)
            case Action.CLEAN:
                cleaned = self.cleaned(element, treatment)
                return self.treated(element, treatment.otherwise, treatment) if cleaned is None else cleaned
            case _:
                return self.kept(element, treatment, cleaning)

    def kept(self, element: DataElement, treatment: Treatment, cleaning: bool) -> DataElement | None:
        if element.VR == "SQ":
            return self.sequence(element, cleaning)
        unlisted = treatment.option is None and "retain_uids" not in self.profile.options
        if element.VR == "UI" and unlisted and element.keyword not in _KINDS:
            return self.uids(element)
        return self.copied(element)

    def copied(self, element: DataElement) -> DataElement | None:
        """``as_given``, unless it says who the patient is."""
        result = self.as_given(element)
        if result is None or not self.patient.is_said_by(result):
            return result
        replaced = self.uids(result) if result.VR == "UI" else emptied(result)
        return emptied(result) if self.patient.is_said_by(replaced) else replaced

    def as_given(self, element: DataElement) -> DataElement | None:
        """The element as it is, or, of a date, as the policy has it."""
        return self.dated(element) or emptied(element) if element.VR in DATE_VRS else copied(element)

    def dated(self, element: DataElement) -> DataElement | None:
        """The element as the project's policy has dates; None, which is told, where it cannot be followed."""
        follows = self.given.date is None or self.given.partial_dates
        result = dated(element, self.given.date or _as_it_is, follows)
        if result is None:
            self.given.report(element.keyword)
        return result

    def cleaned(self, element: DataElement, treatment: Treatment) -> DataElement | None:
        if treatment.shifts:
            return self.dated(element) if element.VR in DATE_VRS else None
        if element.VR in TEXT_VRS:
            return self.text(element)
        if treatment.option == "clean_graphics" and not self.given.graphic(element):
            return None
        if element.VR == "SQ":
            return self.sequence(element, cleaning=True)
        return self.copied(element) if treatment.option == "clean_graphics" else None

    def overlay(self, source: Dataset, element: DataElement, treatment: Treatment) -> DataElement | None:
        """Overlay data that the cleaner passes, and what describes such data."""
        data = _read(source, Tag(element.tag.group, 0x3000))
        if data is None or not self.given.graphic(data):
            return None
        if element.tag.element in (0x3000, 0x4000) or element.VR in TEXT_VRS:
            return self.treated(element, treatment.action, treatment)
        return self.copied(element) if element.VR in _OVERLAY_VRS else None

    def text(self, element: DataElement) -> DataElement | None:
        texts = [self.given.text(element.keyword, str(value)) for value in values(element)]
        result = None if None in texts else with_values(element, texts)
        return None if result is None or self.patient.is_said_by(result) else result

    def uids(self, element: DataElement) -> DataElement:
        given = [str(value).strip(" \0") for value in values(element)]
        return with_values(element, [uid if uid.startswith(STANDARD_UIDS) else self.given.uid(uid) for uid in given])

    def dummied(self, element: DataElement) -> DataElement:
        if element.VR == "UI":
            return self.uids(element)
        if element.VR == "SQ":
            first = self.sequence(element, cleaning=False).value[:1]
            return with_value(element, Sequence([_all_dummies(item) for item in first]))
        return dummy(element)

    def sequence(self, element: DataElement, cleaning: bool) -> DataElement:
        items = (self.item(item, cleaning) for item in element.value)
        return DataElement(element.tag, "SQ", Sequence([item for item in items if item is not None]))

    def item(self, item: Dataset, cleaning: bool) -> Dataset | None:
        """An item of a sequence; None where it is not to stay: content items by their concept, a code within cleaned
        content where its meaning is a site's own and the judge of texts does not pass it.

        Source: DICOM PS3.15 section E.1.1 (notes on the C action), section E.3.4.
        """
        result = self.dataset(item, cleaning)  # judged by what is left of it, which is sound
        if cleaning and is_local_code(result) and self.given.text("CodeMeaning", str(result.CodeMeaning)) is None:
            return None
        kind = value_type(result)
        if not kind:
            return result
        treatment = self.profile.item_treatment(*concept(result), kind)
        if treatment.action is Action.REMOVE or not result.ConceptNameCodeSequence:
            return None
        cap_age(result)
        return self._with_item_value(result, item, treatment) if kind in ITEM_VALUES else result

    def _with_item_value(self, result: Dataset, item: Dataset, treatment: Treatment) -> Dataset | None:
        """The treatment of the item is that of its value, whatever the attribute's own is elsewhere."""
        element = _read(item, Tag(ITEM_VALUES[value_type(result)]))
        value = None if element is None else self.treated(element, treatment.action, treatment)
        if value is None:
            return None
        result.add(value)
        return result

    def named(self, element: DataElement) -> DataElement:
        """PatientID or PatientName as given; empty the id of another person than the data set is about."""
        if element.keyword == "PatientName":
            return with_value(element, self.given.patient_name or self.given.patient_id)
        is_the_patients = self.patient.is_meant(text_of(element))
        return with_value(element, self.given.patient_id) if is_the_patients else emptied(element)


def _read(source: Dataset, tag: BaseTag) -> DataElement | None:
    """The element, without a value where its bytes are not what its VR says; None where it is absent."""
    if tag not in source:
        return None
    try:
        return as_defined(source[tag])
    except _UNREADABLE:
        return without_value(tag) if dictionary_has_tag(tag) else None


def _as_it_is(day: date) -> date:
    return day


def _all_dummies(item: Dataset) -> Dataset:
    """What is left of an item, in dummies: code strings and UIDs, which were treated, stay."""
    result = Dataset()
    for element in item:
        if element.VR == "SQ":
            result.add(with_value(element, Sequence([_all_dummies(inner) for inner in element.value[:1]])))
        else:
            result.add(element if element.VR in ("CS", "UI") else dummy(element))
    return result
