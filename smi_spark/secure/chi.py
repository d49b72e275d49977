"""CHI, Scotland's Community Health Index number: ten digits, the last one a check."""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.errors import ConfigError
from smi_spark.reasons import Reason
from smi_spark.secure.letters import ZERO, Array, Letters, are_digits, number

LENGTH = 10

Check = Callable[[Column], Column]


class ChiFlag(StrEnum):
    """What a row's ``chi_flags`` say of a CHI number. A number that is as it should be has none."""

    RESTORED = "restored"
    SECOND_CHECK = "second_check"
    NOT_TEN_DIGITS = "not_ten_digits"
    WRONG_DATE = "wrong_date"
    WRONG_CHECK = "wrong_check"


FAILURES = (ChiFlag.NOT_TEN_DIGITS, ChiFlag.WRONG_DATE, ChiFlag.WRONG_CHECK)

_PADDING = re.compile(r"[\s\x00]", re.ASCII)  # as Java's \s has it
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)


@dataclass(frozen=True)
class Chis:
    """A column of CHI numbers, restored: which were; ``faults``: each one's place in ``FAILURES``, -1 where in order.

    Null, which is no number, is in order.
    """

    numbers: Array
    restored: Any
    faults: Any


def judge_chis(texts: Array) -> Chis:
    """CHI numbers (trimmed, null for none) with the zero that spreadsheets lose put back where nine digits are left.

    In order are ten digits of which the first six are a date written DDMMYY and the last one checks the others:
    weighted by 10, 9 … 1 they add up to a multiple of 11. Numbers with the second check digit, issued since November
    2025 for birthdays whose numbers have run out, fail this one: they are flagged, never dropped.
    Source: NHS Scotland, CHI number, modulus 11.
    """
    letters = Letters.of(texts)
    faults = np.where(letters.lengths < 0, -1, FAILURES.index(ChiFlag.NOT_TEN_DIGITS)).astype(np.int8)
    restored = np.zeros(len(texts), bool)
    for width in (LENGTH, LENGTH - 1):
        places = np.flatnonzero(letters.lengths == width)
        rows = letters.rows(places, width)
        fits = are_digits(rows)
        if not fits.all():
            places, rows = places[fits], rows[fits]
        if width < LENGTH:
            rows = np.pad(rows, [(0, 0), (LENGTH - width, 0)], constant_values=ZERO)
            restored[places] = True
        faults[places] = _faults(rows)
    if restored.any():
        texts = pc.if_else(pa.array(restored), pc.binary_join_element_wise(pa.scalar("0"), texts, pa.scalar("")), texts)
    return Chis(texts, restored, faults)


def patient_identity(raw: Column, nobody: Sequence[str] = ()) -> Column:
    """The text of a patient id that pseudonyms are made of: the same for all ways of writing one CHI number.

    Padding is stripped, spaces within a CHI are closed, and a leading zero that a spreadsheet took is put back
    (nine digits); ``A\\A`` is A. Null where nobody can be found: for blanks, for two ids that differ (``A\\B``), and
    for what stands for nobody, which is zeros and signs alone (``000-000``, ``?``), and the texts of ``nobody`` in
    whatever capitals.
    """
    identity = _identity(raw)
    return F.when(_is_plain(raw, nobody), raw).otherwise(F.when(~_is_nobody(identity, nobody), identity))


def identity_fault(raw: Column, nobody: Sequence[str] = ()) -> Column:
    """Why a patient id has no ``patient_identity``, as the texts of ``Reason``; null where it has one."""
    identity = _identity(raw)
    is_blank = F.coalesce(raw, F.lit("")).rlike(r"^[\s\x00\\]*$")
    return (
        F.when(_is_plain(raw, nobody), None)
        .when(is_blank, str(Reason.NO_PATIENT_ID))
        .when(identity.isNull(), str(Reason.TWO_PATIENT_IDS))
        .when(_is_nobody(identity, nobody), str(Reason.DEFAULT_PATIENT_ID))
    )


def ids_named(raw: Column) -> Column:
    """All ids that a text names, an array, each as ``patient_identity`` writes it: of ``A\\A`` one, of ``A\\B`` two."""
    return F.array_distinct(F.array_compact(F.transform(F.split(raw, r"\\"), _identity_of_one)))


def ids_in(text: str) -> frozenset[str]:
    """Ids that a text of a data set names, each as ``patient_identity`` writes it: of ``A\\A`` one, of ``A\\B`` two."""
    found = set()
    for value in text.split("\\"):
        closed = _PADDING.sub("", value)
        found.add(closed.zfill(LENGTH) if re.fullmatch("[0-9]{9,10}", closed) else value.strip(" \t\n\v\f\r\0"))
    return frozenset(found - {""})


def _is_plain(raw: Column, nobody: Sequence[str]) -> Column:
    """Whether a text is its own identity at first sight, as nearly all are: what costs more is done for the others."""
    return raw.rlike(r"^[0-9]{10}\z") & ~raw.isin("0" * LENGTH, *_in_capitals(nobody))


def _identity(raw: Column) -> Column:
    """The one id that a text names; null for none or several."""
    return F.when(raw.contains("\\"), _one_of_several(raw)).otherwise(_identity_of_one(raw))


def _identity_of_one(raw: Column) -> Column:
    closed = F.regexp_replace(raw, r"[\s\x00]", "")
    stripped = F.regexp_replace(raw, r"^[\s\x00]+|[\s\x00]+$", "")
    identity = F.when(closed.rlike("^[0-9]{9,10}$"), F.lpad(closed, LENGTH, "0")).otherwise(stripped)
    return F.when(identity != "", identity)


def _one_of_several(raw: Column) -> Column:
    """Of values between backslashes; without a lambda, for which Spark would make no code."""
    closed = F.regexp_replace(raw, r"[\s\x00]", "")
    numbers = F.regexp_replace(closed, "(?<![0-9])([0-9]{9})(?![0-9])", "0$1")
    stripped = F.regexp_replace(raw, r"^[\s\x00]+|[\s\x00]+$|[\s\x00]+(?=\\)|(?<=\\)[\s\x00]+", "")
    texts = F.when(closed.rlike(r"^\\*([0-9]{9,10}(\\+|$))+$"), numbers).otherwise(stripped)
    ids = F.array_remove(F.array_distinct(F.split(texts, r"\\")), "")
    return F.when(F.size(ids) == 1, F.get(ids, F.lit(0)))


def _is_nobody(identity: Column, nobody: Sequence[str]) -> Column:
    return identity.rlike(r"^[0[^\p{L}\p{N}]]+$") | F.upper(identity).isin(_in_capitals(nobody))


def _in_capitals(nobody: Sequence[str]) -> list[str]:
    return [text.strip().upper() for text in nobody]


def birth_date_of(chi: Column, day: Column) -> Column:
    """The date (DDMMYY) that a CHI number begins with, in the latest year of these digits up to that of ``day``.

    Null where they are no date. Who is a hundred at ``day`` is taken for newborn.
    """
    years_ago = F.pmod(F.year(day) - F.substring(chi, 5, 2).try_cast("int"), F.lit(100))
    year = F.lpad((F.year(day) - years_ago).cast("string"), 4, "0")
    return F.try_to_date(F.concat(year, F.substring(chi, 3, 2), F.substring(chi, 1, 2)), "yyyyMMdd")


def fault_names(faults: Any) -> Array:
    """``Chis.faults`` as the texts of ``ChiFlag``; null where a number is in order."""
    places = pa.array(faults, pa.int8(), mask=faults < 0)
    return pa.array(list(map(str, FAILURES))).take(places)


def second_check(name: str | None) -> Check | None:
    """The site's further check: ``package.module:function``, a function of a column of CHIs to a boolean column.

    Raises ConfigError where there is no such function.
    """
    if name is None:
        return None
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function, None) if function else None
    except ImportError as error:
        raise ConfigError(f"records.second_chi_check: {name} cannot be imported: {error}.") from None
    if not callable(found):
        raise ConfigError(f"records.second_chi_check: {name} is no function. Write it as package.module:function.")
    check: Check = found
    return check


def _faults(rows: Any) -> Any:
    """What each row of ten digits fails."""
    weighted = sum(rows[:, place].astype(np.int16) * (LENGTH - place) for place in range(LENGTH))
    passes = (weighted - ZERO * sum(range(LENGTH + 1))) % 11 == 0
    day, month, year = (number(rows, place, 2) for place in (0, 2, 4))
    is_month = (month >= 1) & (month <= 12)
    leaps = (month == 2) & (year % 4 == 0)  # 1900 and 2000 look alike
    is_date = is_month & (day >= 1) & (day <= _DAYS[np.where(is_month, month, 0)] + leaps)
    wrong_date, wrong_check = (FAILURES.index(flag) for flag in (ChiFlag.WRONG_DATE, ChiFlag.WRONG_CHECK))
    return np.select([~is_date, ~passes], [wrong_date, wrong_check], -1)
