"""``python -m smi_spark.dicom``: compile the engine before its first use (some ten seconds, once an installation)."""

from smi_spark.dicom.engine import read_headers

if __name__ == "__main__":
    read_headers([__file__], with_header=True)  # no DICOM, but it goes all the way
