"""Bytes of DICOM files → Arrow columns. No Spark here but for the data source in `source.py`."""
