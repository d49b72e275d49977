"""The card as a page, as Markdown and as plots: the same numbers, and none that the card hides."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from smi_spark.analysis.card.contents import IMAGES, PATIENTS, Card, from_json, make_card
from smi_spark.analysis.card.counts import Counts, Filled
from smi_spark.analysis.card.page import page
from smi_spark.analysis.card.style import STYLE
from smi_spark.analysis.card.text import text
from smi_spark.analysis.selection import Left
from smi_spark.analysis.suppression import Count
from smi_spark.errors import TableError
from tests.cards import ENTRY, a_card, counts, the_next


@pytest.fixture(scope="module")
def card() -> Card:
    return a_card()


class Reader(HTMLParser):
    """What a page fetches or runs, its words, and which elements are open at its end."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.fetched += [
            f"{tag} {name}" for name, value in attrs if name in ("src", "href") and (value or "")[:1] != "#"
        ]
        self.fetched += [tag] if tag == "script" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(card: Card) -> Reader:
    reader = Reader()
    reader.feed(page(card))
    return reader


def test_the_page_is_whole_and_fetches_and_runs_nothing(card: Card) -> None:
    reader = read(card)
    assert reader.open == []
    assert reader.fetched == []
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_it_says_what_the_card_says(card: Card) -> None:
    words = " ".join(read(card).words)
    assert "Who had a CT of the head within six months" in words
    assert "1,200 patients" in words
    assert "33,833 patients lost" in words
    assert "patients hidden" in words  # the third step lost three
    assert "≈" not in words
    assert "version 1, built 2026-11-26, approval 2026-017" in words


def test_what_is_hidden_is_nowhere(card: Card) -> None:
    hidden = {"14,374", "16,999", "2,208,900", "22,494", "300", "80,700"}  # the third step, CT of 2012, two makers
    for told in (" ".join(read(card).words), text(card), card.to_json().replace("\n", " ")):
        numbers = set(re.findall(r"(?<![\d,])\d[\d,]*(?![\d,])", told))
        assert hidden.isdisjoint(numbers)
        assert {number.replace(",", "") for number in hidden}.isdisjoint(numbers)


def test_the_card_of_a_version_that_one_person_left_is_the_one_before_and_says_so() -> None:
    words = " ".join(read(the_next()).words)
    assert "≈ 1,200 patients" in words
    assert "as the card of version 1 told it; fewer than 10 people more or less are in it now" in words
    first, second = a_card(), the_next()
    for name, table in second.tables.items():
        before = first.tables[name]
        assert table is not None
        assert before is not None
        assert {k: told.value for k, told in table.items()} == {k: told.value for k, told in before.items()}, name


def test_what_rules_count_themselves_is_not_told() -> None:
    few = ENTRY.attrition[-1]
    steps = (
        *ENTRY.attrition[:1],
        Left(2, "in the list of 1,203 ids (patient_id)", 1_200, 1_260, 180_000),
        Left(3, "with up to 2 controls a case by age within 1 year, sex: 2 for 3 cases, none for 4", *few[2:]),
    )
    card = make_card(replace(ENTRY, attrition=steps), counts(), 10)
    assert card.steps[1:] == (
        "2. in the list of ids (patient_id)", "3. with up to 2 controls a case by age within 1 year, sex",
    )  # fmt: skip
    assert "1,203" not in page(card) + text(card) + card.to_json()


def test_a_step_with_another_rule_is_told_as_the_one_before_where_few_people_lie_between() -> None:
    """Whoever has the cards of two definitions, one within the other, would know them."""
    older = (
        ENTRY.attrition[0],
        Left(2, "body part head", 14_377, 17_002, 2_209_118),
        Left(3, "age 1–90", 14_100, 16_500, 2_100_000),
        *ENTRY.attrition[3:],
    )
    wider = (older[0], older[1], Left(3, "age 0–90", 14_104, 16_504, 2_100_100), *older[3:])
    longer = (older[0], Left(2, "sex F or M", 14_800, 17_500, 2_300_000), *wider[1:])
    first = make_card(replace(ENTRY, attrition=older), counts(), 10)
    for steps, name in ((wider, "3. age 0–90"), (longer, "4. age 0–90")):
        numbered = tuple(left._replace(step=number) for number, left in enumerate(steps, start=1))
        second = make_card(replace(ENTRY, version=2, attrition=numbered), counts(), 10, [first], (0, 0))
        told = (second.tables[PATIENTS] or {})[name,]
        assert (told.value, told.version) == (14_100, 1)


def test_of_records_that_few_have_not_even_missing_values_are_told(card: Card) -> None:
    assert set(card.missing) == {"images", "records/smr01"}
    of_few = replace(counts(), linked={"smr01": 4, "prescribing": 880})
    assert set(make_card(ENTRY, of_few, 10).missing) == {"images"}


def test_many_who_came_are_told_anew() -> None:
    later = the_next(gone=20)
    assert later.version.patients is not None
    assert (later.version.patients.value, later.version.patients.version) == (1_180, None)
    assert (later.came, later.went) == (None, None)  # that nobody came would narrow what each count can have been
    both = make_card(replace(ENTRY, version=2), counts(), 10, [a_card()], (12, 32))
    assert (both.came, both.went) == (10, 30)
    assert "Patients who came since: 10 or more; who went: 30 or more." in text(both)
    assert "Patients who came since: 10 or more; who went: 30 or more." in page(both)
    assert "Patients who came since: hidden; who went: hidden." in text(later)


def test_of_a_cohort_of_few_people_not_even_their_number_is_told() -> None:
    images = {(modality, year): Count(412, 7) for modality in ("CT", "") for year in ("2020", "")}
    few = Counts(
        images=images, makers={"GE": Count(412, 7)}, people={("female", "40–49", "White", "2"): 7}, population=None,
        day=date(2020, 7, 1), linked={"smr01": 7}, coverage={("images", "2020"): 7},
        filled={"images": Filled(412, {"KVP": 400})},
    )  # fmt: skip
    card = make_card(replace(ENTRY, attrition=(Left(1, "CT images", 7, 8, 412),)), few, 10)
    for told in (" ".join(read(card).words), text(card)):
        assert set(re.findall(r"\b(?:7|8|412)\b", told.partition("How to read")[0])) == set()
        assert "hidden" in told


def test_markdown_has_a_table_for_each_part(card: Card) -> None:
    written = text(card)
    assert "| 4. prescribing: BNF 0208020V0, from -6 months until 0 days | 1,962 | 2,210 | 309,417 |" in written
    assert "| 2012 | hidden | hidden | 22,506 |" in written
    assert "| White | 1,170 | 98 % | 96 % |" in written
    assert "| `KVP` | 33–34 % |" in written


def test_numbers_are_read_back_as_they_were_written(card: Card) -> None:
    assert from_json(card.to_json()) == card


def test_plots_have_a_bar_for_what_is_told_and_a_word_for_what_is_hidden(card: Card) -> None:
    axes = card.plots.ethnic_groups().axes[0]
    bars = {label.get_text(): bar.get_width() for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)}
    assert bars == {"African": 0, "Asian": pytest.approx(1.4, abs=0.1), "White": pytest.approx(97.5), "unknown": 0}
    assert [note.get_text() for note in axes.texts] == ["hidden", "hidden"]
    (line,) = [line for line in card.plots.images().axes[0].lines if line.get_label() == "CT"]
    assert [str(y) for y in line.get_ydata()[:3]] == ["nan", "nan", "22500.0"]
    assert len(card.plots.attrition().axes[0].patches) == 5
    assert len(card.plots.age_sex().axes[0].patches) == 20
    assert card.plots.deprivation().axes[0].patches
    assert card.plots.makers().axes[0].patches


def test_a_plot_of_nothing_that_may_be_told_is_refused(card: Card) -> None:
    few = replace(card, tables={**card.tables, IMAGES: None})
    with pytest.raises(TableError, match="tells nothing of images: too few people are in it"):
        few.plots.images()
    assert "Too few people are in it" in page(few)


def luminance(colour: str) -> float:
    """Relative luminance of a colour. Source: WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_and_bars_stand_out_from_their_ground_in_light_and_in_dark() -> None:
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")[:2]
    for theme in (light, dark):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme))
        for ground in ("ground", "panel"):
            for ink in ("text", "quiet", "mine", "all"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
            assert contrast(colours["edge"], colours[ground]) >= 3
        # The darkest shade of a cell of images: 35 % of the tint.
        tint = [int(n) for n in re.findall(r"--tint: (\d+) (\d+) (\d+)", theme)[0]]
        ground_rgb = [int(colours["ground"][k : k + 2], 16) for k in (1, 3, 5)]
        mixed = [round(0.35 * t + 0.65 * g) for t, g in zip(tint, ground_rgb, strict=True)]
        assert contrast(colours["text"], "#{:02x}{:02x}{:02x}".format(*mixed)) >= 4.5
