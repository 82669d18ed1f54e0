"""The first line of a file of figures: whose form it is, and how much of what follows counts, with a checksum.

A file grows behind what counts, and only then a head that counts it takes the place of the one before. So whoever
reads amid that, or after a process was killed or the disk was full amid it, has the figures from before it.
"""

import zlib
from typing import NamedTuple

__all__ = ["AlienError", "Extent", "UnreadableError", "counted"]

_MAGIC = b"manometer-processes"
_VERSION = b"1"


class UnreadableError(ValueError):
    """A file that does not hold its figures whole, and maybe never did."""


class AlienError(UnreadableError):
    """A file that is not ours to replace: another version of this program wrote it."""


class Extent(NamedTuple):
    """How much of a file counts: so many bytes behind its head, of that checksum."""

    length: int = 0
    checksum: int = 0

    def extended(self, more: bytes) -> "Extent":
        """The same with more bytes behind it."""
        return Extent(self.length + len(more), zlib.crc32(more, self.checksum))

    @property
    def head(self) -> bytes:
        """The line that tells it, which is of the same length for all."""
        return b"%s %s %08x %020d\n" % (_MAGIC, _VERSION, self.checksum, self.length)

    @property
    def end(self) -> int:
        """The place in the file from which on nothing counts."""
        return len(self.head) + self.length


def counted(data: bytes) -> bytes:
    """What counts of a file, without the head; UnreadableError, or AlienError, where it is not there whole."""
    head, _, rest = data.partition(b"\n")
    match head.split(b" "):
        case [magic, version, _, *_] if magic == _MAGIC and version != _VERSION and version.isdigit():
            raise AlienError("another version of Manometer wrote it")
        case [_, _, _, length] if length.isdigit():
            body = rest[: int(length)]
            if data.startswith(Extent().extended(body).head):
                return body
    raise UnreadableError("it is cut short or damaged, or Manometer did not write it")
