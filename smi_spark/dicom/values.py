"""Spans of bytes → values, after the VR: text trimmed and split, numbers and dates parsed. Compiled.

Source: DICOM PS3.5 section 6.2 (value representations).
"""

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import compiled, inner
from smi_spark.dicom.gather import grown
from smi_spark.dicom.layout import vr_code
from smi_spark.dicom.syntax import among

# Why a value is null
FINE, NOT_NUMBER, NOT_DATE, NOT_TIME, LEFT_OUT, OTHER_VR, SEVERAL, NOT_INTEGER, HARD = range(9)
# What a column holds
TEXT, DOUBLE, LONG, DATE = range(4)

_WIDTHS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "UV": 8, "SV": 8, "FL": 4, "FD": 8}
_NUMBER_VRS = np.array([vr_code(vr) for vr in _WIDTHS], np.int64)
_NUMBER_WIDTHS = np.array(list(_WIDTHS.values()), np.int64)
_WHOLE = np.array([vr_code(vr) for vr in ("LT", "ST", "UT", "UR")], np.int64)  # a backslash is text, leading spaces too
_OTHER = np.array([vr_code(vr) for vr in ("AT", "OB", "OD", "OF", "OL", "OV", "OW", "SQ")], np.int64)
_LEADING = vr_code("UC")
_TM, _FL, _FD = vr_code("TM"), vr_code("FL"), vr_code("FD")
_SIGNED = np.array([vr_code(vr) for vr in ("SS", "SL", "SV")], np.int64)
_BACKSLASH, _SPACE, _POINT, _COLON = 92, 32, 46, 58
_POWERS = np.array([10.0**i for i in range(23)])


@compiled
def collect(buffer, spans, start, stop, rows, holds, is_list, nested):  # type: ignore[no-untyped-def]
    """The single values of one column, from its spans ``start`` to ``stop``, in order of row.

    Gives ``parts`` (row, offset, length, VR, big endian, why null) and ``heads`` (the parts of row r are ``heads[r]``
    to ``heads[r + 1]``). A column that is no list has at most one part a row. Several spans of one row come from
    several items of a sequence; else the first stands.
    """
    parts = np.empty((6, max(16, stop - start)), np.int64)
    heads = np.zeros(rows + 1, np.int64)
    count = 0
    last = -1
    for i in range(start, stop):
        row = spans[1, i]
        if row == last and not (is_list and nested):
            continue
        for between in range(last + 1, row + 1):
            heads[between] = count
        last = row
        most = _most(buffer, spans[:, i], is_list)
        if parts.shape[1] < count + most:
            parts = grown(parts, 2 * parts.shape[1] + most)
        count = _split(buffer, spans[:, i], holds, is_list, parts, count)
    for between in range(last + 1, rows + 1):
        heads[between] = count
    return grown(parts, count), heads


@inner
def _most(buffer, span, is_list):  # type: ignore[no-untyped-def]
    """How many values a span can hold."""
    if not is_list or span[3] <= 0:
        return 1
    width = _width(span[4])
    if width > 0:
        return span[3] // width + 1
    most = 1
    for i in range(span[2], span[2] + span[3]):
        if buffer[i] == _BACKSLASH:
            most += 1
    return most


@inner
def _split(buffer, span, holds, is_list, parts, count):  # type: ignore[no-untyped-def]
    """The values of one span appended to ``parts``; gives the new count."""
    offset, length, vr = span[2], span[3], span[4]
    if length == at.LEFT_OUT:
        return _part(parts, count, span, offset, 0, LEFT_OUT)
    width = _width(vr)
    if width > 0 and holds != TEXT and holds != DATE:
        if length % width != 0 or (not is_list and length > width):
            return _part(parts, count, span, offset, length, SEVERAL if length % width == 0 else NOT_NUMBER)
        for start in range(offset, offset + length, width):
            count = _part(parts, count, span, start, width, FINE)
        return count
    if width > 0 or among(vr, _OTHER):
        return count if length == 0 else _part(parts, count, span, offset, length, OTHER_VR)
    if not is_list or among(vr, _WHOLE):
        start, size = _trim(buffer, offset, length, vr)
        return count if size == 0 else _part(parts, count, span, start, size, FINE)
    if _trim(buffer, offset, length, vr)[1] == 0:
        return count
    begin = offset
    for i in range(offset, offset + length + 1):
        if i == offset + length or buffer[i] == _BACKSLASH:
            start, size = _trim(buffer, begin, i - begin, vr)
            count = _part(parts, count, span, start, size, FINE)
            begin = i + 1
    return count


@inner
def _part(parts, count, span, offset, length, why):  # type: ignore[no-untyped-def]
    parts[0, count] = span[1]
    parts[1, count] = offset
    parts[2, count] = length
    parts[3, count] = span[4]
    parts[4, count] = span[5]
    parts[5, count] = why
    return count + 1


@inner
def _width(vr):  # type: ignore[no-untyped-def]
    """Bytes of one number of a binary VR; 0 for other VRs."""
    for i in range(len(_NUMBER_VRS)):
        if _NUMBER_VRS[i] == vr:
            return _NUMBER_WIDTHS[i]
    return 0


@inner
def _trim(buffer, offset, length, vr):  # type: ignore[no-untyped-def]
    """Without padding: spaces and zeros at the end, and at the start where the VR gives them no meaning."""
    end = offset + length
    while end > offset and (buffer[end - 1] == _SPACE or buffer[end - 1] == 0):
        end -= 1
    if not among(vr, _WHOLE) and vr != _LEADING:
        while offset < end and buffer[offset] == _SPACE:
            offset += 1
    return offset, end - offset


@compiled
def copy_texts(buffer, parts, places, total):  # type: ignore[no-untyped-def]
    """Texts one after the other: part i goes to place ``places[i]`` of ``total``; gives offsets, bytes, validity."""
    offsets = np.zeros(total + 1, np.int64)
    valid = np.zeros(total, np.bool_)
    for i in range(parts.shape[1]):
        if parts[5, i] == FINE and parts[3, i] == _TM and parts[2, i] > 0 and not _is_time(buffer, parts[:, i]):
            parts[5, i] = NOT_TIME
        if parts[5, i] == FINE and parts[2, i] > 0:
            offsets[places[i] + 1] = parts[2, i]
            valid[places[i]] = True
    for i in range(total):
        offsets[i + 1] += offsets[i]
    texts = np.empty(offsets[total], np.uint8)
    for i in range(parts.shape[1]):
        if parts[5, i] == FINE:
            to = offsets[places[i]]
            for k in range(parts[2, i]):
                texts[to + k] = buffer[parts[1, i] + k]
    return offsets, texts, valid


@inner
def _is_time(buffer, part):  # type: ignore[no-untyped-def]
    """HH, HHMM, HHMMSS or HHMMSS.F…, or the old HH:MM:SS."""
    digits = number = 0
    end = part[1] + part[2]
    i = part[1]
    while i < end and buffer[i] != _POINT:
        byte = buffer[i]
        i += 1
        if byte == _COLON and digits > 0 and digits % 2 == 0:
            continue
        if byte < 48 or byte > 57 or digits == 6:
            return False
        number = 10 * number + byte - 48
        digits += 1
        if digits % 2 == 0:
            if number >= (24 if digits == 2 else 60 if digits == 4 else 61):
                return False
            number = 0
    for k in range(i + 1, end):
        if buffer[k] < 48 or buffer[k] > 57:
            return False
    return digits == 6 or (i == end and (digits == 2 or digits == 4))


@compiled
def parse_numbers(buffer, parts, places, doubles, longs, valid, whole):  # type: ignore[no-untyped-def]
    """Numbers of text or binary VRs to their places: in ``longs`` where ``whole``, else in ``doubles``."""
    scratch = np.zeros(8, np.uint8)
    as_double = scratch.view(np.float64)
    as_float = scratch.view(np.float32)
    for i in range(parts.shape[1]):
        if parts[5, i] != FINE or parts[2, i] == 0:
            continue
        place, vr = places[i], parts[3, i]
        if _width(vr) == 0:
            why, number, exact = _decimal(buffer, parts[1, i], parts[2, i])
        elif vr == _FL or vr == _FD:  # noqa: SIM109
            _bytes(buffer, parts[:, i], scratch)
            why, number, exact = FINE, as_double[0] if vr == _FD else np.float64(as_float[0]), np.int64(0)
        else:
            why, number, exact = _integer(buffer, parts[:, i], scratch)
        if whole and why == HARD and exact != 0:
            why = FINE
        if whole and why == FINE and not (exact != 0 or number == 0.0):
            if np.abs(number) < 9e15 and np.floor(number) == number:
                exact = np.int64(number)
            else:
                why = NOT_INTEGER
        parts[5, i] = why
        valid[place] = why == FINE
        if why == FINE and whole:
            longs[place] = exact
        elif why == FINE:
            doubles[place] = number


@inner
def _bytes(buffer, part, scratch):  # type: ignore[no-untyped-def]
    """The bytes of a binary number, least first, in ``scratch``."""
    for k in range(8):
        scratch[k] = 0
    for k in range(part[2]):
        scratch[k] = buffer[part[1] + (part[2] - 1 - k if part[4] == 1 else k)]


@inner
def _integer(buffer, part, scratch):  # type: ignore[no-untyped-def]
    _bytes(buffer, part, scratch)
    number = np.int64(0)
    for k in range(part[2] - 1, -1, -1):
        number = number << 8 | np.int64(scratch[k])
    signed = among(part[3], _SIGNED)
    if part[2] == 8 and not signed and number < 0:
        return NOT_INTEGER, 0.0, number
    if signed and part[2] < 8 and number >= np.int64(1) << (8 * part[2] - 1):
        number -= np.int64(1) << (8 * part[2])
    return FINE, np.float64(number), number


@inner
def _decimal(buffer, offset, length):  # type: ignore[no-untyped-def]
    """A decimal number: why not, its value, and the same as integer where it is one of up to 18 digits.

    Exact where 15 digits and a power of ten up to 22 suffice (both are doubles then); HARD beyond, for Python to do.
    """
    end = offset + length
    negative = length > 0 and buffer[offset] == 45
    signed = length > 0 and (negative or buffer[offset] == 43)
    mantissa, digits, kept, shift, i = _digits(buffer, offset + (1 if signed else 0), end)
    power, i = _exponent(buffer, i, end)
    if digits == 0 or i != end:
        several = digits > 0 and i >= 0 and buffer[i] == _BACKSLASH
        return (SEVERAL if several else NOT_NUMBER), 0.0, mantissa
    sign = -1 if negative else 1
    if kept > 18 or abs(power) > 9999:
        return HARD, 0.0, np.int64(0)
    if shift == 0 and power == 0:
        return (FINE if mantissa < 1 << 53 else HARD), sign * np.float64(mantissa), sign * mantissa
    shift += power
    if mantissa >= 1 << 53 or abs(shift) > 22:
        return HARD, 0.0, np.int64(0)
    number = sign * np.float64(mantissa)
    return FINE, number * _POWERS[shift] if shift >= 0 else number / _POWERS[-shift], np.int64(0)


@inner
def _digits(buffer, i, end):  # type: ignore[no-untyped-def]
    """Digits with at most one point among them: as integer, how many, how many count, power of ten, where they end."""
    mantissa = np.int64(0)
    digits = kept = shift = 0
    point = False
    while i < end and ((buffer[i] == _POINT and not point) or (48 <= buffer[i] <= 57)):
        if buffer[i] == _POINT:
            point = True
        else:
            digits += 1
            if kept < 18:
                mantissa = 10 * mantissa + np.int64(buffer[i]) - 48
            if mantissa > 0:
                kept += 1
            shift -= 1 if point else 0
        i += 1
    return mantissa, digits, kept, shift, i


@inner
def _exponent(buffer, i, end):  # type: ignore[no-untyped-def]
    """The power after E, and where it ends; an E without digits ends nowhere."""
    if i >= end or (buffer[i] != 69 and buffer[i] != 101):
        return 0, i
    i += 1
    negative = i < end and buffer[i] == 45
    if i < end and (buffer[i] == 45 or buffer[i] == 43):
        i += 1
    start = i
    power = 0
    while i < end and 48 <= buffer[i] <= 57:
        power = min(10 * power + buffer[i] - 48, 99999)
        i += 1
    if i == start:
        return 0, -1
    return -power if negative else power, i


@compiled
def parse_dates(buffer, parts, places, days, valid):  # type: ignore[no-untyped-def]
    """YYYYMMDD and the old YYYY.MM.DD to days since 1970-01-01."""
    numbers = np.zeros(3, np.int64)
    for i in range(parts.shape[1]):
        if parts[5, i] != FINE or parts[2, i] == 0:
            continue
        dotted = parts[2, i] == 10 and buffer[parts[1, i] + 4] == 46 and buffer[parts[1, i] + 7] == 46
        parts[5, i] = NOT_DATE
        if parts[2, i] != 8 and not dotted:
            continue
        numbers[0] = numbers[1] = numbers[2] = 0
        digits = 0
        for k in range(parts[2, i]):
            byte = buffer[parts[1, i] + k]
            if 48 <= byte <= 57:
                field = 0 if digits < 4 else (digits - 2) // 2
                numbers[field] = 10 * numbers[field] + byte - 48
                digits += 1
        if digits == 8 and _is_day(numbers):
            parts[5, i] = FINE
            days[places[i]] = _days(numbers)
            valid[places[i]] = True


@inner
def _is_day(numbers):  # type: ignore[no-untyped-def]
    year, month, day = numbers[0], numbers[1], numbers[2]
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return day <= (29 if leap else 28)
    return day <= (30 if month == 4 or month == 6 or month == 9 or month == 11 else 31)


@inner
def _days(numbers):  # type: ignore[no-untyped-def]
    """Days since 1970-01-01 in the Gregorian calendar, the year taken to begin in March."""
    year = numbers[0] - (1 if numbers[1] <= 2 else 0)
    month = (numbers[1] + 9) % 12
    era = year // 400
    of_era = year - 400 * era
    of_year = (153 * month + 2) // 5 + numbers[2] - 1
    return 146097 * era + 365 * of_era + of_era // 4 - of_era // 100 + of_year - 719468
