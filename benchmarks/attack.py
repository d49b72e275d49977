"""Every valid CHI number tried against pseudonyms: whom would somebody find who has no key?

    python benchmarks/attack.py [--save benchmarks/results/attack.txt]

Takes some minutes on one core. An unkeyed hash and one cut short fail; ours, tried with a wrong key, links nobody.
"""

import argparse
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from smi_spark.deidentified.pseudonyms import pseudonym
from smi_spark.synthetic.people import chi_check_digit

Hash = Callable[[str], str]
PEOPLE, CUT = 1_000, 6  # pseudonyms that are attacked; hexadecimal digits of the hash that is cut short


def all_chis(first: date = date(1926, 1, 1), last: date = date(2025, 12, 31)) -> Iterator[str]:
    """Every ten digits that can be a CHI number of somebody born in these days, each once."""
    endings = [f"{number:03d}" for number in range(1000)]
    for offset in range((last - first).days + 1):
        day = f"{first + timedelta(days=offset):%d%m%y}"
        for ending in endings:
            check = chi_check_digit(day + ending)
            if check < 10:
                yield f"{day}{ending}{check}"


def found(pseudonyms: Iterable[str], tried: Hash, chis: Iterable[str]) -> int:
    """How many of the pseudonyms the attacker takes for somebody's: ``tried`` gives one of them for some CHI."""
    wanted = set(pseudonyms)
    return len({guess for chi in chis if (guess := tried(chi)) in wanted})


def unkeyed(chi: str) -> str:
    """SHA-256 without a key."""
    return hashlib.sha256(chi.encode()).hexdigest()[:32]


def cut_short(key: bytes) -> Hash:
    """HMAC-SHA256 of which few digits are kept."""
    return lambda chi: hmac.digest(key, chi.encode(), "sha256").hex()[:CUT]


def ours(key: bytes) -> Hash:
    """What zone 2 has."""
    return lambda chi: pseudonym(key, "patient", chi)


def attacks(true: bytes, wrong: bytes) -> dict[str, tuple[Hash, Hash]]:
    """Name → what was published, and what the attacker tries, who knows all but the key."""
    return {
        "SHA-256 without a key": (unkeyed, unkeyed),
        f"HMAC cut to {4 * CUT} bits, another key": (cut_short(true), cut_short(wrong)),
        "ours, another key": (ours(true), ours(wrong)),
    }


def main() -> None:
    from headers import machine  # which only a run of its own finds

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    chis = list(all_chis())
    people = chis[:: len(chis) // PEOPLE][:PEOPLE]
    lines = [*machine(), "", f"{len(chis):,} CHI numbers tried against the pseudonyms of {PEOPLE:,} people"]
    for name, (published, tried) in attacks(secrets.token_bytes(32), secrets.token_bytes(32)).items():
        start = time.perf_counter()
        count = found(map(published, people), tried, chis)
        verdict = "fails" if count else "passes"
        lines.append(f"  {name:36} {count:5,} linked to somebody   {verdict} ({time.perf_counter() - start:.0f} s)")
    print("\n".join(lines))
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
