"""Protocol Buffers' wire format, as much of it as figures need: fields, each as bytes."""

from collections.abc import Iterable
from functools import cache
from struct import Struct

__all__ = [
    "delimited",
    "double",
    "fixed",
    "message",
    "packed_sints",
    "packed_uints",
    "sint",
    "tag",
    "text",
    "uint",
    "varint",
]

_VARINT, _FIXED64, _LENGTH = 0, 1, 2
_BITS = 64
_ONE_BYTE = tuple([bytes([value]) for value in range(0x80)])
_little_endian = Struct("<d").pack
_unsigned = Struct("<Q").pack


def varint(value: int) -> bytes:
    """A number from 0 on: seven bits a byte, the lowest first; all bytes but the last have the eighth set."""
    if value < 0x80:
        return _ONE_BYTE[value]
    if value < 0x4000:
        return b"%c%c" % (value & 0x7F | 0x80, value >> 7)
    if value < 0x20_0000:
        return b"%c%c%c" % (value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14)
    lowest = b"%c%c%c" % (value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14 & 0x7F | 0x80)
    return lowest + varint(value >> 21)


@cache
def tag(field: int, kind: int = _LENGTH) -> bytes:
    """What a field begins with: its number, and the kind of what follows."""
    return varint(field << 3 | kind)


def delimited(body: bytes) -> bytes:
    """A message or a string behind its length."""
    return varint(len(body)) + body


def uint(field: int, value: int) -> bytes:
    """A uint32, uint64, int32, int64 or enum; a negative one takes ten bytes."""
    return tag(field, _VARINT) + varint(value & ((1 << _BITS) - 1))


def sint(field: int, value: int) -> bytes:
    """A sint32 or sint64, which are short for small numbers of either sign."""
    return tag(field, _VARINT) + _zigzag(value)


def double(field: int, value: float) -> bytes:
    """A double."""
    return tag(field, _FIXED64) + _little_endian(value)


def fixed(field: int, value: int) -> bytes:
    """A fixed64."""
    return tag(field, _FIXED64) + _unsigned(value)


def text(field: int, value: str) -> bytes:
    """A string."""
    return message(field, value.encode())


def message(field: int, body: bytes) -> bytes:
    """A message within another, from its fields."""
    return tag(field) + varint(len(body)) + body


def packed_sints(field: int, values: Iterable[int]) -> bytes:
    """A repeated sint32 or sint64; nothing where there are none."""
    body = b"".join([_NEAR_ZERO[value] if -_NEAR <= value < _NEAR else _zigzag(value) for value in values])
    return message(field, body) if body else b""


def packed_uints(field: int, values: Iterable[int]) -> bytes:
    """A repeated uint32 or uint64; nothing where there are none."""
    body = b"".join([_ONE_BYTE[value] if value < 0x80 else varint(value) for value in values])
    return message(field, body) if body else b""


def _zigzag(value: int) -> bytes:
    return varint(value << 1 ^ value >> _BITS)  # the second part is -1 for a negative number, else 0


_NEAR = 1 << 6
# By value, of which a negative one is a place from the end.
_NEAR_ZERO = tuple([_zigzag(value) for value in (*range(_NEAR), *range(-_NEAR, 0))])
