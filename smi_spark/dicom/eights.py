"""Bytes of a buffer by eights: one load or store, wherever it begins. Compiled."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from smi_spark.dicom.compiled import inner


def _eight_bytes(context: Any, buffer: Any, place: Any) -> Any:  # noqa: ARG001
    """``buffer[place:place + 8]`` as one little-endian number, by one load, wherever it begins."""

    def load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.int64(buffer, types.int64), load


def _put_eight_bytes(context: Any, buffer: Any, place: Any, number: Any) -> Any:  # noqa: ARG001
    """Write a number to ``buffer[place:place + 8]``, least byte first, by one store."""

    def store(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        builder.store(arguments[2], builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(buffer, types.int64, types.int64), store


eight_bytes: Any = intrinsic(_eight_bytes)
put_eight_bytes: Any = intrinsic(_put_eight_bytes)


_ESCAPE = 27
_EACH = 0x0101010101010101
_HIGH = 0x8080808080808080 - (1 << 64)


@inner
def copy_bytes(source, start, length, target, place):  # type: ignore[no-untyped-def]  # numba finds the types
    """``source[start:start + length]`` to ``target[place:]``."""
    k = np.int64(0)
    while k + 8 <= length:
        put_eight_bytes(target, place + k, eight_bytes(source, start + k))
        k += 8
    while k < length:
        target[place + k] = source[start + k]
        k += 1


@inner
def copy_text(source, start, length, target, place):  # type: ignore[no-untyped-def]  # numba finds the types
    """The same; and whether the text has bytes beyond ASCII, or switches of charset."""
    beyond = np.int64(0)
    k = np.int64(0)
    while k + 8 <= length:
        eight = eight_bytes(source, start + k)
        put_eight_bytes(target, place + k, eight)
        beyond |= _not_plain(eight)
        k += 8
    rest = np.int64(0)
    while k < length:
        target[place + k] = source[start + k]
        rest = rest << 8 | np.int64(source[start + k])
        k += 1
    return (beyond | _not_plain(rest)) != 0


@inner
def beyond_ascii(source, start, length):  # type: ignore[no-untyped-def]  # numba finds the types
    """Whether a text has bytes beyond ASCII, or switches of charset."""
    k = np.int64(0)
    while k + 8 <= length:
        if _not_plain(eight_bytes(source, start + k)) != 0:
            return True
        k += 8
    while k < length:
        if source[start + k] >= 128 or source[start + k] == _ESCAPE:
            return True
        k += 1
    return False


@inner
def _not_plain(eight):  # type: ignore[no-untyped-def]  # numba finds the types
    """Not zero where one of eight bytes is over 127 or an escape."""
    apart = eight ^ (_ESCAPE * _EACH)  # a byte of zero where an escape stands
    return (eight | ((apart - _EACH) & ~apart)) & _HIGH
