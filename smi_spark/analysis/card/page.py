"""The card as one page of HTML: nothing is fetched, no script is needed, all can be read without a mouse."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from smi_spark.analysis.card.contents import (
    AGE_SEX,
    DEPRIVATION,
    ETHNIC_GROUP,
    IMAGES,
    LINKED,
    MAKERS,
    POPULATION,
    Card,
    Share,
    Version,
)
from smi_spark.analysis.card.counts import UNKNOWN
from smi_spark.analysis.card.flow import flow
from smi_spark.analysis.card.style import STYLE
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
from smi_spark.analysis.shown import HIDDEN, PATIENTS
from smi_spark.analysis.suppression import ALL, Name, Table, Told

_OF_PEOPLE = (
    (AGE_SEX, "Age", "age"),
    (ETHNIC_GROUP, "Ethnic group", "group"),
    (DEPRIVATION, "Deprivation, quintile of SIMD", "quintile"),
)
_TOO_FEW = "Too few people are in it, or came or went, for anything of this table to be told."


def page(card: Card) -> str:
    """The card as HTML."""
    version = card.version
    title = f"{card.project}/{card.cohort}, version {version.version}"
    sections = list(_sections(card))
    links = "".join(f'<li><a href="#{_anchor(name)}">{escape(name)}</a></li>' for name, _ in sections)
    facts = [
        ("Patients", number(version.patients)), ("Studies", number(version.studies)),
        ("Images", number(version.images)), ("Built", version.built),
        ("Approval", version.approval or "none recorded"), ("Dates", card.dates or "as in zone 2"),
    ]  # fmt: skip
    head = (
        f"<header><p class=quiet>Cohort card</p><h1>{escape(title)}</h1>"
        f'<p class="question">{escape(card.question)}</p><dl class="facts">'
        + "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
        + f'</dl><nav aria-label="Sections"><ul>{links}</ul></nav></header>'
    )
    body = "".join(
        f'<section aria-labelledby="{_anchor(name)}"><h2 id="{_anchor(name)}">{escape(name)}</h2>{content}</section>'
        for name, content in sections
    )
    return _document(title, f"{head}<main>{body}</main>")


def withdrawn_page(entry: Registered) -> str:
    """What stands in the place of a withdrawn version's page."""
    title = f"{entry.project}/{entry.cohort}, version {entry.version}, withdrawn"
    return _document(title, f"<main><h1>{escape(title)}</h1><p>{escape(withdrawal(entry))}</p></main>")


def _sections(card: Card) -> Iterator[tuple[str, str]]:
    yield "Attrition", _attrition(card)
    yield "Images", _images(card)
    yield "People", "".join(_people(card))
    yield "Manufacturers", _listed(card, MAKERS, "Images by manufacturer of the scanner", "manufacturer")
    missed = "".join(_missing(name, shares) for name, shares in card.missing.items())
    yield "Missing values", missed or f"<p>{_TOO_FEW}</p>"
    yield "Linkage and coverage", _linked(card) + _coverage(card)
    yield "Versions", _versions(card)
    yield "How to read and cite", _notes(card)


def _attrition(card: Card) -> str:
    if card.tables.get(PATIENTS) is None:
        return f"<p>{_TOO_FEW}</p>"
    rows = [
        f"<tr><th scope=row class=rule>{escape(rule)}</th>{_cell(patients)}{_cell(studies)}{_cell(images)}</tr>"
        for rule, patients, studies, images in steps(card)
    ]
    table = _table("What each step left", ("step", "*patients", "*studies", "*images"), rows)
    return f"{flow(steps(card))}<details><summary>The same as a table</summary>{table}</details>"


def _images(card: Card) -> str:
    table = card.tables.get(IMAGES)
    if table is None:
        return f"<p>{_TOO_FEW}</p>"
    years = sorted({year for _, year in table} - {ALL})
    modalities = sorted({modality for modality, _ in table} - {ALL})
    most = max((told.value or 0 for (one, year), told in table.items() if one and year), default=0)
    rows = []
    for year in [*years, ALL]:
        cells = [_image_cell(table, (modality, year), most) for modality in modalities]
        rows.append(
            f"<tr{'' if year else ' class=sum'}><th scope=row>{year or 'all years'}</th>{''.join(cells)}"
            f"{_cell(table.get(('', year)))}</tr>"
        )
    heads = ("year", *(f"*{modality}" for modality in modalities), "*all")
    return _table("Images by year and modality; darker where more are", heads, rows)


def _image_cell(table: Table, name: Name, most: int) -> str:
    told = table.get(name)
    if told is None:
        return '<td class="n quiet">0</td>'
    if told.value is None or not name[1]:
        return _cell(told)
    return f'<td class="n shade" style="--tenths:{told.value * 10 // most if most else 0}">{number(told)}</td>'


def _people(card: Card) -> Iterator[str]:
    compared = f"{POPULATION} by {AGE_SEX}" in card.tables
    if compared:
        total = number((card.tables.get(POPULATION) or {}).get((ALL,)))
        yield (
            f"<p>Beside the cohort stands the population: people of the demography of zone 2 who lived and were "
            f"registered on {card.day}, {total} in number. Ages of the cohort are those at the first study.</p>"
            '<ul class="key"><li><i></i>cohort</li><li><b></b>population</li></ul>'
        )
    else:
        yield "<p>Zone 2 has no demography to compare the cohort with.</p>"
    yield '<div class="two">'
    for name, caption, head in _OF_PEOPLE:
        if name in card.tables:
            yield _of_people(card, name, caption, head)
    yield "</div>"


def _of_people(card: Card, name: str, caption: str, head: str) -> str:
    """A table of people by one trait; where there are two, one for each value of the second."""
    mine, everybody = card.tables[name], card.tables.get(f"{POPULATION} by {name}")
    if mine is None:
        return f"<div><h3>{escape(caption)}</h3><p>{_TOO_FEW}</p></div>"
    seconds = sorted({one[1:] for one in mine if all(one)})
    heads = (head, "*patients", "*cohort", *(("*popu\u00adlation",) if everybody is not None else ()), "")
    tables = []
    for second in seconds:
        names = {one for one in (*mine, *(everybody or {})) if all(one) and one[1:] == second}
        ordered = sorted(names, key=lambda one: (one[0] == UNKNOWN, one[0].startswith("90"), one))
        parts = [_part(table, one)[1] or 0.0 for table in (mine, everybody or {}) for one in ordered]
        rows = [_person_row(one, mine, everybody, max(parts, default=0.0) or 1.0) for one in ordered]
        tables.append(f"<div>{_table(', '.join((caption, *second)), heads, rows, wide=True)}</div>")
    return "".join(tables)


def _person_row(name: Name, mine: Table, everybody: Table | None, most: float) -> str:
    """People of the cohort, and what part of it and of everybody they are; a bar of ``most`` is a whole one."""
    told, part = _part(mine, name)
    marks = "" if part is None else f'<i style="--part:{100 * part / most:.1f}%"></i>'
    of_all = ""
    if everybody is not None:
        _, other = _part(everybody, name)
        marks += "" if other is None else f'<b style="--part:{100 * other / most:.1f}%"></b>'
        of_all = _text(percent(other))
    return (
        f"<tr><th scope=row>{escape(name[0])}</th>{_cell(told)}{_text(percent(part))}{of_all}"
        f"<td class=bar aria-hidden=true><span class=track>{marks}</span></td></tr>"
    )


def _part(table: Table, name: Name) -> tuple[Told, float | None]:
    told = table.get(name, Told(0, 0, 0))
    return told, share(told, margin(table))


def _listed(card: Card, name: str, caption: str, head: str) -> str:
    table = card.tables.get(name)
    if table is None:
        return f"<p>{_TOO_FEW}</p>"
    total = margin(table)
    ordered = sorted((one for one in table if one[0]), key=lambda one: (-(table[one].value or 0), one))
    rows = []
    for one in ordered:
        part = share(table[one], total)
        bar = "" if part is None else f'<i style="--part:{100 * part:.1f}%"></i>'
        rows.append(
            f"<tr><th scope=row>{escape(one[0])}</th>{_cell(table[one])}{_text(percent(part))}"
            f"<td class=bar aria-hidden=true><span class=track>{bar}</span></td></tr>"
        )
    return _table(caption, (head, "*images", "*share", ""), rows, wide=True)


def _missing(name: str, shares: Sequence[Share]) -> str:
    some = [one for one in shares if one.least != one.most]
    some.sort(key=lambda one: (-one.least, one.column))
    rows = [
        f"<tr><th scope=row><code>{escape(one.column)}</code></th>{_text(missing(one))}"
        f'<td class=bar aria-hidden=true><span class=track><i style="--part:{one.most}%"></i></span></td></tr>'
        for one in some
    ]
    always, never = ([one.column for one in shares if one.least == one.most == part] for part in (100, 0))
    told = f"<p>Columns with a value in every row: {len(never)}; in none: {len(always)}.</p>"
    lists = "".join(
        f"<details><summary>{summary}</summary><p class=quiet>{escape(', '.join(columns))}</p></details>"
        for summary, columns in (("Never missing", never), ("Always missing", always))
        if columns
    )
    table = (
        _table("Columns that some rows have no value of", ("column", "*missing", ""), rows, wide=True) if rows else ""
    )
    folded = (
        f"<details><summary>{len(some)} columns are missing in some rows</summary>{table}</details>"
        if len(some) > 12
        else table
    )
    return f"<h3><code>{escape(name)}</code></h3>{told}{folded}{lists}"


def _linked(card: Card) -> str:
    names = [name for name in card.tables if name.startswith(f"{LINKED} ")]
    if not names:
        return "<p>No records are delivered with this cohort.</p>"
    rows = []
    for name in names:
        table = card.tables[name]
        told = (table or {}).get(("with a row",))
        part = share(told, margin(table or {}))
        bar = "" if part is None else f'<i style="--part:{100 * part:.1f}%"></i>'
        rows.append(
            f"<tr><th scope=row><code>{escape(name.removeprefix(f'{LINKED} '))}</code></th>{_cell(told)}"
            f"{_text(percent(part))}<td class=bar aria-hidden=true><span class=track>{bar}</span></td></tr>"
        )
    return _table("Patients with records delivered, by table", ("table", "*patients", "*share", ""), rows, wide=True)


def _coverage(card: Card) -> str:
    sources = ["images", *sorted({source for source, _ in card.coverage} - {"images"})]
    years = sorted({year for _, year in card.coverage})
    rows = [
        f"<tr><th scope=row>{year}</th>"
        + "".join(
            _text(at_least(card.coverage[source, year], card.minimum) if (source, year) in card.coverage else "–")
            for source in sources
        )
        + "</tr>"
        for year in years
    ]
    return _table("Coverage: patients by year of the event", ("year", *(f"*{source}" for source in sources)), rows)


def _versions(card: Card) -> str:
    rows = "".join(map(_version, (card.version, *card.earlier)))
    heads = ("version", "built", "*patients", "*studies", "*images", "software")
    found = changes(card)
    told = ""
    if card.earlier:
        before = card.earlier[0].version
        what = (
            f"Other than in version {before}: {', '.join(found)}."
            if found
            else f"Made of the same as version {before}."
        )
        told = f"<p>{escape(what)}</p>"
        if card.came is not None or card.went is not None:
            came, went = (at_least(people, card.minimum) for people in (card.came, card.went))
            told += f"<p>Patients who came since: {came}; who went: {went}.</p>"
        else:
            told += f"<p>How many patients came and went since is {HIDDEN}, or cannot be compared.</p>"
    return _table("This version, and those before it that had a card", heads, [rows]) + told


def _version(version: Version) -> str:
    counts = "".join(map(_cell, (version.patients, version.studies, version.images)))
    return (
        f"<tr><th scope=row>{version.version}</th><td>{version.built}</td>{counts}"
        f"<td>smi_spark {escape(version.software)}</td></tr>"
    )


def _notes(card: Card) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in footnotes(card))
    inputs = "".join(
        f"<li><code>{escape(name)}</code>, version {number}</li>" for name, number in card.version.inputs.items()
    )
    approved = f"<p>Approved: {escape(card.approval_reference)}</p>" if card.approval_reference else ""
    return (
        f"<ul>{notes}</ul><h3>Made of</h3><ul>{inputs}</ul>{approved}"
        f'<h3>To cite</h3><p class="cite">{escape(citation(card))}</p>'
    )


def _cell(told: Told | None) -> str:
    return _text(number(told))


def _text(text: str) -> str:
    return f'<td class="n{" hid" if text == HIDDEN else ""}">{escape(text)}</td>'


def _table(caption: str, heads: Iterable[str], rows: Sequence[str], *, wide: bool = False) -> str:
    """A table that can be scrolled by keyboard where it is too wide; heads with a star stand over numbers."""
    columns = "".join(map(_head, heads))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table{' class=wide' if wide else ''}><caption>{escape(caption)}</caption>"
        f"<thead><tr>{columns}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _head(head: str) -> str:
    if not head:
        return "<td></td>"
    return f"<th scope=col{' class=n' if head.startswith('*') else ''}>{escape(head.lstrip('*'))}</th>"


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
