"""How a card says things, the same on its page, in its Markdown and in plots."""

from collections.abc import Mapping

from smi_spark.analysis.card.contents import Card, Share
from smi_spark.analysis.registry import Registered
from smi_spark.analysis.shown import HIDDEN, IMAGES_LEFT, PATIENTS, STUDIES
from smi_spark.analysis.suppression import ALL, Name, Told


def number(told: Told | None) -> str:
    """A count as readers see it: ``1,204``, ``about 1,200`` as an earlier version told it, ``hidden``."""
    if told is None or told.value is None:
        return HIDDEN
    return f"{told.value:,}" if told.is_exact else f"≈ {told.value:,}"


def counted(told: Told | None, what: str) -> str:
    """``1,204 images``, ``images hidden``."""
    return f"{what} {HIDDEN}" if told is None or told.value is None else f"{number(told)} {what}"


def share(told: Told | None, total: Told | None) -> float | None:
    """The part of the whole, where both are told."""
    if told is None or total is None or told.value is None or not total.value:
        return None
    return min(1.0, told.value / total.value)


def percent(part: float | None) -> str:
    """A part of the whole as a percentage: whole, below 10 % with one place."""
    if part is None:
        return HIDDEN
    return f"{100 * part:.1f} %" if 0 < part < 0.1 else f"{100 * part:.0f} %"


def at_least(people: int | None, minimum: int) -> str:
    """A number of people that is told by tens."""
    if people is None:
        return HIDDEN
    return f"{people:,} or more" if people else f"fewer than {minimum}"


def missing(share: Share) -> str:
    """In how many rows a column has no value."""
    if share.least == share.most:
        return "always" if share.most else "never"
    return f"{share.least}–{share.most} %"


def margin(table: Mapping[Name, Told]) -> Told | None:
    """The sum of a table."""
    return next((told for name, told in table.items() if not any(name)), None)


def withdrawal(entry: Registered) -> str:
    """Why a version's card is there no longer."""
    day = f" on {entry.withdrawn_at:%Y-%m-%d}" if entry.withdrawn_at else ""
    follows = f" Version {entry.successor} is the same without them." if entry.successor else ""
    return f"This version was withdrawn{day}: it held people who said no.{follows}"


def step_names(card: Card) -> list[Name]:
    """The names of the attrition's steps in the card's tables."""
    return [*((step,) for step in card.steps[:-1]), (ALL,)]


def steps(card: Card) -> list[tuple[str, Told | None, Told | None, Told | None]]:
    """Rule, patients, studies, images of each step."""
    patients, studies, images = (card.tables.get(name) or {} for name in (PATIENTS, STUDIES, IMAGES_LEFT))
    return [
        (rule, patients.get(name), studies.get(name), images.get(name))
        for rule, name in zip(card.steps, step_names(card), strict=True)
    ]


def lost(before: Told | None, after: Told | None) -> str:
    """How many patients a step lost, where both numbers are told exactly."""
    if before is None or after is None or not (before.is_exact and after.is_exact):
        return "how many are lost is not told"
    gone = (before.value or 0) - (after.value or 0)
    return f"{gone:,} patients lost" if gone else "nobody lost"


def citation(card: Card) -> str:
    """How to cite the version."""
    version = card.version
    approval = f", approval {version.approval}" if version.approval else ""
    return (
        f"{card.project}/{card.cohort}, version {version.version}, built {version.built}{approval}. "
        f"Content checksum SHA-256 {card.checksum}; definition SHA-256 {version.definition_hash}; "
        f"smi_spark {version.software}."
    )


def footnotes(card: Card) -> list[str]:
    """What has to be said of the numbers that this card has."""
    told = [one for table in card.tables.values() if table is not None for one in table.values()]
    notes = [
        f"{HIDDEN}: a count of 1 to {card.minimum - 1} people, or one from which such a count could be worked out. "
        f"At least {card.minimum} values remain possible for each."
    ]
    carried = sorted({one.version for one in told if one.version is not None})
    if carried:
        of = ", ".join(map(str, carried))
        notes.append(
            f"≈: as the card of version {of} told it; fewer than {card.minimum} people more or less are in it now, "
            "perhaps none. Had it been told anew, the difference would tell of these."
        )
    if any(one.people is not None and one.version is not None for one in told):
        notes.append("Numbers of images and studies marked so may differ by more than that.")
    if card.dates == "shift":
        notes.append(
            "Dates in this version are shifted by up to 26 weeks a patient, so that years are near, not exact."
        )
    return notes


def changes(card: Card) -> list[str]:
    """What is another than in the version before."""
    if not card.earlier:
        return []
    now, before = card.version, card.earlier[0]
    found = []
    if now.definition_hash != before.definition_hash:
        found.append("the definition")
    moved = [name for name, number in now.inputs.items() if before.inputs.get(name) != number]
    found += [f"{name} (version {before.inputs.get(name, 'none')} → {now.inputs[name]})" for name in moved]
    if now.software != before.software:
        found.append(f"smi_spark ({before.software} → {now.software})")
    if now.approval != before.approval:
        found.append(f"the approval ({before.approval or 'none'} → {now.approval or 'none'})")
    return found
