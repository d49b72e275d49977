"""How headers and images are laid out: the modality and the year of a row, worked out in one way for both."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MODALITIES = ("CT", "MR", "CR", "DX", "US", "MG", "PT", "NM", "XA", "RF", "SR")  # the common kinds
OTHER = "OTHER"
UNREAD = "UNREAD"  # in headers alone: nothing could be read
NO_YEAR = 0

DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")  # the first that is there says the year
PLACING = ("modality_as_written", *DATES)  # columns of images that say where a row belongs


def placed(df: "DataFrame") -> "DataFrame":
    """Adds ``modality`` (a common kind, else OTHER) and ``year`` (0 without a date), worked out from PLACING."""
    from pyspark.sql import functions as F  # definitions of cohorts are checked without Spark

    written = F.upper(F.trim("modality_as_written"))
    modality = F.when(written.isin(*MODALITIES), written).otherwise(OTHER)
    year = F.coalesce(*(F.year(name) for name in DATES), F.lit(NO_YEAR))
    return df.withColumns({"modality": modality, "year": year})
