import pytest

from smi_spark import errors
from smi_spark.errors import nearest, unknown_name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError, 1),
        (errors.InputError, 1),
        (errors.SourceError, 1),
        (errors.TableError, 1),
        (errors.MachineError, 2),
        (errors.KeyFileError, 2),
        (errors.QuarantineThresholdError, 3),
        (errors.IdentifiersFoundError, 3),
    ],
)
def test_each_error_has_the_exit_code_of_who_can_mend_it(error: type[errors.SmiError], code: int) -> None:
    assert error.exit_code == code


def test_an_unknown_name_is_answered_with_the_accepted_ones_and_the_nearest() -> None:
    assert unknown_name("conf/cohorts/lung.yaml", "images.modalty", "field", ["modality", "body_part"], "modalty") == (
        "conf/cohorts/lung.yaml: images.modalty is not a field. Fields here: modality, body_part. "
        "Did you mean modality?"
    )


def test_nothing_is_suggested_for_a_name_like_no_other() -> None:
    assert nearest("zebra", ["modality", "year"]) == ""
