"""The Spark data source ``dicom``, for people who have files at hand; the nightly jobs do not go through here."""

from smi_spark.datasource.batch import DicomDataSource

__all__ = ["DicomDataSource"]
