"""Zone 3: cohort definitions, selection with attrition, snapshots."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smi_spark.analysis.cohort import Cohort, compare, open_cohort

__all__ = ["Cohort", "compare", "open_cohort"]


def __getattr__(name: str) -> Any:
    """What reads snapshots is imported where it is used: definitions are checked without Spark."""
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from smi_spark.analysis import cohort

    return getattr(cohort, name)
