"""The attrition of a cohort as a flow diagram: SVG that stands within a page and takes its colours from it."""

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from smi_spark.analysis.card.words import counted, lost, number
from smi_spark.analysis.suppression import Told

_WIDTH, _LETTERS, _LINE, _GAP = 360, 46, 17, 40  # as wide as a telephone, so that words stay readable there

Step = tuple[str, Told | None, Told | None, Told | None]


def flow(steps: Sequence[Step]) -> str:
    """A box for each step with what it left, and an arrow to the next with how many patients it lost."""
    parts: list[str] = []
    top = 2
    for place, (rule, patients, studies, images) in enumerate(steps):
        if place:
            parts.append(_arrow(top, lost(steps[place - 1][1], patients)))
            top += _GAP
        lines = wrap(rule, _LETTERS)
        height = _LINE * (len(lines) + 2) + 14
        further = f"{counted(studies, 'studies')}, {counted(images, 'images')}"
        parts.append(_box(top, height, lines, counted(patients, "patients"), further))
        top += height
    text = f"{len(steps)} steps, from {number(steps[0][1])} patients to {number(steps[-1][1])}" if steps else "no steps"
    return (
        f'<svg class="flow" viewBox="0 0 {_WIDTH} {top + 2}" role="img" aria-labelledby="flow-title">'
        f'<title id="flow-title">Attrition: {escape(text)}</title>{"".join(parts)}</svg>'
    )


def _box(top: int, height: int, lines: Sequence[str], patients: str, further: str) -> str:
    styled = [*(("", line) for line in lines), ("left", patients), ("quiet", further)]
    texts = [
        f'<text class="{style}" x="12" y="{top + 20 + _LINE * place}">{escape(line)}</text>'
        for place, (style, line) in enumerate(styled)
    ]
    return f'<rect x="1" y="{top}" width="{_WIDTH - 2}" height="{height}" rx="6"/>{"".join(texts)}'


def _arrow(top: int, gone: str) -> str:
    x, end = 40, top + _GAP
    return (
        f'<path d="M{x} {top}V{end - 2}M{x - 5} {end - 9}L{x} {end - 2}L{x + 5} {end - 9}"/>'
        f'<text class="quiet" x="{x + 14}" y="{top + _GAP // 2 + 5}">{escape(gone)}</text>'
    )
