"""Versions of the vocabulary beside each other."""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from smi_spark.deidentified.profile import Replacements, apply, load_profile
from smi_spark.deidentified.text.vocabulary import NO_TEXTS, Vocabulary, differing

IMAGES = "images"


def version(number: int, **texts: set[str]) -> Vocabulary:
    return Vocabulary(number, {(IMAGES, column): frozenset(found) for column, found in texts.items()})


def test_texts_differ_that_not_all_versions_have() -> None:
    first = version(1, StudyDescription={"CT HEAD", "CT NECK"}, ProtocolName={"AX"})
    second = version(2, StudyDescription={"CT HEAD", "CT CHEST"}, SeriesDescription={"COR"}, ProtocolName={"AX"})
    assert differing([second, first]).texts == {
        (IMAGES, "StudyDescription"): {"CT NECK", "CT CHEST"}, (IMAGES, "SeriesDescription"): {"COR"},
        (IMAGES, "ProtocolName"): frozenset(),
    }  # fmt: skip
    third = version(3, StudyDescription={"CT HEAD"}, ProtocolName={"AX"}, SeriesDescription={"COR"})
    assert differing([third, first, second]).texts[IMAGES, "StudyDescription"] == {"CT NECK", "CT CHEST"}
    assert differing([first, NO_TEXTS]).texts == first.texts


def test_a_data_set_keeps_the_texts_that_the_vocabulary_has_in_their_columns() -> None:
    given = version(1, StudyDescription={"CT HEAD"}, RequestedProcedureDescription={"CT HEAD"}, ProtocolName={"AX"})
    dataset, asked = Dataset(), Dataset()
    asked.RequestedProcedureDescription, asked.ScheduledProcedureStepDescription = "CT HEAD", "CT HEAD"
    dataset.StudyDescription, dataset.SeriesDescription, dataset.ProtocolName = " CT HEAD ", "CT HEAD", "AX for Jane"
    dataset.RequestAttributesSequence = Sequence([asked])

    replaced = Replacements("9f3a", str, text=given.judge(), date=lambda day: day)
    result = apply(dataset, load_profile("project"), replaced)

    assert (result.StudyDescription, "SeriesDescription" in result) == ("CT HEAD", False)
    assert result.ProtocolName == "ANONYMISED"
    (request,) = result.RequestAttributesSequence
    assert [(element.keyword, element.value) for element in request] == [("RequestedProcedureDescription", "CT HEAD")]
    assert "StudyDescription" not in apply(
        dataset, load_profile("project"), Replacements("9f3a", str, text=NO_TEXTS.judge(), date=lambda day: day)
    )
