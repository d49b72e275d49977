"""Which key made zone 2: what is refused, and in which words."""

from pathlib import Path

import pytest

from smi_spark import tables
from smi_spark.config import KeySource
from smi_spark.deidentified.keyed import KEY_ID, ROTATION, check_settled
from smi_spark.deidentified.rotation import Keys, check_former
from smi_spark.deidentified.swappers import Keyed
from smi_spark.errors import OtherKeyError
from tests.conftest import make_config

SOURCE = KeySource(env="SMI_KEY")
KEYS = Keys(Keyed(SOURCE), Keyed(SOURCE), "aaaaaaaaaaaa", "cccccccccccc")


def test_tables_between_two_keys_are_told_with_how_to_go_on() -> None:
    begun = {ROTATION: "20261126T010203.000004Z-9f2c aaaaaaaaaaaa cccccccccccc"}
    check_settled({"deidentified/images": {KEY_ID: "aaaaaaaaaaaa"}})
    with pytest.raises(OtherKeyError) as raised:
        check_settled(
            {"deidentified/images": begun, "deidentified/records/ae": {}, "deidentified/records/smr01": begun}
        )
    assert str(raised.value) == (
        "deidentified/images, deidentified/records/smr01: run 20261126T010203.000004Z-9f2c makes zone 2 anew, with key "
        "cccccccccccc in place of aaaaaaaaaaaa, and has not ended. Where it is not at work, complete it: "
        "jobs/rotate_key.py with the same keys."
    )
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({}, " does not say which key made it. Run jobs/pseudonymise.py with that key first."),
        (
            {KEY_ID: "dddddddddddd"},
            " was made with key dddddddddddd, and the former key given is aaaaaaaaaaaa. Give the one that made it.",
        ),
        (
            {KEY_ID: "aaaaaaaaaaaa", ROTATION: "run-1 aaaaaaaaaaaa dddddddddddd"},
            ": run run-1 makes it anew, with key dddddddddddd in place of aaaaaaaaaaaa, and has not ended. "
            "Complete it first: jobs/rotate_key.py with these two keys.",
        ),
    ],
)
def test_a_rotation_with_other_keys_is_refused(tmp_path: Path, properties: dict[str, str], told: str) -> None:
    images = tables.table(make_config(tmp_path), "deidentified/images")
    for good in ("aaaaaaaaaaaa", "cccccccccccc"):
        check_former([(images, {KEY_ID: good})], KEYS)
    with pytest.raises(OtherKeyError) as raised:
        check_former([(images, properties)], KEYS)
    assert str(raised.value) == f"deidentified/images{told}"
