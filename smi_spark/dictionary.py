"""The data dictionary, made from ``schemas/``: ``python -m smi_spark.dictionary > docs/data-dictionary.md``."""

from smi_spark.schema import ZONES, Column, TableSchema, load_schema, table_names

INTRODUCTION = """# Data dictionary

Made from `schemas/` by `make docs`; change it there. A column that comes from a DICOM header is named by the keyword
that DICOM PS3.6 gives it, a column of a record by its official name in capitals, a column of ours in small letters.
*Zone 2* says what the pseudonymised archive holds of a column: **keep** the value, **remove** it, a **pseudonym**
of a patient, a pseudonymous **uid** or **accession** number, the **date** (shifted, cut to its month or kept in a
snapshot of zone 3, as the project has it), the **date after infancy** (null before the first birthday), the **age**,
the **text** where the vocabulary has it. Modalities behind a meaning are those whose views have the column; all have it
where none are named.
`secure/images_history`, `headers_history` and `quarantine_history` hold the rows that were taken out of the
tables of these names: their columns, `replaced_at` (when, UTC) and `replaced_by` (which run).
"""


def dictionary() -> str:
    """The whole dictionary as Markdown: a section a table, a line a column."""
    schemas = [load_schema(name) for name in table_names()]
    contents = "\n".join(f"- [{s.table}](#{_anchor(s.table)}): {s.meaning}" for s in schemas)
    return "\n".join([INTRODUCTION, contents, *map(_section, schemas)])


def _section(schema: TableSchema) -> str:
    facts = [f"Begins in zone {ZONES.index(schema.zone) + 1} ({schema.zone})", f"key {_names(schema.key)}"]
    if schema.key_beyond:
        facts.append(f"from zone 2 on {_names(schema.key_beyond)}")
    if schema.partition_by:
        facts.append(f"partitioned by {_names(schema.partition_by)}")
    head = f"\n## {schema.table}\n\n{schema.meaning}\n{'; '.join(facts)}.\n"
    goes_on = "deidentified" in schema.zones
    titles = ["column", "type", "unit", "from", *(["zone 2"] if goes_on else []), "meaning"]
    lines = [_row(titles), _row(["---"] * len(titles)), *(_row(_cells(column, goes_on)) for column in schema.columns)]
    return "\n".join([head, *lines])


def _cells(column: Column, goes_on: bool) -> list[str]:
    origin = f"`{column.tag}`" if column.tag else ""
    notes = [note for note in (column.codes, ", ".join(column.modalities)) if note]
    meaning = f"{column.meaning} ({'; '.join(notes)})" if notes else column.meaning
    beyond = column.deidentify.replace("_", " ") if column.from_zone == "secure" else "only from here on"
    return [f"`{column.name}`", f"`{column.type}`", column.unit or "", origin, *([beyond] if goes_on else []), meaning]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _anchor(title: str) -> str:
    return title.replace("/", "")


if __name__ == "__main__":
    print(dictionary())
