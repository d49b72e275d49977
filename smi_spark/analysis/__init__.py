"""Zone 3: cohort definitions, selection with attrition, snapshots."""

from smi_spark.analysis.registry import Cohort, open_cohort

__all__ = ["Cohort", "open_cohort"]
