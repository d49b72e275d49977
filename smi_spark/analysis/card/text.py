"""The card as Markdown, for who reads it in a repository or a terminal: the same numbers as on its page."""

from collections.abc import Iterator, Sequence

from smi_spark.analysis.card.contents import (
    IMAGES,
    LINKED,
    MAKERS,
    OF_PEOPLE,
    POPULATION,
    Card,
)
from smi_spark.analysis.card.words import (
    at_least,
    changes,
    citation,
    footnotes,
    margin,
    missing,
    number,
    percent,
    share,
    steps,
    withdrawal,
)
from smi_spark.analysis.registry import Registered
from smi_spark.analysis.shown import PATIENTS
from smi_spark.analysis.suppression import ALL, Told

_TOO_FEW = "Nothing of this table may be told: too few people are in it, or came or went."


def text(card: Card) -> str:
    """The card as Markdown."""
    version = card.version
    lines = [f"# {card.project}/{card.cohort}, version {version.version}", "", f"> {card.question}", ""]
    lines += _table(
        ("patients", "studies", "images", "built", "approval", "dates"),
        [(number(version.patients), number(version.studies), number(version.images), version.built,
          version.approval or "none recorded", card.dates or "as in zone 2")],
    )  # fmt: skip
    for title, content in _sections(card):
        lines += ["", f"## {title}", "", *content]
    return "\n".join(lines) + "\n"


def withdrawn_text(entry: Registered) -> str:
    """What stands in the place of a withdrawn version's Markdown."""
    return f"# {entry.project}/{entry.cohort}, version {entry.version}, withdrawn\n\n{withdrawal(entry)}\n"


def _sections(card: Card) -> Iterator[tuple[str, list[str]]]:
    rows = [
        (rule, number(patients), number(studies), number(images)) for rule, patients, studies, images in steps(card)
    ]
    told = card.tables.get(PATIENTS) is not None
    yield "Attrition", _table(("step", "patients", "studies", "images"), rows) if told else [_TOO_FEW]
    yield "Images by year and modality", _images(card)
    for name in OF_PEOPLE:
        if name in card.tables:
            yield f"{name.capitalize()}, beside the population on {card.day}", _people(card, name)
    yield "Manufacturers", _listed(card, MAKERS)
    yield "Missing values", _missing(card)
    yield "Linkage", _linked(card)
    yield "Coverage: patients by year", _coverage(card)
    yield "Versions", _versions(card)
    yield "How to read and cite", [*(f"- {note}" for note in footnotes(card)), "", citation(card)]


def _images(card: Card) -> list[str]:
    table = card.tables.get(IMAGES)
    if table is None:
        return [_TOO_FEW]
    zero = Told(0, 0, 0)
    years, modalities = (sorted({name[place] for name in table} - {ALL}) for place in (1, 0))
    rows = [
        (year or "all", *(number(table.get((modality, year), zero)) for modality in (*modalities, ALL)))
        for year in (*years, ALL)
    ]
    return _table(("year", *modalities, "all"), rows)


def _people(card: Card, name: str) -> list[str]:
    mine, everybody = card.tables[name], card.tables.get(f"{POPULATION} by {name}") or {}
    if mine is None:
        return [_TOO_FEW]
    total, of_all, zero = margin(mine), margin(everybody), Told(0, 0, 0)
    names = sorted({one for one in (*mine, *everybody) if all(one)})
    rows = [
        (", ".join(one), number(mine.get(one, zero)), percent(share(mine.get(one, zero), total)),
         percent(share(everybody.get(one, zero), of_all)) if everybody else "–")
        for one in names
    ]  # fmt: skip
    return _table((name, "patients", "of the cohort", "of the population"), rows)


def _listed(card: Card, name: str) -> list[str]:
    table = card.tables.get(name)
    if table is None:
        return [_TOO_FEW]
    rows = [(one[0], number(told), percent(share(told, margin(table)))) for one, told in table.items() if one[0]]
    return _table((name, "images", "share"), sorted(rows))


def _missing(card: Card) -> list[str]:
    lines = []
    for name, shares in card.missing.items():
        rows = [(f"`{one.column}`", missing(one)) for one in shares if one.least != one.most]
        always = ", ".join(f"`{one.column}`" for one in shares if one.least == one.most == 100)
        lines += [f"### {name}", "", *(_table(("column", "missing"), rows) if rows else [])]
        lines += [f"Always missing: {always or 'none'}. Never missing: all others.", ""]
    return lines


def _linked(card: Card) -> list[str]:
    rows = []
    for name, table in card.tables.items():
        if name.startswith(f"{LINKED} "):
            told = (table or {}).get(("with a row",))
            rows.append((name.removeprefix(f"{LINKED} "), number(told), percent(share(told, margin(table or {})))))
    return _table(("table", "patients with a row", "share"), rows) if rows else ["No records are delivered."]


def _coverage(card: Card) -> list[str]:
    sources = ["images", *sorted({source for source, _ in card.coverage} - {"images"})]
    rows = [
        (year, *(at_least(card.coverage[source, year], card.minimum) if (source, year) in card.coverage else "–"
                 for source in sources))
        for year in sorted({year for _, year in card.coverage})
    ]  # fmt: skip
    return _table(("year", *sources), rows)


def _versions(card: Card) -> list[str]:
    rows = [
        (str(one.version), one.built, number(one.patients), number(one.studies), number(one.images), one.software)
        for one in (card.version, *card.earlier)
    ]
    found = changes(card)
    told = [f"Other than in the version before: {', '.join(found)}."] if found else []
    if card.earlier:
        came, went = (at_least(people, card.minimum) for people in (card.came, card.went))
        told.append(f"Patients who came since: {came}; who went: {went}.")
    return [*_table(("version", "built", "patients", "studies", "images", "smi_spark"), rows), "", *told]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
