import pyarrow as pa

from smi_spark.deidentified.text.arrow import FINDINGS, find_in_values, names_in_values
from smi_spark.deidentified.text.rules import Rule, Rules

NONE = Rules(rules=())


def finding(detector: str, start: int, end: int, part: str) -> dict[str, object]:
    return {"detector": detector, "start": start, "end": end, "part": part}


def test_each_text_has_its_findings_and_null_has_none() -> None:
    found = find_in_values(pa.array(["T2", "9 Nov", None, "9 Nov"]), NONE)
    day = [finding("date", 0, 5, "9 Nov")]
    assert found.type == FINDINGS
    assert found.to_pylist() == [[], day, None, day]


def test_a_text_is_looked_at_beside_the_name_in_its_own_row() -> None:
    texts = pa.array(["Kerr knee", "Kerr knee", None, "Kerr knee", "T2"])
    names = pa.array(["KERR^ANN", "ORR^ANN", "KERR^ANN", None, "KERR^ANN"])
    kerr = [finding("name", 0, 4, "Kerr")]
    assert find_in_values(texts, NONE, names).to_pylist() == [kerr, [], None, [], []]


def test_a_batch_of_nothing_but_nulls_has_no_findings() -> None:
    nulls = pa.nulls(2, pa.string())
    assert find_in_values(nulls, NONE).to_pylist() == [None, None]
    assert find_in_values(nulls, NONE, nulls).to_pylist() == [None, None]


def test_own_names_are_looked_for_in_each_text_and_a_rule_may_take_them_away() -> None:
    texts = pa.array(["HEAD", "HEAD", None, "NECK Bell", "HEAD"])
    names = pa.array(["Head^Ann", "Bell^Ann", "Head^Ann", "Bell^Ann", None])
    assert names_in_values(texts, names, NONE).to_pylist() == [True, False, None, True, False]
    spared = Rules(rules=(Rule(name="head", action="Ignore", pattern="HEAD"),))
    assert names_in_values(texts, names, spared).to_pylist() == [False, False, None, True, False]
