"""An archive with linked records, made from a seed, with the answers known; and a larger one of tables alone."""

from smi_spark.synthetic.answers import Answers
from smi_spark.synthetic.archive import Summary, write_archive
from smi_spark.synthetic.people import chi_check_digit, chi_number

__all__ = ["Answers", "Summary", "chi_check_digit", "chi_number", "write_archive"]
