"""Which of the files that were read become images, and which do not, and why. No file is opened here.

A file that is the only one of its SOP instance is decoded and added. Files of one SOP instance are judged together:
identical ones collapse, complementary ones fill each other's nulls, and where two contradict each other their whole
study is isolated, until a person releases one of them or one of them changes or goes.
"""

from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.reasons import BAD_FILES, Reason
from smi_spark.secure.changes import IMAGES, changes_since, released_files, withdrawn_images
from smi_spark.secure.collisions import content, marked, merged
from smi_spark.secure.files import VANISHED
from smi_spark.secure.images import as_images, decode_files, decode_images
from smi_spark.secure.instances import FILE, contested, index_merged, rows_of
from smi_spark.secure.quarantine import quarantine, record_bad
from smi_spark.secure.runs import Run, stamps
from smi_spark.secure.withdrawal import retire, withdraw_images

_INSTANCE, _STUDY = ["SOPInstanceUID"], ["StudyInstanceUID"]
_ISOLATED = "another instance of its study is contradicted"
_REFUSED = "a file of its folder is bad"
_VERDICT = (*FILE, "reason", "detail", "SOPInstanceUID", "StudyInstanceUID")


@dataclass(frozen=True)
class Admitted:
    """What one run did: images added, images that left for others or with their study, files quarantined."""

    images: int
    withdrawn: int
    quarantined: int


def admit(spark: SparkSession, config: Config, run: Run, moved: DataFrame | None) -> Admitted:
    """Headers read since the last run that ended, and those that are to be judged again → images and quarantine.

    moved: files that changed, vanished, came back or were released (columns of ``changed_files``), if any.
    Commits: ``secure/changes`` and ``secure/images`` (images that leave), ``secure/images`` (those added),
    ``secure/quarantine``. Each adds what its table lacks, so that the next run completes one that was killed.
    """
    new = tables.read(spark, tables.table(config, "secure/headers")).where(F.col("run_id") > run.since)
    if moved is not None:
        new = new.join(_gone(spark, config), list(FILE), "left_anti")
    good = new.where(F.col("reason").isNull())
    bad = new.where(F.col("reason").isNotNull()).select(*_VERDICT)
    isolated = _isolated_studies(spark, config, run, moved)
    instances = tables.worked_out(_instances_to_judge(spark, config, run, moved))
    if instances.isEmpty():
        return _admit_alone(spark, config, run, good, bad, isolated)
    alone = good.join(instances, _INSTANCE, "left_anti")
    files = _judged_files(spark, config, instances, bad)
    return _admit_judged(spark, config, run, alone, bad, isolated, files)


def _admit_alone(
    spark: SparkSession, config: Config, run: Run, good: DataFrame, bad: DataFrame, isolated: DataFrame
) -> Admitted:
    """Where no file has anything to do with another one."""
    usable, verdicts = _sifted(spark, config, good, bad, isolated)
    added = _add(spark, config, run, usable, None)
    is_new = F.col("run_id") > run.since  # these files were read since, so that no older row is about them
    return Admitted(added, 0, record_bad(config, verdicts.unionByName(bad), IMAGES, run.id, among=is_new))


def _admit_judged(
    spark: SparkSession, config: Config, run: Run, alone: DataFrame, bad: DataFrame, isolated: DataFrame,
    files: DataFrame,
) -> Admitted:  # fmt: skip
    """``alone``: good files that nothing else holds; ``files``: the others, as ``_judged_files`` has them."""
    withdrawn, images, closed, beside = 0, None, isolated, None
    if not files.where("is_used AND NOT is_settled").isEmpty():
        files, images = _merged_images(spark, config, files)
        conflicts = tables.worked_out(files.where(F.col("contradicted").isNotNull()).select(*_STUDY).distinct())
        closed = tables.worked_out(isolated.union(conflicts).distinct())
        images = images.where(F.col("contradicted").isNull()).join(closed, _STUDY, "left_anti")
        withdrawn = withdraw_images(_leaving(spark, config, files, images, conflicts), config, run.id)
        beside = _usable(spark, config, rows_of(spark, config, "headers", conflicts, _STUDY))
    usable, verdicts = _sifted(spark, config, alone, bad, closed)
    added = _add(spark, config, run, usable, images)
    decided = tables.worked_out(verdicts.unionByName(_verdicts(files, closed)))
    if beside is not None:
        decided = decided.unionByName(tables.worked_out(_with_study(beside.join(decided, list(FILE), "left_anti"))))
    _leave_quarantine(spark, config, decided, run.id)
    wrong = decided.where(F.col("reason").isNotNull()).unionByName(bad)
    return Admitted(added, withdrawn, record_bad(config, wrong, IMAGES, run.id))


def _judged_files(spark: SparkSession, config: Config, instances: DataFrame, bad: DataFrame) -> DataFrame:
    """All usable files of SOP instances (column SOPInstanceUID): source, path, the UIDs, ``is_image``, ``is_copy``,
    ``is_set_aside``, ``is_refused``, ``is_used`` (none of the last three), ``is_settled`` (the image of the instance is
    made of the one file that is used, and of no other), and ``contradicted``, null until images are merged.
    """
    files = marked(_usable_headers(spark, config, instances, bad)).drop("header", "left_out", "content")
    is_used = ~F.col("is_copy") & ~F.col("is_set_aside") & ~F.col("is_refused")
    instance = Window.partitionBy("SOPInstanceUID")
    stands = F.col("is_image") & ~F.col("is_filled") & F.col("is_used")
    is_settled = F.max(stands).over(instance) & (F.sum(F.col("is_used").cast("int")).over(instance) == 1)
    found = files.withColumn("is_used", is_used).withColumn("is_settled", is_settled)
    return tables.worked_out(found.withColumn("contradicted", F.lit(None).cast("array<string>")))


def _merged_images(spark: SparkSession, config: Config, files: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The files, with the columns in which they contradict others of their instance, and the images that they make, as
    ``collisions.merged`` gives them; but for instances that are settled.
    """
    used = files.where("is_used AND NOT is_settled").select("SOPInstanceUID", *FILE, "is_image")
    decoded = decode_files(rows_of(spark, config, "headers", used, FILE))
    images = tables.worked_out(merged(decoded.join(used.drop("SOPInstanceUID"), list(FILE))))
    contradicted = images.select("SOPInstanceUID", "contradicted")
    return files.drop("contradicted").join(contradicted, _INSTANCE, "left"), images


def _usable_headers(spark: SparkSession, config: Config, instances: DataFrame, bad: DataFrame) -> DataFrame:
    """Headers of these SOP instances that can be used, with what ``collisions.marked`` wants to know of them."""
    headers = _usable(spark, config, rows_of(spark, config, "headers", instances, _INSTANCE))
    images = rows_of(spark, config, "images", instances, _INSTANCE)
    known = headers.join(images.select(*FILE, F.col("filled_from").isNotNull().alias("is_filled")), list(FILE), "left")
    is_image, is_filled = F.col("is_filled").isNotNull(), F.coalesce("is_filled", F.lit(False))
    refused = F.lit(False)
    if config.ingest.strict:
        folders = _bad_folders(spark, config, bad).withColumn("is_bad", F.lit(True))
        known = known.withColumn("folder", _folder()).join(folders, ["source", "folder"], "left")
        refused = F.col("is_bad").isNotNull() & ~is_image & F.col("released_by").isNull()
    return known.withColumns({"is_image": is_image, "is_filled": is_filled, "is_refused": refused}).select(
        *FILE, "SOPInstanceUID", "StudyInstanceUID", "header", "left_out", content().alias("content"), "is_image",
        "is_filled", "released_by", "is_refused",
    )  # fmt: skip


def _usable(spark: SparkSession, config: Config, headers: DataFrame) -> DataFrame:
    """Headers of files that are there, good or released as they are (``released_by``, null for the others)."""
    present = headers.join(_gone(spark, config), list(FILE), "left_anti")
    known = present.join(released_files(spark, config), list(FILE), "left")
    released = F.when(F.col("released_by") > F.col("listed_run_id"), F.col("released_by"))
    return known.withColumn("released_by", released).where("reason IS NULL OR released_by IS NOT NULL")


def _add(spark: SparkSession, config: Config, run: Run, alone: DataFrame, together: DataFrame | None) -> int:
    """Images of files that are alone, and those of several that do not stand yet → ``secure/images``."""
    target = tables.table(config, "secure/images")
    there = tables.read_or_empty(spark, target).where(F.col("run_id") > run.since).select(*FILE)
    # Mostly no run was killed, and the headers need not travel to be compared with nothing.
    lacking = alone if there.isEmpty() else alone.join(there, list(FILE), "left_anti")
    stamped = stamps(run.id)
    is_any, images = not lacking.select(*FILE).isEmpty(), decode_images(lacking, stamped)
    if together is not None:
        present = rows_of(spark, config, "images", together, _INSTANCE)
        others = as_images(together.join(present, _INSTANCE, "left_anti"), stamped)
        index_merged(others.where(F.col("filled_from").isNotNull()), config)
        is_any, images = is_any or not others.isEmpty(), images.unionByName(others)
    if is_any:
        return tables.append(images, target)
    tables.create(spark, target)
    return 0


def _leaving(
    spark: SparkSession, config: Config, files: DataFrame, standing: DataFrame, conflicts: DataFrame
) -> DataFrame:
    """Images that are not what their files make now, and those of studies in conflict; each once."""
    present = rows_of(spark, config, "images", files.where("NOT is_settled"), _INSTANCE)
    now = standing.select(*(F.col(name).alias(f"now_{name}") for name in ("SOPInstanceUID", *FILE, "filled_from")))
    same = [F.col(name).eqNullSafe(F.col(f"now_{name}")) for name in ("SOPInstanceUID", *FILE, "filled_from")]
    other = present.join(now, reduce(and_, same), "left_anti")
    of_conflicts = rows_of(spark, config, "images", conflicts, _STUDY)
    return other.unionByName(of_conflicts.join(other.select(*_INSTANCE), _INSTANCE, "left_anti"))


def _sifted(
    spark: SparkSession, config: Config, good: DataFrame, bad: DataFrame, isolated: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """Good files: those that can be used, and the verdicts on those of isolated studies and refused folders."""
    verdicts = _with_study(good.join(isolated, _STUDY, "left_semi"))
    usable = good.join(isolated, _STUDY, "left_anti")
    if config.ingest.strict:
        folders = _bad_folders(spark, config, bad)
        usable, key = usable.withColumn("folder", _folder()), ["source", "folder"]
        refused = _verdict(usable.join(folders, key, "left_semi"), Reason.REFUSED_FOLDER, _REFUSED)
        usable, verdicts = usable.join(folders, key, "left_anti").drop("folder"), verdicts.unionByName(refused)
    return usable, verdicts


def _bad_folders(spark: SparkSession, config: Config, bad: DataFrame) -> DataFrame:
    """Folders (source, folder) in which a file is bad, one of this run or one in quarantine, and there."""
    rows = tables.read_or_empty(spark, quarantine(config)).where(F.col("table") == IMAGES)
    known = rows.where(F.col("reason").isin(*BAD_FILES)).join(_gone(spark, config), list(FILE), "left_anti")
    return bad.select("source", _folder()).union(known.select("source", _folder())).distinct()


def _verdicts(files: DataFrame, closed: DataFrame) -> DataFrame:
    """What became of files that were judged together; those of ``closed`` studies are isolated with them."""
    marked = files.join(closed.withColumn("is_closed", F.lit(True)), _STUDY, "left")
    differs = F.concat(F.lit("another file of the SOP instance differs in "), F.array_join("contradicted", ", "))
    takes_part = F.col("contradicted").isNotNull() & ~F.col("is_copy") & ~F.col("is_set_aside")
    outcomes = [
        (F.col("is_closed") & takes_part, Reason.CONFLICTING_STUDY, differs),
        (F.col("is_closed"), Reason.CONFLICTING_STUDY, F.lit(_ISOLATED)),
        (F.col("is_copy"), Reason.IDENTICAL_COPY, F.lit("another file of the SOP instance holds the same header")),
        (F.col("is_set_aside"), Reason.SET_ASIDE, F.lit("another file of the SOP instance was released")),
        (F.col("is_refused"), Reason.REFUSED_FOLDER, F.lit(_REFUSED)),
    ]
    reason = F.coalesce(*(F.when(holds, F.lit(str(reason))) for holds, reason, _ in outcomes))
    detail = F.coalesce(*(F.when(holds, detail) for holds, _, detail in outcomes))
    return marked.select(*FILE, reason.alias("reason"), detail.alias("detail"), "SOPInstanceUID", "StudyInstanceUID")


def _with_study(headers: DataFrame) -> DataFrame:
    """The verdict on good files that are isolated with their study."""
    return _verdict(headers, Reason.CONFLICTING_STUDY, _ISOLATED)


def _verdict(headers: DataFrame, reason: Reason, detail: str) -> DataFrame:
    said = {"reason": F.lit(str(reason)), "detail": F.lit(detail)}
    return headers.withColumns(said).select(*_VERDICT)


def _leave_quarantine(spark: SparkSession, config: Config, decided: DataFrame, run_id: str) -> None:
    """Rows that say of a file what is no longer so go to the history."""
    rows = tables.read_or_empty(spark, quarantine(config)).where(F.col("table") == IMAGES)
    now = decided.select(*FILE, F.col("reason").alias("now"))
    stale = rows.join(now, list(FILE)).where(~F.col("reason").eqNullSafe(F.col("now"))).drop("now")
    retire(stale, quarantine(config), quarantine(config).schema.key, run_id)


def _instances_to_judge(spark: SparkSession, config: Config, run: Run, moved: DataFrame | None) -> DataFrame:
    """SOPInstanceUID of files read since that share it with others, and of files read before that are in question:
    those that came back or were released, those of images that left, of a study that is isolated or of a folder that
    was refused for a file that changed.
    """
    uids = contested(spark, config, run)
    if moved is None:
        return uids
    back = moved.where("returned_by IS NOT NULL OR released_by IS NOT NULL")
    files = back.select(*FILE).union(_refused_beside(spark, config, moved))
    headers = [
        rows_of(spark, config, "headers", files, FILE),
        rows_of(spark, config, "headers", _questioned_studies(spark, config, run, moved), _STUDY),
    ]
    freed = withdrawn_images(changes_since(spark, config, run.since))
    found = [one.where("SOPInstanceUID IS NOT NULL").select(*_INSTANCE) for one in headers]
    return reduce(DataFrame.union, [uids, freed, *found]).distinct()


def _refused_beside(spark: SparkSession, config: Config, moved: DataFrame) -> DataFrame:
    """Files (source, path) that were refused with their folder, where a file of the folder changed."""
    rows = tables.read_or_empty(spark, quarantine(config)).where(F.col("reason") == Reason.REFUSED_FOLDER)
    folders = moved.select("source", _folder()).distinct()
    return rows.withColumn("folder", _folder()).join(folders, ["source", "folder"], "left_semi").select(*FILE)


def _isolated_studies(spark: SparkSession, config: Config, run: Run, moved: DataFrame | None) -> DataFrame:
    """StudyInstanceUID of the studies in quarantine for a conflict, but for those that are in question now."""
    rows = tables.read_or_empty(spark, quarantine(config)).where(F.col("reason") == Reason.CONFLICTING_STUDY)
    studies = rows.select(*_STUDY).distinct()
    if moved is None:
        return studies
    return studies.join(_questioned_studies(spark, config, run, moved), _STUDY, "left_anti")


def _questioned_studies(spark: SparkSession, config: Config, run: Run, moved: DataFrame) -> DataFrame:
    """StudyInstanceUID of isolated studies of which a file changed, went, came back or was released."""
    table = quarantine(config)
    left = tables.read_or_empty(spark, tables.history_of(table)).where(F.col("replaced_by") > run.since)
    rows = tables.read_or_empty(spark, table).unionByName(left.drop("replaced_at", "replaced_by"))
    isolated = rows.where((F.col("reason") == Reason.CONFLICTING_STUDY) & F.col("StudyInstanceUID").isNotNull())
    return isolated.join(moved.select(*FILE), list(FILE), "left_semi").select(*_STUDY).distinct()


def _folder() -> Column:
    """The folder of a file, or the archive of a member."""
    return F.regexp_extract("path", r"(?s)^(.*)[/!]", 1).alias("folder")


def _gone(spark: SparkSession, config: Config) -> DataFrame:
    files = tables.read(spark, tables.table(config, "secure/files"))
    return files.where(F.col("state") == VANISHED).select(*FILE)
