"""Whether the rules of a definition can be meant: names are known, groups lead somewhere, nothing is contradicted."""

from collections.abc import Iterable, Iterator, Mapping

from smi_spark.analysis.conditions import wrong_conditions
from smi_spark.analysis.rules import Records, Rule, all_rules
from smi_spark.errors import unknown_name
from smi_spark.schema import record_tables

# Records have codes of these in capitals, and none of the points that books print.
_PLAIN = ("ICD-10", "OPCS-4", "BNF")
DEEPEST = 3  # groups in groups that can still be read


def wrong_rules(
    records: Records, groups: Mapping[str, Rule], place: str, further: Iterable[tuple[str, Rule]] = ()
) -> Iterator[str]:
    """A line for each unknown table, code system, column and group, each group that is used by none or by itself, and
    rules that exclude each other. further: rules that stand elsewhere in the file, by their path.
    """
    rules = [*all_rules(records, groups), *further]
    for path, rule in rules:
        yield from _wrong_names(rule, groups, f"{place}: {path}")
    used = {name for _, rule in rules for name in (rule.group, rule.around)}
    for name in groups:
        if name not in used:
            yield f"{place}: groups.{name}: no rule names it. Name it in records, or take it out."
        elif name in _reached(groups[name], groups):
            yield f"{place}: groups.{name}: it is made of itself. Write what it is made of in another way."
    for number, rule in enumerate(records.required):
        if rule in records.excluded:
            other = records.excluded.index(rule)
            yield (
                f"{place}: records.required[{number}] and records.excluded[{other}] are the same rule, "
                "so that nothing is left. Take one of them out."
            )


def _wrong_names(rule: Rule, groups: Mapping[str, Rule], place: str) -> Iterator[str]:
    if rule.table is not None:
        yield from _wrong_record_names(rule, place)
    for field, name in (("group", rule.group), ("around", rule.around)):
        if name is not None and name not in groups:
            yield unknown_name(f"{place}.{field}", name, "group", groups or ["none"])
    event = groups.get(rule.around or "")
    if event is not None and (event.table is None or event.at_least):
        yield (
            f"{place}.around: {rule.around} is not one record, which a window could count from. "
            "Give the group a table, without at_least."
        )
    depth = max(path.count("_of[") for path, _ in rule.parts(""))
    if depth > DEEPEST and place.count("_of[") == 0:
        yield f"{place}: rules in rules are {depth} deep, and {DEEPEST} can be read. Name the inner ones in groups."


def _wrong_record_names(rule: Rule, place: str) -> Iterator[str]:
    if rule.table not in record_tables():
        yield unknown_name(f"{place}.table", str(rule.table), "table", record_tables())
        return
    coded = [column for column in rule.table_schema.in_zone("deidentified") if column.codes]
    known = dict.fromkeys([*(str(column.codes) for column in coded), *(column.name for column in coded)])
    systems = {column.name: str(column.codes) for column in coded}
    for where, codes in rule.codes.items():
        if where not in known:
            yield unknown_name(f"{place}.codes", where, "code system or column", known)
        elif systems.get(where, where) in _PLAIN:
            wrong = (one for one in codes if not one.isalnum() or one != one.upper())
            yield from (_written_otherwise(one, f"{place}.codes.{where}") for one in wrong)
    yield from wrong_conditions(rule.having or {}, rule.table_schema, f"{place}.having")


def _written_otherwise(code: str, place: str) -> str:
    meant = "".join(filter(str.isalnum, code)).upper()
    return (
        f"{place}: no record has {code}: codes stand there in capitals and without points. Write {meant or 'a code'}; "
        "where your extracts do have it so, ask for it with having and begins_with."
    )


def _reached(rule: Rule, groups: Mapping[str, Rule], seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of all groups that a rule leads to."""
    named = {name for _, part in rule.parts("") for name in (part.group, part.around) if name is not None}
    for name in named & set(groups) - seen:
        seen |= {name} | _reached(groups[name], groups, seen | {name})
    return seen
