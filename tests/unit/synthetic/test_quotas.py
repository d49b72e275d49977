"""The numbers of a tables-only archive, and the file of rates that they follow from."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from smi_spark import resources
from smi_spark.deidentified.label_rules import UNKNOWN, body_part_rules
from smi_spark.errors import ConfigError, InputError
from smi_spark.secure.partitions import MODALITIES
from smi_spark.synthetic.quotas import allocate, plan_tables
from smi_spark.synthetic.rates import load_rates
from smi_spark.synthetic.records import DRUGS

SHIPPED = resources.folder("conf") / "synthetic" / "tables.yaml"


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [(10, [1, 1, 1], [4, 3, 3]), (7, [0.5, 0.25, 0.25], [3, 2, 2]), (0, [1, 2], [0, 0]), (5, [0, 3], [0, 5])],
)
def test_parts_add_up(total: int, weights: list[float], parts: list[int]) -> None:
    assert allocate(total, weights) == parts


@pytest.mark.parametrize("images", [1_000, 54_321, 100_000_000])
def test_there_are_exactly_as_many_images_as_asked_for(images: int) -> None:
    plan = plan_tables(images, 7, load_rates())
    assert sum(batch.images for batch in plan.batches) == images
    studies = 0
    for batch in plan.batches:
        assert batch.first == studies
        studies += batch.studies
    assert plan.population.spacing * plan.population.imaged <= studies


def test_a_hundred_million_images_are_of_the_rates() -> None:
    plan = plan_tables(100_000_000, 1, load_rates())
    people, studies = plan.population, sum(batch.studies for batch in plan.batches)
    assert studies / people.count == pytest.approx(5.6, rel=1e-3)
    assert people.imaged / people.count == pytest.approx(0.75, rel=1e-3)
    assert people.busy / people.imaged == pytest.approx(0.01, rel=1e-3)
    ct = {batch.year: batch.studies for batch in plan.batches if batch.kind == "CT"}
    assert sorted(ct) == list(range(2010, 2024))
    assert ct[2023] / ct[2010] == pytest.approx(1.06**13, rel=0.01)
    assert {batch.kind for batch in plan.batches} == set(load_rates().modalities)


def test_the_mean_ct_and_mr_have_the_images_that_their_source_counts() -> None:
    patterns = plan_tables(1_000, 1, load_rates()).patterns
    for kind, counted in (("CT", 339_830_947 / 994_471), ("MR", 199_379_634 / 522_678)):
        assert patterns[kind].images / len(patterns[kind].studies) == pytest.approx(counted, rel=0.05)


def test_too_few_images_are_refused() -> None:
    with pytest.raises(InputError, match=r"999 images make no archive of tables\. Give 1,000 or more\."):
        plan_tables(999, 1, load_rates())


def test_the_shipped_rates_use_names_of_the_archive() -> None:
    rates = load_rates()
    assert set(rates.modalities) <= set(MODALITIES)
    for modality in rates.modalities.values():
        assert set(modality.body_parts.shares) <= {*body_part_rules(), UNKNOWN}
        assert {series.modality for shape in modality.shapes.shares for series in shape.series} <= {*MODALITIES, None}
    assert set(rates.records.prescribing.codes.shares) <= set(DRUGS)
    links = [link for table in type(rates.records).model_fields for link in getattr(rates.records, table).links]
    assert {link.modality for link in links} <= set(rates.modalities)


def _without_source(rates: dict[str, Any]) -> None:
    del rates["people"]["imaged"]["source"]


def _shares_too_large(rates: dict[str, Any]) -> None:
    rates["people"]["sex"]["shares"]["F"] = 0.9


def _born_too_late(rates: dict[str, Any]) -> None:
    rates["people"]["births"]["last"] = 2010


def _everybody_once(rates: dict[str, Any]) -> None:
    rates["people"]["examinations"]["value"] = 1.0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_source, r"people\.imaged\.source is missing"),
        (_shares_too_large, r"people\.sex: .*the shares add up to 1\.37, not to 1"),
        (_born_too_late, "births end before the first year of studies"),
        (_everybody_once, "needs two studies or more on the mean"),
    ],
)
def test_rates_that_cannot_be_are_named(tmp_path: Path, spoil: Any, said: str) -> None:
    rates = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    spoil(rates)
    file = tmp_path / "rates.yaml"
    file.write_text(yaml.safe_dump(rates), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_rates(file)
