"""Bytes of DICOM files → Arrow columns. No Spark here but for the data source in `source.py`."""

from smi_spark.dicom.columns import batch_schema
from smi_spark.dicom.engine import decode_headers, read_headers

__all__ = ["batch_schema", "decode_headers", "read_headers"]
