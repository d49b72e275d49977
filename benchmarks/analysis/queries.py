"""The worked definitions as SQL, as somebody would write it who knows Spark and the tables of zone 2."""

import re
from pathlib import Path

from smi_spark.analysis.code_lists import read_codes
from smi_spark.resources import folder
from smi_spark.schema import load_schema

_SQL = Path(__file__).parent / "sql"
_CODED = re.compile(r"\{(\w+) (\S+) ([^}]+)\}")


def query(cohort: str) -> str:
    """What stands in ``sql/<cohort>.sql``: the rows of the images that are meant. Views are called as the tables are.

    ``{smr01 OPCS-4 W40 W41}`` there is whether one of the columns of a coding system, or the column of that name,
    begins with one of these codes, in the row ``r``; a code list stands for its codes.
    """
    return _CODED.sub(_begins, (_SQL / f"{cohort}.sql").read_text(encoding="utf-8"))


def _begins(found: re.Match[str]) -> str:
    table, where, given = found.groups()
    starts = [code for one in given.split() for code in (_listed(one) if one.endswith(".csv") else [one])]
    columns = [c.name for c in load_schema(f"records/{table}").in_zone("deidentified") if where in (c.name, c.codes)]
    return f"({' OR '.join(f'r.{column} LIKE {start!r}' for column in columns for start in map(_pattern, starts))})"


def _listed(name: str) -> tuple[str, ...]:
    return read_codes(folder("conf") / "cohorts" / "codelists" / name, "code")


def _pattern(start: str) -> str:
    return f"{start}%"
