"""The measures of ``benchmarks/ingest.py``: zone 1, from files to tables."""
