"""Precision and recall of the detectors of identifiers in text, on texts that were labelled by hand.

    python benchmarks/text.py [--labels FILE …] [--save benchmarks/results/text.txt]

A labelled part counts as found where one finding of its kind covers it; a finding counts as right where it touches a
labelled part of its kind. What no detector answers for (``tests/labels/README.md``) is listed apart.
"""

import argparse
import csv
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headers import machine

from smi_spark.deidentified.text.findings import DETECTORS, Finding, find_identifiers
from smi_spark.deidentified.text.rules import Rules, shipped_rules

LABELS = Path(__file__).parents[1] / "tests" / "labels"
FILES = {
    "text.csv": "labelled before there was a detector, in sight of which the rules were written",
    "harder.csv": "labelled to be hard on the detectors, which were then widened on it",
    "unseen.csv": "labelled last, on which nothing was changed",
}
TIMES = 50  # how often the texts are gone through for the rate
NUMBER = "number"  # what rules of conf/text report are numbers of a hospital


@dataclass(frozen=True)
class Labelled:
    """A text with its labels: kind, start, end."""

    column: str
    text: str
    names: str
    labels: tuple[tuple[str, int, int], ...]

    def findings(self, rules: Rules) -> list[Finding]:
        return find_identifiers(self.text, self.names or None, rules.of_column(self.column))


@dataclass
class Score:
    """Of one kind: labelled parts found and missed, findings that are right and wrong."""

    found: int = 0
    missed: int = 0
    right: int = 0
    wrong: int = 0
    texts: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        labelled, reported = self.found + self.missed, self.right + self.wrong
        precision = f"{self.right / reported:9.1%}" if reported else f"{'-':>9}"
        recall = f"{self.found / labelled:9.1%}" if labelled else f"{'-':>9}"
        return f"{labelled:9} {self.found:6} {reported:9} {self.wrong:6} {precision} {recall}"


def read_labels(path: Path) -> list[Labelled]:
    """The texts in a CSV file of ``column``, ``text``, ``names``, ``found``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Labelled(row["column"], row["text"], row["names"], tuple(_places(row["text"], row["found"])))
            for row in csv.DictReader(file)
        ]


def score(texts: Sequence[Labelled], rules: Rules) -> dict[str, Score]:
    """Scores by kind."""
    scores: dict[str, Score] = {}
    for text in texts:
        findings = text.findings(rules)
        for kind, start, end in text.labels:
            hit = any(_kind(f) == kind and f.start <= start and end <= f.end for f in findings)
            one = scores.setdefault(kind, Score())
            one.found, one.missed = one.found + hit, one.missed + (not hit)
            if not hit:
                one.texts.append(f"{kind} missed: {text.text}")
        for f in findings:
            right = any(kind == _kind(f) and f.start < end and start < f.end for kind, start, end in text.labels)
            one = scores.setdefault(_kind(f), Score())
            one.right, one.wrong = one.right + right, one.wrong + (not right)
            if not right:
                one.texts.append(f"{_kind(f)} wrongly: {text.text}")
    return scores


def report(texts: Sequence[Labelled], rules: Rules, *, with_texts: bool = False) -> list[str]:
    """The table of scores, whole texts let through or held back, and with ``with_texts`` each that went wrong."""
    scores = score(texts, rules)
    lines = [f"  {'':12} {'labelled':>9} {'found':>6} {'reported':>9} {'wrong':>6} {'precision':>9} {'recall':>9}"]
    lines += [f"  {kind:12} {scores.get(kind, Score())}" for kind in DETECTORS]
    total = Score()
    for kind in DETECTORS:
        for name in ("found", "missed", "right", "wrong"):
            setattr(total, name, getattr(total, name) + getattr(scores.get(kind, Score()), name))
    lines.append(f"  {'all of these':12} {total}")
    lines += [f"  {kind:12} {one}   no detector" for kind, one in sorted(scores.items()) if kind not in DETECTORS]
    held = {text: bool(text.findings(rules)) for text in texts}
    bad, clean = [t for t in texts if t.labels], [t for t in texts if not t.labels]
    lines.append(
        f"  whole texts: {sum(held[t] for t in bad)} of {len(bad)} with an identifier of any kind held back, "
        f"{sum(not held[t] for t in clean)} of {len(clean)} clean ones let through"
    )
    return [*lines, *(f"    {text}" for one in scores.values() for text in one.texts if with_texts)]


def rate(texts: Sequence[Labelled], rules: Rules) -> str:
    """Distinct texts a second on one core."""
    start = time.perf_counter()
    for _ in range(TIMES):
        for text in texts:
            find_identifiers(text.text, text.names or None, rules)
    return f"{TIMES * len(texts) / (time.perf_counter() - start):,.0f} distinct texts a second on one core"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, nargs="+", default=[LABELS / name for name in FILES], metavar="FILE")
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    command, cores, _ = machine()
    lines = [command, cores.split(";")[0], f"Python {platform.python_version()}"]
    rules, everything = shipped_rules(), []
    for path in options.labels:
        texts = read_labels(path)
        everything += texts
        bad = sum(bool(text.labels) for text in texts)
        lines += ["", f"{path.name}, {FILES.get(path.name, 'given')}: {len(texts)} texts, {bad} with identifiers"]
        lines += ["", "  without any rule of a site", *report(texts, Rules(rules=()))]
        lines += ["", "  with the rules of conf/text", *report(texts, rules, with_texts=True)]
    lines += ["", rate(everything, rules.of_column("SeriesDescription"))]
    print("\n".join(lines))
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _kind(finding: Finding) -> str:
    return finding.detector if finding.detector in DETECTORS else NUMBER


def _places(text: str, found: str) -> list[tuple[str, int, int]]:
    labels = [label.split(":", 1) for label in found.split(";") if label]
    return [(kind, text.index(part), text.index(part) + len(part)) for kind, part in labels]


if __name__ == "__main__":
    main()
