"""De-identification by PS3.15 Annex E: its table, profiles that choose its options, and what they do to data sets."""

from smi_spark.deidentified.profile.datasets import apply
from smi_spark.deidentified.profile.definition import Profile, load_profile
from smi_spark.deidentified.profile.replacements import Replacements, for_patient

__all__ = ["Profile", "Replacements", "apply", "for_patient", "load_profile"]
