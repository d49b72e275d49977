"""Values as they stand in a header → values of columns, after the VR: trimmed, split, parsed. Compiled.

``parts`` holds one value a column: where its text or number stands (start, size), what it is (VR and byte order,
packed), and why it is null. Source: DICOM PS3.5 section 6.2 (value representations).
"""

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import compiled, inner
from smi_spark.dicom.eights import copy_bytes, copy_text
from smi_spark.dicom.layout import vr_code, vr_table
from smi_spark.dicom.syntax import packed_length, packed_vr, vr_index

START, SIZE, KIND, WHY = range(4)  # rows of parts
# Why a value is null; ABSENT ones are no errors
FINE, ABSENT, NOT_NUMBER, NOT_DATE, NOT_TIME, LEFT_OUT, OTHER_VR, SEVERAL, NOT_INTEGER, HARD = range(10)
# What a column holds
TEXT, DOUBLE, LONG, DATE = range(4)

_WIDTH = vr_table((2, ("US", "SS")), (4, ("UL", "SL", "FL")), (8, ("UV", "SV", "FD")))  # bytes of a binary number
# Text in which a backslash and leading spaces mean themselves; text with leading spaces; no text and no number;
# signed numbers
_IS_WHOLE, _IS_LEADING, _IS_OTHER, _IS_SIGNED = 1, 2, 4, 8
_FORM = vr_table(
    (_IS_WHOLE, ("LT", "ST", "UT", "UR")),
    (_IS_LEADING, ("LT", "ST", "UT", "UR", "UC")),
    (_IS_OTHER, ("AT", "OB", "OD", "OF", "OL", "OV", "OW", "SQ")),
    (_IS_SIGNED, ("SS", "SL", "SV")),
)
_TM, _FL, _FD = vr_code("TM"), vr_code("FL"), vr_code("FD")
_BACKSLASH, _SPACE, _POINT, _COLON = 92, 32, 46, 58
_POWERS = np.array([10.0**i for i in range(23)])


@compiled
def single_values(buffer, places, packed, holds):  # type: ignore[no-untyped-def]
    """The parts of a column of single values, one a row."""
    parts = np.empty((4, len(packed)), np.int64)
    for row in range(len(packed)):
        _part(parts, row, packed[row], places[row], 0, ABSENT)
        if packed[row] != 0:
            start, size, why = _single(buffer, places[row], packed[row], holds)
            _part(parts, row, packed[row], start, size, why)
    return parts


@inner
def _single(buffer, place, packed, holds):  # type: ignore[no-untyped-def]
    """Start, size, and why not, of the one value that stands here."""
    length, vr = packed_length(packed), packed_vr(packed)
    if length == at.LEFT_OUT:
        return place, np.int64(0), LEFT_OUT
    width = _WIDTH[vr_index(vr)]
    if width > 0 and holds in (DOUBLE, LONG):
        why = NOT_NUMBER if length % width != 0 else SEVERAL if length > width else FINE
        return place, length, ABSENT if length == 0 else why
    if width > 0 or _FORM[vr_index(vr)] & _IS_OTHER:
        return place, length, ABSENT if length == 0 else OTHER_VR
    start, size = _trim(buffer, place, length, vr)
    return start, size, ABSENT if size == 0 else FINE


@compiled
def several_values(buffer, of_rows, places, packed, rows, holds):  # type: ignore[no-untyped-def]
    """The parts of a column of lists, the row of each, and ``heads``: the parts of row r are heads[r] to heads[r + 1].

    The values found stand in order of row; those of one row, from several items, make one list.
    """
    total = 0
    for i in range(len(packed)):
        total += _most(buffer, places[i], packed[i], holds)
    parts, part_rows = np.empty((4, total), np.int64), np.empty(total, np.int64)
    heads = np.zeros(rows + 1, np.int32)
    count = 0
    for i in range(len(packed)):
        before = count
        count = _split(buffer, places[i], packed[i], holds, parts, count)
        for k in range(before, count):
            part_rows[k] = of_rows[i]
        heads[of_rows[i] + 1] += count - before
    for row in range(rows):
        heads[row + 1] += heads[row]
    return parts[:, :count].copy(), part_rows, heads


@compiled
def present(buffer, places, packed):  # type: ignore[no-untyped-def]
    """Whether there is a value, row by row."""
    found = np.zeros(len(packed), np.bool_)
    for row in range(len(packed)):
        found[row] = packed[row] != 0 and _single(buffer, places[row], packed[row], TEXT)[2] == FINE
    return found


@inner
def _most(buffer, place, packed, holds):  # type: ignore[no-untyped-def]
    """How many values can stand here at most."""
    length = packed_length(packed)
    width = _WIDTH[vr_index(packed_vr(packed))]
    if width > 0 and holds in (DOUBLE, LONG):
        return length // width + 1
    most = 1
    for i in range(place, place + length):
        most += buffer[i] == _BACKSLASH
    return most


@inner
def _split(buffer, place, packed, holds, parts, count):  # type: ignore[no-untyped-def]
    """The values that stand here appended to ``parts``; gives the new count."""
    start, size, why = _single(buffer, place, packed, holds)
    length, vr = packed_length(packed), packed_vr(packed)
    width = _WIDTH[vr_index(vr)]
    if why == SEVERAL or (why == FINE and width > 0):
        for one in range(place, place + length, width):
            count = _part(parts, count, packed, one, np.int64(width), FINE)
        return count
    if why == ABSENT:
        return count
    if why != FINE or _FORM[vr_index(vr)] & _IS_WHOLE:
        return _part(parts, count, packed, start, size, why)
    begin = place
    for i in range(place, place + length + 1):
        if i == place + length or buffer[i] == _BACKSLASH:
            start, size = _trim(buffer, begin, i - begin, vr)
            count = _part(parts, count, packed, start, size, FINE if size > 0 else ABSENT)
            begin = i + 1
    return count


@inner
def _part(parts, count, packed, start, size, why):  # type: ignore[no-untyped-def]
    parts[START, count] = start
    parts[SIZE, count] = size
    parts[KIND, count] = packed & 0x1FFFF
    parts[WHY, count] = why
    return count + 1


@inner
def _trim(buffer, offset, length, vr):  # type: ignore[no-untyped-def]
    """Without padding: spaces and zeros at the end, and at the start where the VR gives them no meaning."""
    end = offset + length
    while end > offset and (buffer[end - 1] == _SPACE or buffer[end - 1] == 0):
        end -= 1
    if _FORM[vr_index(vr)] & _IS_LEADING == 0:
        while offset < end and buffer[offset] == _SPACE:
            offset += 1
    return offset, end - offset


@compiled
def single_texts(buffer, places, packed):  # type: ignore[no-untyped-def]
    """The texts of a column of single values, one a row: offsets, bytes, validity, why null, which beyond ASCII.

    All at one pass over the headers, which lie further apart than the processor's cache is large.
    """
    rows = len(packed)
    most = 0
    for row in range(rows):
        most += max(packed_length(packed[row]), 0)
    texts, offsets = np.empty(most, np.uint8), np.zeros(rows + 1, np.int32)
    valid, why, beyond = np.zeros(rows, np.bool_), np.full(rows, ABSENT, np.uint8), np.empty(rows, np.int64)
    total = found = np.int64(0)
    for row in range(rows):
        if packed[row] != 0:
            start, size, reason = _single(buffer, places[row], packed[row], TEXT)
            if reason == FINE and packed_vr(packed[row]) == _TM and not _is_time(buffer, start, size):
                reason = NOT_TIME
            why[row] = reason
            if reason == FINE:
                valid[row] = True
                if copy_text(buffer, start, size, texts, total):
                    beyond[found] = row
                    found += 1
                total += size
        offsets[row + 1] = total
    return offsets, texts, valid, why, beyond[:found]


@compiled
def copy_texts(buffer, parts):  # type: ignore[no-untyped-def]
    """The texts of parts: offsets, bytes, validity."""
    count = parts.shape[1]
    offsets, valid = np.zeros(count + 1, np.int32), np.zeros(count, np.bool_)
    texts = np.empty(np.sum(parts[SIZE]), np.uint8)
    total = np.int64(0)
    for i in range(count):
        start, size = parts[START, i], parts[SIZE, i]
        if parts[WHY, i] == FINE and packed_vr(parts[KIND, i]) == _TM and not _is_time(buffer, start, size):
            parts[WHY, i] = NOT_TIME
        if parts[WHY, i] == FINE:
            valid[i] = True
            copy_bytes(buffer, start, size, texts, total)
            total += size
        offsets[i + 1] = total
    return offsets, texts, valid


@inner
def _is_time(buffer, start, size):  # type: ignore[no-untyped-def]
    """HH, HHMM, HHMMSS or HHMMSS.F…, or the old HH:MM:SS."""
    digits = number = 0
    end = start + size
    i = start
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
def parse_numbers(buffer, parts, whole):  # type: ignore[no-untyped-def]
    """Numbers of text or binary VRs: doubles, longs (the ones that are asked for have values), validity."""
    count = parts.shape[1]
    doubles, longs = np.zeros(0 if whole else count), np.zeros(count if whole else 0, np.int64)
    valid = np.zeros(count, np.bool_)
    scratch = np.zeros(8, np.uint8)
    as_double = scratch.view(np.float64)
    as_float = scratch.view(np.float32)
    for i in range(count):
        if parts[WHY, i] != FINE:
            continue
        start, size, kind = parts[START, i], parts[SIZE, i], parts[KIND, i]
        vr = packed_vr(kind)
        if _WIDTH[vr_index(vr)] == 0:
            why, number, exact = _decimal(buffer, start, size)
        elif vr in (_FL, _FD):
            _bytes(buffer, start, size, kind, scratch)
            why, number, exact = FINE, as_double[0] if vr == _FD else np.float64(as_float[0]), np.int64(0)
        else:
            why, number, exact = _integer(buffer, start, size, kind, scratch)
        if whole and why == HARD and exact != 0:
            why = FINE
        if whole and why == FINE and not (exact != 0 or number == 0.0):
            if np.abs(number) < 9e15 and np.floor(number) == number:
                exact = np.int64(number)
            else:
                why = NOT_INTEGER
        parts[WHY, i] = why
        valid[i] = why == FINE
        if why == FINE and whole:
            longs[i] = exact
        elif why == FINE:
            doubles[i] = number
    return doubles, longs, valid


@inner
def _bytes(buffer, start, size, kind, scratch):  # type: ignore[no-untyped-def]
    """The bytes of a binary number, least first, in ``scratch``."""
    for k in range(8):
        scratch[k] = 0
    for k in range(size):
        scratch[k] = buffer[start + (size - 1 - k if kind & 1 else k)]


@inner
def _integer(buffer, start, size, kind, scratch):  # type: ignore[no-untyped-def]
    _bytes(buffer, start, size, kind, scratch)
    number = np.int64(0)
    for k in range(size - 1, -1, -1):
        number = number << 8 | np.int64(scratch[k])
    signed = _FORM[vr_index(packed_vr(kind))] & _IS_SIGNED
    if size == 8 and not signed and number < 0:
        return NOT_INTEGER, 0.0, number
    if signed and size < 8 and number >= np.int64(1) << (8 * size - 1):
        number -= np.int64(1) << (8 * size)
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
def parse_dates(buffer, parts):  # type: ignore[no-untyped-def]
    """YYYYMMDD and the old YYYY.MM.DD: days since 1970-01-01, validity."""
    days, valid = np.zeros(parts.shape[1], np.int32), np.zeros(parts.shape[1], np.bool_)
    numbers = np.zeros(3, np.int64)
    for i in range(parts.shape[1]):
        if parts[WHY, i] != FINE:
            continue
        start, size = parts[START, i], parts[SIZE, i]
        dotted = size == 10 and buffer[start + 4] == _POINT and buffer[start + 7] == _POINT
        parts[WHY, i] = NOT_DATE
        if size != 8 and not dotted:
            continue
        numbers[0] = numbers[1] = numbers[2] = 0
        digits = 0
        for k in range(start, start + size):
            byte = buffer[k]
            if 48 <= byte <= 57:
                field = 0 if digits < 4 else (digits - 2) // 2
                numbers[field] = 10 * numbers[field] + byte - 48
                digits += 1
        if digits == 8 and _is_day(numbers):
            parts[WHY, i] = FINE
            days[i] = _days(numbers)
            valid[i] = True
    return days, valid


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
