"""What is said of quarantine, and of a selection that is none."""

import pytest

from smi_spark.errors import InputError
from smi_spark.secure.retry import Listing, Selection


def test_a_listing_says_how_many_and_what_to_do_and_where() -> None:
    counts = [("images", "not_dicom", 1200), ("records/smr01", "missing_value", 3)]
    assert str(Listing(counts, [("a/note.txt", "not_dicom", "no DICM at byte 128")])) == (
        "     1,200  images         not_dicom: The file is not DICOM: leave it, or take it out of the source.\n"
        "         3  records/smr01  missing_value: A column that must have a value is empty.\n"
        "  a/note.txt: not_dicom, no DICM at byte 128"
    )
    assert str(Listing([])) == "nothing is in quarantine"


def test_an_unknown_reason_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^--reason: unreadible is not a reason\. .* Did you mean unreadable\?$"):
        Selection(reasons=("unreadible",))
