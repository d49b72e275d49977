"""A national imaging archive as research data, on Spark and Delta Lake."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from smi_spark.analysis.cohort import Cohort
    from smi_spark.analysis.comparison import Comparison

__version__ = "0.1.0"


def register(spark: "SparkSession") -> None:
    """Make ``spark.read.format("dicom")`` and the SQL functions ``dicom_tag``, ``dicom_json``, ``dicom_variant`` known
    to a session.
    """
    from smi_spark.datasource import DicomDataSource  # the kernel is compiled on import
    from smi_spark.secure.header_functions import register_functions

    spark.dataSource.register(DicomDataSource)
    register_functions(spark)


def open_cohort(spark: "SparkSession", project: str, cohort: str, version: int | None = None) -> "Cohort":
    """A version of a cohort (default: the newest), of the installation with whose configuration ``get_session`` gave
    the session: see ``smi_spark.analysis.open_cohort``, which takes a configuration.

    Raises TableError for what is not registered or was withdrawn; MachineError where no configuration was given.
    """
    from smi_spark.analysis.cohort import open_cohort
    from smi_spark.session import given_config

    return open_cohort(spark, given_config(), project, cohort, version)


def compare(old: "Cohort", new: "Cohort") -> "Comparison":
    """How version ``new`` of a cohort differs from version ``old``: who and what came and went, and what caused it."""
    from smi_spark.analysis.cohort import compare

    return compare(old, new)
