"""What is counted of the rows of a load, by extract: a batch at once, then added up."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark.reasons import Reason
from smi_spark.secure.chi import FAILURES, ChiFlag

FileCounts = Mapping[tuple[str, str], Mapping[str, int]]
ADDED, CORRECTED, KNOWN = "added", "corrected", "known"  # what becomes of a good row
REASONS = (Reason.WRONG_FIELD_COUNT, Reason.BAD_VALUE, Reason.MISSING_VALUE, Reason.DUPLICATE_KEY)
OF_CHI = ("given", "in_order", "second_check", "not_ten_digits", "wrong_date", "wrong_check", "restored")
COUNTS = "source string, path string, counts map<string,bigint>"

_BATCH = pa.schema({"source": pa.string(), "path": pa.string(), "counts": pa.map_(pa.string(), pa.int64())})


def count_rows(rows: pa.RecordBatch, chis: Sequence[str]) -> dict[str, int]:
    """Counts of rows with problems, outcome, chi_flags and the columns ``chis`` of CHI numbers; without what is 0.

    rows, added, corrected, quarantined, failing_chi; rows by reason of quarantine; and of the rows that were not
    quarantined, for each column with CHI numbers what ``secure/submissions`` counts, as ``<column>.<count>``.
    """
    is_good = rows["problems"].is_null().to_numpy(zero_copy_only=False)
    counts: Counter[str] = Counter({"rows": rows.num_rows, "quarantined": rows.num_rows - int(is_good.sum())})
    counts.update({outcome: _how_many(pc.equal(rows["outcome"], pa.scalar(outcome))) for outcome in (ADDED, CORRECTED)})
    row, problems = _entries(rows["problems"])
    for reason in REASONS:
        counts[reason] = len(np.unique(row[_is_one_of(problems, "reason", [reason])]))
    row, flags = _entries(rows["chi_flags"])
    is_counted = is_good[row]
    counts["failing_chi"] = len(np.unique(row[is_counted & _is_one_of(flags, "flag", FAILURES)]))
    for name in chis:
        given = int((is_good & rows[name].is_valid().to_numpy(zero_copy_only=False)).sum())
        is_here = is_counted & _is_one_of(flags, "column", [name])
        flagged = {str(flag): int((is_here & _is_one_of(flags, "flag", [flag])).sum()) for flag in ChiFlag}
        amiss = sum(flagged.values()) - flagged[ChiFlag.RESTORED]
        told = {"given": given, "in_order": given - amiss, **flagged}
        counts.update({f"{name}.{count}": value for count, value in told.items()})
    return {str(name): value for name, value in counts.items() if value}


def counted(rows: DataFrame, chis: Sequence[str]) -> DataFrame:
    """The counts of rows that are settled: COUNTS, several rows an extract."""

    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = pa.table([batch["source"], batch["path"]], ["source", "path"])
            for place in places.group_by(["source", "path"]).aggregate([]).to_pylist():
                is_here = pc.and_(*(pc.equal(batch[name], place[name]) for name in ("source", "path")))
                counts = count_rows(batch.filter(is_here), chis)
                yield pa.RecordBatch.from_pylist([place | {"counts": list(counts.items())}], _BATCH)

    return rows.select("source", "path", *chis, "chi_flags", "problems", "outcome").mapInArrow(count, COUNTS)


def added_up(counts: DataFrame) -> FileCounts:
    """The sums of COUNTS by source and path of an extract."""
    by_name = counts.select("source", "path", F.explode("counts").alias("name", "value"))
    sums = by_name.groupBy("source", "path", "name").agg(F.sum("value").alias("value"))
    files: dict[tuple[str, str], dict[str, int]] = {}
    for row in sums.collect():  # as many as files, and counts of each
        files.setdefault((row["source"], row["path"]), {})[row["name"]] = row["value"]
    return files


def _how_many(values: Any) -> int:
    return int(pc.sum(values).as_py() or 0)


def _entries(lists: Any) -> tuple[Any, Any]:
    """The entries of a column of lists, and the row of each."""
    return pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), pc.list_flatten(lists)


def _is_one_of(entries: Any, field: str, texts: Iterable[str]) -> Any:
    among = pa.array(list(map(str, texts)), pa.string())
    return pc.is_in(pc.struct_field(entries, field), among).to_numpy(zero_copy_only=False)
