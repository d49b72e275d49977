"""Views of images for SQL, one a modality: its partitions alone, and the columns that are of use there."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, Zone
from smi_spark.schema import load_schema
from smi_spark.secure.partitions import MODALITIES, OTHER


def register_views(spark: SparkSession, config: Config, zone: Zone = "secure") -> Mapping[str, DataFrame]:
    """Make ``images_ct``, ``images_mr`` … ``images_other`` known to SQL, over the images of ``zone``; by their names.

    Each has the columns of ``columns_of`` and the rows of its modality: no partition of another one is read. The names
    last as long as the session, and stand for the zone that was registered last.
    Raises TableError where the zone has no images.
    """
    images = tables.read(spark, tables.table(config, f"{zone}/images"))
    views = {f"images_{modality.lower()}": view(images, modality, zone) for modality in (*MODALITIES, OTHER)}
    for name, rows in views.items():
        rows.createOrReplaceTempView(name)
    return views


def view(images: DataFrame, modality: str, zone: Zone) -> DataFrame:
    """The images of a modality in its columns; a column that is yet to be promoted is not among them."""
    columns = [name for name in columns_of(modality, zone) if name in images.columns]
    return images.where(F.col("modality") == modality).select(*columns)


def columns_of(modality: str, zone: Zone) -> list[str]:
    """The columns that ``schemas/images.yaml`` gives a modality in ``zone``: its own, and those that all have.

    CR has those of DX, and RF those of XA, whose kind they are; OTHER has those of electrocardiograms.
    """
    columns = load_schema("images").in_zone(zone)
    return [column.name for column in columns if not column.modalities or modality in column.modalities]
