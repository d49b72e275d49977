"""Text in pictures: where it is said to be, and nowhere else."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from smi_spark.synthetic.captures import without_text, words
from smi_spark.synthetic.files import series_files
from smi_spark.synthetic.identifiers import series_identifiers
from smi_spark.synthetic.lettering import lettered, write
from smi_spark.synthetic.series import SCREENS, Content

SEED = 3
I = """
.###.
..#..
..#..
..#..
..#..
..#..
.###.
"""  # noqa: E741


@pytest.fixture(scope="module")
def screens(kinds: Mapping[Any, Any]) -> list[tuple[Any, Any, Any]]:
    """Study, series and the file as it is read, of a screen of each kind."""
    made = [found for kind, found in kinds.items() if kind.content in SCREENS]
    return [(*both, dcmread(BytesIO(next(series_files(*both, SEED, [1]))))) for both in made]


def test_pixels_outside_the_boxes_are_as_without_the_text(screens: Any) -> None:
    for study, series, image in screens:
        changed = image.pixel_array != without_text(series)
        boxes = dict(words(study, series))
        for left, top, right, bottom in boxes.values():
            assert changed[top:bottom, left:right].mean() > 0.1
            changed[top:bottom, left:right] = False
        assert not changed.any()
        key = {(i.kind, i.text): i.box for i in series_identifiers(study, series, SEED) if i.box}
        assert key == {(word.kind, word.text): box for word, box in boxes.items() if word.kind}


def test_screens_say_that_text_is_burned_in_or_say_nothing(screens: Any, lives: Any) -> None:
    assert {image.get("BurnedInAnnotation", "") for *_, image in screens} == {"YES", ""}
    for _, series, image in screens:
        assert image.ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert image.SOPClassUID.name == "Secondary Capture Image Storage"
        assert image.Modality == ("CT" if series.content is Content.DOSE_SCREEN else "OT")


def test_no_study_of_a_head_has_a_dose_screen(lives: Any) -> None:
    studies = [study for life in lives for study in life.studies]
    with_screen = [study for study in studies if Content.DOSE_SCREEN in {series.content for series in study.series}]
    assert with_screen
    assert "head" not in {study.body_part for study in with_screen}


def test_every_name_can_be_drawn(lives: Any) -> None:
    people = [life.person for life in lives]
    assert any(not person.surname.isascii() for person in people)
    assert all(lettered(person.surname) and lettered(person.forename) for person in people)


def test_a_letter_is_drawn_dot_by_dot() -> None:
    picture = np.zeros((24, 14), np.uint8)
    assert write(picture, 2, 1, "i", 2, 9) == (2, 1, 12, 21)
    rows = [row.replace(".", "0").replace("#", "9") for row in I.split()]
    assert [[int(dot) for dot in row] for row in rows] == picture[7:21:2, 2:12:2].tolist()
    assert picture.sum() == 9 * 4 * I.count("#")


def test_an_accent_stands_above_its_letter() -> None:
    plain, accented = np.zeros((2, 10, 5), np.uint8)
    write(plain, 0, 0, "U", 1)
    write(accented, 0, 0, "Ü", 1)
    assert (plain[3:] == accented[3:]).all()
    assert accented[:2].any()
    assert not plain[:3].any()


def test_a_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a text of 33 by 30 pixels does not fit into \(40, 30\)"):
        write(np.zeros((40, 30), np.uint8), 0, 0, "AB", 3)
