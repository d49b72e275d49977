"""The card of a cohort, as Chromium draws it: wide and narrow, light and dark."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from smi_spark.analysis.card.page import page
from tests.cards import a_card
from tests.cluster.chromium import drawn, said

pytestmark = pytest.mark.browser

# The card in a frame as wide as a telephone, as Chromium has no window so narrow; it says how wide its content is.
NARROW = """<body style="margin:0;overflow:hidden">
<iframe src="card.html" width="390" height="900" style="border:0"
onload="document.title = this.contentDocument.documentElement.scrollWidth"></iframe>"""
TITLE = "demo/head_ct_after_drug_then_admitted, version 1"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    made = tmp_path / "card.html"
    made.write_text(page(a_card()), encoding="utf-8")
    return made


def test_it_opens_without_a_word_on_the_console(card: Path, tmp_path: Path) -> None:
    assert said(card, tmp_path) == []
    broken = tmp_path / "broken.html"
    broken.write_text("<script>nothing.here()</script>")
    assert "Uncaught ReferenceError" in said(broken, tmp_path)[0]  # which is how an error would be seen
    assert TITLE in drawn(card, tmp_path, "--dump-dom")


@pytest.mark.parametrize("width", [500, 1200])
def test_bars_of_cohort_and_population_are_to_be_seen_at_both_widths(card: Path, tmp_path: Path, width: int) -> None:
    picture = tmp_path / "card.png"
    drawn(card, tmp_path, f"--screenshot={picture}", f"--window-size={width},4200")
    pixels = matplotlib.image.imread(picture)
    assert pixels.shape[:2] == (4200, width)
    for colour in ((0x31, 0x68, 0x8E), (0xA6, 0x48, 0x0F)):
        seen = (abs(pixels[..., :3] - np.array(colour) / 255) < 0.02).all(axis=-1)
        assert seen.sum() > 500
    assert (pixels[:, -6:, :3] > 0.99).all()  # nothing runs out of the page


def test_it_is_as_narrow_as_a_telephone(card: Path, tmp_path: Path) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(NARROW)
    assert "<title>390</title>" in drawn(frame, tmp_path, "--dump-dom", "--allow-file-access-from-files")


def test_in_the_dark_it_is_dark(card: Path, tmp_path: Path) -> None:
    picture = tmp_path / "card.png"
    dark = "--blink-settings=preferredColorScheme=0"
    drawn(card, tmp_path, f"--screenshot={picture}", "--window-size=1000,800", dark)
    assert matplotlib.image.imread(picture)[:20, :20, :3].max() < 0.15
