"""Somebody without the key tries every CHI number of a month's birthdays; all of them: ``make attack``."""

from datetime import date

import pytest

from benchmarks.attack import all_chis, attacks, found

CHIS = list(all_chis(date(1950, 3, 1), date(1950, 3, 31)))
PEOPLE = CHIS[::500]
LINKED = {name: found(map(published, PEOPLE), tried, CHIS)
          for name, (published, tried) in attacks(b"t" * 32, b"w" * 32).items()}  # fmt: skip


def test_all_numbers_of_the_days_are_tried() -> None:
    assert len(set(CHIS)) == len(CHIS) == 28_182
    assert {chi[:6] for chi in CHIS} == {f"{day:02d}0350" for day in range(1, 32)}


def test_an_unkeyed_hash_gives_everybody_away() -> None:
    assert LINKED["SHA-256 without a key"] == len(PEOPLE)


def test_ours_links_nobody() -> None:
    assert LINKED["ours, another key"] == 0


@pytest.mark.parametrize("chi", CHIS[:2])
def test_with_the_right_key_the_attack_would_find_everybody(chi: str) -> None:
    published, _ = attacks(b"t" * 32, b"w" * 32)["ours, another key"]
    assert found([published(chi)], published, CHIS) == 1
