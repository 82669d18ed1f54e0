"""Protocol Buffers' wire format, as much of it as an exposition needs: fields, each as bytes."""

from collections.abc import Iterable
from functools import cache
from struct import Struct

__all__ = ["delimited", "double", "message", "packed_sints", "sint", "text", "uint"]

_VARINT, _FIXED64, _LENGTH = 0, 1, 2
_BITS = 64
_ONE_BYTE = tuple(bytes([value]) for value in range(0x80))
_little_endian = Struct("<d").pack


def uint(field: int, value: int) -> bytes:
    """A uint32, uint64, int32, int64 or enum; a negative one takes ten bytes."""
    return _key(field, _VARINT) + _varint(value & ((1 << _BITS) - 1))


def sint(field: int, value: int) -> bytes:
    """A sint32 or sint64, which are short for small numbers of either sign."""
    return _key(field, _VARINT) + _varint(_zigzag(value))


def double(field: int, value: float) -> bytes:
    """A double."""
    return _key(field, _FIXED64) + _little_endian(value)


def text(field: int, value: str) -> bytes:
    """A string."""
    return message(field, value.encode())


def message(field: int, body: bytes) -> bytes:
    """A message within another, from its fields."""
    return _key(field, _LENGTH) + delimited(body)


def packed_sints(field: int, values: Iterable[int]) -> bytes:
    """A repeated sint32 or sint64; nothing where there are none."""
    body = b"".join([_varint(_zigzag(value)) for value in values])
    return message(field, body) if body else b""


def delimited(body: bytes) -> bytes:
    """A message behind its length, as one of a stream."""
    return _varint(len(body)) + body


@cache
def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _zigzag(value: int) -> int:
    return value << 1 ^ value >> _BITS  # the second part is -1 for a negative number, else 0


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth set."""
    if value < 0x80:
        return _ONE_BYTE[value]
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
