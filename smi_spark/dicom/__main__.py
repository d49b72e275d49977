"""``python -m smi_spark.dicom``: compile the engine before its first use (some ten seconds, once an installation)."""

from smi_spark.dicom.engine import decode_headers, read_headers

if __name__ == "__main__":
    read = read_headers([__file__], with_header=True)  # no DICOM, but it goes all the way
    decode_headers(read["header"], read["left_out"])
