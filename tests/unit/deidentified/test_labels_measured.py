"""Labels are right as often as they were when benchmarks/results/labels.txt was written."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data" / "dicom"


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_labels", ROOT / "benchmarks" / "labels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of ../shared/data/dicom are not here")
@pytest.mark.parametrize(
    ("half", "right", "wrong"),
    [
        ("tuned", {"body_part": 15, "mr_sequence": 10, "ct_kind": 1, "plane": 13, "contrast": 3, "capture": 31,
                   "manufacturer": 15, "original": 18}, {"original": 1}),
        ("held out", {"body_part": 19, "mr_sequence": 6, "ct_kind": 8, "plane": 13, "contrast": 3, "capture": 49,
                      "manufacturer": 42, "original": 46}, {"plane": 1}),
    ],
)  # fmt: skip
def test_real_series_are_labelled_as_well_as_they_were(
    measure: ModuleType, half: str, right: dict[str, int], wrong: dict[str, int]
) -> None:
    scores = measure.scores(measure.real(half))
    assert {name: score.right for name, score in scores.items() if score.right < right[name]} == {}
    assert {name: score.wrong for name, score in scores.items() if score.wrong > wrong.get(name, 0)} == {}


def test_generated_series_are_labelled_as_they_were_planned(measure: ModuleType) -> None:
    scores = measure.scores(measure.generated(patients=20))
    unknown = {name for name, score in scores.items() if score.left_unknown}
    assert {name: score.wrong for name, score in scores.items()} == dict.fromkeys(scores, 0)
    assert unknown <= {"plane", "body_part"}  # some series leave their directions out, reports what they are of
    assert scores["mr_sequence"].known > 0
    assert scores["ct_kind"].known > 0
