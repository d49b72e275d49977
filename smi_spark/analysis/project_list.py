"""``images.from_list`` with ids of a project's snapshots: translated to those of zone 2 before images are selected."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark.analysis.definition import Definition
from smi_spark.analysis.id_list import IdList
from smi_spark.analysis.image_steps import IMAGE, image_column, image_steps
from smi_spark.analysis.images_wanted import Images
from smi_spark.analysis.listed import LISTED, rows_of
from smi_spark.config import KeySource
from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.deidentified.pseudonyms import Domain, pseudonymise
from smi_spark.deidentified.replaced import first_ids


def translated(definition: Definition, images: DataFrame, key: KeySource, replaced: DataFrame | None) -> Definition:
    """The definition, its lists of the project's ids (of controls too) in those that ``images`` (of zone 2) have.

    The project's id of everything that the first step leaves is made anew, and looked up in the list. key: parent of
    the projects' keys. replaced: which ids were others first, as ``for_project`` takes it. An equal definition: what
    it means has not changed.
    """

    def of_images(wanted: Images) -> Images:
        listed = wanted.from_list
        if listed is None or listed.of is None:
            return wanted
        among = images.alias(IMAGE).where(image_steps(wanted)[0].condition)
        pairs = _pairs(among, listed, key, definition.project, replaced)
        return wanted.model_copy(update={"from_list": listed.translated(pairs)})

    changed: dict[str, object] = {"images": of_images(definition.images)}
    controls = definition.controls
    if controls is not None and controls.candidates is not None:
        others = controls.candidates.model_copy(update={"images": of_images(controls.candidates.images)})
        changed["controls"] = controls.model_copy(update={"candidates": others})
    return definition.model_copy(update=changed)


def _pairs(
    images: DataFrame, listed: IdList, key: KeySource, project: str, replaced: DataFrame | None
) -> list[tuple[str, str]]:
    """An id of the list, and the one of zone 2 that it stands for: those that images have."""
    ids: dict[str, Domain] = {listed.column: "patient" if listed.column == PATIENT_ID else "uid"}
    own = images.select(image_column(listed.column)).where(F.col(listed.column).isNotNull()).distinct()
    first = first_ids(own.withColumn("zone_2", F.col(listed.column)), ids, ["zone_2"], replaced)
    theirs = pseudonymise(first, ids, key, project).withColumnRenamed(listed.column, LISTED)
    given = rows_of(listed.given(), images.sparkSession)
    found = theirs.join(F.broadcast(given), LISTED).select(LISTED, "zone_2").collect()  # no more than the file has
    return [(row[LISTED], row["zone_2"]) for row in found]
