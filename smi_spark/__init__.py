"""A national imaging archive as research data, on Spark and Delta Lake."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__version__ = "0.1.0"


def register(spark: "SparkSession") -> None:
    """Make ``spark.read.format("dicom")`` and the SQL functions ``dicom_tag``, ``dicom_json``, ``dicom_variant`` known
    to a session.
    """
    from smi_spark.datasource import DicomDataSource  # the kernel is compiled on import
    from smi_spark.secure.header_functions import register_functions

    spark.dataSource.register(DicomDataSource)
    register_functions(spark)
