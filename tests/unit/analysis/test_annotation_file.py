"""The header of a file of annotations: which columns are UIDs, which are labels, and what is wrong with it."""

import pytest

from smi_spark.analysis.annotation_rows import label_columns
from smi_spark.errors import InputError


def test_columns_are_uids_labels_or_passed_over() -> None:
    header = ["", "studyinstanceuid", " SOPInstanceUID ", "Nodule", "patient_id", "size, mm"]
    assert label_columns(header, "labels.csv") == (
        (None, "StudyInstanceUID", "SOPInstanceUID", "label_0", None, "label_1"), ("Nodule", "size, mm"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["0101010028", "SMITH"],
         "has no column StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID: 2 that are called otherwise. "
         "Name the column of UIDs so; the first line must hold the names."),
        (["SOPInstanceUID", "patient_id"], "has no labels: each column beside UIDs and patient_id is one."),
        (["SOPInstanceUID", "a", "A"], "has two columns of one name, capitals aside. Rename one."),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_used_says_why_without_what_it_holds(header: list[str], told: str) -> None:
    with pytest.raises(InputError) as raised:
        label_columns(header, "labels.csv")
    assert str(raised.value) == f"labels.csv {told}"
