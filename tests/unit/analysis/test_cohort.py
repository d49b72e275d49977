"""What is said of versions that cannot be opened."""

from dataclasses import replace
from datetime import UTC, datetime

from smi_spark.analysis.cohort import _withdrawn
from smi_spark.analysis.registry import Registered

DAY = datetime(2026, 11, 23, tzinfo=UTC)
ONE = Registered("demo", "scans", 1, DAY, "", "", "", (), (), (), "", "", "")


def test_a_withdrawn_version_leads_to_the_last_of_those_that_followed_it() -> None:
    first = replace(ONE, withdrawn_at=DAY, successor=3)
    entries = [replace(ONE, version=4), replace(ONE, version=3, withdrawn_at=DAY, successor=4), first]
    assert _withdrawn(entries, first) == (
        "demo/scans version 1 was withdrawn on 2026-11-23: it held people who said no, and its files are gone. "
        "Open version 4: the same without them."
    )
