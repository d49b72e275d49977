"""Versions of the vocabulary beside each other."""

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
