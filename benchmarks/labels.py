"""How often the rules of labels are right: on real series labelled by hand, and on generated ones, apart.

    python benchmarks/labels.py [--save FILE]

Real: ``tests/labels/series.csv`` over ``../shared/data/dicom``, one half of whose repositories the rules were tuned on
and the other not. Generated: series of the synthetic archive, whose plan says what they are; once more without their
texts, from tags alone.
"""

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smi_spark.deidentified.label_rows import labels_of
from smi_spark.dicom import read_headers
from smi_spark.synthetic.courses import Block, plan_block
from smi_spark.synthetic.files import encode, series_images
from smi_spark.synthetic.profile import load_profile
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.studies import Study

ROOT = Path(__file__).parents[1]
LABELLED = ROOT / "tests" / "labels" / "series.csv"
DICOM = ROOT.parent / "shared" / "data" / "dicom"
PATIENTS, SEED = 200, 11
COLUMNS = {
    "body_part": "body_part_label", "mr_sequence": "mr_sequence_label", "ct_kind": "ct_kind_label",
    "plane": "plane_label", "contrast": "contrast_label", "capture": "capture_label",
    "manufacturer": "manufacturer_label", "original": "is_original",
}  # fmt: skip
TEXTS = ("StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription",
         "PerformedProcedureStepDescription", "BodyPartExamined")  # fmt: skip
_HOW = (
    "Real series were labelled by hand before there were rules. The rules come from the standard's lists and what",
    "vendors write, and were then changed by the faults of the tuned half alone; their author had seen the headers of",
    "both. The halves are of whole repositories. Generated series name their kind in words: right there says little.",
)
RISKY = ("high", "possible")
_ORIGINAL = {True: "yes", False: "no", None: "unknown"}
_KINDS = {
    "Scout": {"ct_kind": "scout", "original": "yes", "plane": "sagittal"},
    "Axial 5.0": {"ct_kind": "axial", "original": "yes", "plane": "axial"},
    "CTAC": {"ct_kind": "axial", "original": "yes", "plane": "axial"},
    "PET AC": {"original": "yes", "plane": "axial"},
    "Localizer": {"mr_sequence": "localiser", "original": "yes"},
    "T1 SE": {"mr_sequence": "T1", "original": "yes"},
    "T2 TSE": {"mr_sequence": "T2", "original": "yes"},
    "DWI": {"mr_sequence": "DWI", "original": "yes"},
    "CT thin": {"ct_kind": "axial", "original": "yes", "plane": "axial"},
    "MR thin": {"mr_sequence": "T1", "original": "yes"},
}
_CAPTURES = {
    Content.DOSE_REPORT: "dose",
    Content.DOSE_SCREEN: "dose",
    Content.CAPTURE: "screen save|secondary capture",
}
_MAKERS = {"GE": "GE", "SIEMENS": "Siemens", "PHILIPS": "Philips", "CANON": "Canon", "HOLOGIC": "Hologic"}


class Score(NamedTuple):
    """Series by what became of one label: ``known`` are those whose label a person (or the plan) could tell."""

    known: int
    right: int
    wrong: int
    left_unknown: int
    told_unknowable: int  # labelled by a rule where a person could not

    @property
    def accuracy(self) -> float:
        """Share of the known series that are labelled rightly."""
        return self.right / self.known if self.known else 1.0

    @property
    def unknown_rate(self) -> float:
        """Share of the known series that are left unknown."""
        return self.left_unknown / self.known if self.known else 0.0


class Labelled(NamedTuple):
    """One series: what it is, by the names of COLUMNS; several right answers are parted by ``|``."""

    truth: Mapping[str, str]
    row: Mapping[str, Any]


def main() -> None:
    from ingest import told_machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    lines = [*told_machine(), "", *_HOW, *_told()]
    print("\n".join(lines))
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


def real(half: str) -> list[Labelled]:
    """The series of a half (``tuned``, ``held out``) that were labelled by hand."""
    with LABELLED.open(encoding="utf-8", newline="") as file:
        truths = [row for row in csv.DictReader(file) if row["half"] == half]
    rows = read_headers([DICOM / row["file"] for row in truths]).to_pylist()
    return [Labelled(*pair) for pair in zip(truths, rows, strict=True)]


def generated(patients: int = PATIENTS) -> list[Labelled]:
    """One image of each series of a synthetic archive, with what its plan says."""
    lives = plan_block(load_profile(), Block(0, 0, patients), SEED)
    planned = [(study, series) for life in lives for study in life.studies for series in study.series]
    with tempfile.TemporaryDirectory(prefix="labels-") as folder:
        names = [Path(folder, f"{number}.dcm") for number in range(len(planned))]
        for name, (study, series) in zip(names, planned, strict=True):
            (image,) = series_images(study, series, SEED, [1])
            name.write_bytes(encode(image))
        rows = read_headers(names).to_pylist()
    return [Labelled(_planned(*one), row) for one, row in zip(planned, rows, strict=True)]


def without_texts(series: Iterable[Labelled]) -> list[Labelled]:
    """The same series as scanners write them that leave texts out."""
    return [Labelled(truth, {**row, **dict.fromkeys(TEXTS)}) for truth, row in series]


def scores(series: Iterable[Labelled]) -> dict[str, Score]:
    """The score of each label that one of the series can have."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in COLUMNS}
    for truth, row in series:
        labels = labels_of(row)
        labels["is_original"] = _ORIGINAL[labels["is_original"]]
        for name, column in COLUMNS.items():
            if truth.get(name):
                counts[name][_outcome(truth[name], labels[column])] += 1
    return {
        name: Score(found["right"] + found["wrong"] + found["unknown"], found["right"], found["wrong"],
                    found["unknown"], found["told"])
        for name, found in counts.items() if found
    }  # fmt: skip


def risks(series: Iterable[Labelled]) -> dict[str, tuple[int, int, int, int]]:
    """Of text and of faces: series that show it and how many of them are flagged, the others and how many of them."""
    found = [(truth, labels_of(row)) for truth, row in series]
    counts = {}
    for name, column in (("text", "burned_in_risk"), ("face", "face_risk")):
        flagged = {shown: [labels[column] in RISKY for truth, labels in found if truth[name] == shown]
                   for shown in ("yes", "no")}  # fmt: skip
        counts[name] = (len(flagged["yes"]), sum(flagged["yes"]), len(flagged["no"]), sum(flagged["no"]))
    return counts


def _outcome(truth: str, label: str) -> str:
    if truth == "unknown":
        return "agreed" if label == "unknown" else "told"
    if label == "unknown":
        return "unknown"
    return "right" if label in truth.split("|") else "wrong"


def _planned(study: Study, series: Series) -> dict[str, str]:
    told = {"capture": _CAPTURES.get(series.content, "none"), "manufacturer": _MAKERS[study.scanner.family]}
    return {"body_part": study.body_part} | told | _KINDS.get(series.kind, {})


def _told() -> Iterator[str]:
    if DICOM.is_dir():
        for half in ("tuned", "held out"):
            series = real(half)
            yield from _table(f"real, {half}: {len(series)} series", series)
            for name, (shown, flagged, others, too) in risks(series).items():
                yield f"  {name:14} shown by {shown}, flagged {flagged}; not shown by {others}, flagged {too}"
    else:
        yield "real: not measured, ../shared/data/dicom is not here"
    series = generated()
    yield from _table(f"generated, {PATIENTS} patients, seed {SEED}: {len(series)} series", series)
    yield from _table("generated, without their texts", without_texts(series))


def _table(title: str, series: Iterable[Labelled]) -> Iterator[str]:
    yield ""
    yield title
    yield f"  {'label':14} {'known':>6} {'right':>6} {'wrong':>6} {'unknown':>8} {'accuracy':>9} {'unknown rate':>13}"
    for name, score in scores(series).items():
        told = f"; {score.told_unknowable} told that a person could not" if score.told_unknowable else ""
        yield (
            f"  {name:14} {score.known:6} {score.right:6} {score.wrong:6} {score.left_unknown:8}"
            f" {score.accuracy:9.1%} {score.unknown_rate:13.1%}{told}"
        )


if __name__ == "__main__":
    main()
