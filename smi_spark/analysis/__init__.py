"""Zone 3: cohort definitions, selection with attrition, snapshots."""

from smi_spark.analysis.cohort import Cohort, compare, open_cohort

__all__ = ["Cohort", "compare", "open_cohort"]
