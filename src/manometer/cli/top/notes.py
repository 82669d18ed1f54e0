"""Notes: lines from standard input that stand above the table, for whoever starts `top` beside a program."""

import os
import select
import time
from typing import NamedTuple

from manometer.errors import ConfigError

__all__ = ["Note", "Notes"]

_CHUNK = 65536
_MOST = 1 << 20  # bytes of a note: more is none


class Note(NamedTuple):
    """A line, and whether it should catch the eye."""

    text: str
    alarming: bool = False


class Notes:
    """Blocks of lines, each ended by an empty line; the latest counts. A line that begins with `!` is alarming.

    descriptor: where they come from, None for nowhere.
    """

    def __init__(self, descriptor: int | None) -> None:
        if descriptor is not None and not hasattr(select, "poll"):  # on Windows
            raise ConfigError("--notes needs poll(), which this system does not have; leave it out")
        self._descriptor = descriptor
        self._pending = b""

    def wait(self, until: float) -> list[Note] | None:
        """The next block, or None where none is complete until then, by the monotonic clock."""
        while True:
            left = max(until - time.monotonic(), 0.0)
            if self._descriptor is None:
                time.sleep(left)
                return None
            if not _readable(self._descriptor, left):
                return None
            read = os.read(self._descriptor, _CHUNK)
            if not read:  # whoever wrote has ended
                self._descriptor = None
                continue
            block = self._latest(read)
            if block is not None:
                return block

    def _latest(self, read: bytes) -> list[Note] | None:
        """The last block that is complete now; what follows it is kept for later."""
        *blocks, self._pending = (self._pending + read)[-_MOST:].split(b"\n\n")
        if not blocks:
            return None
        lines = blocks[-1].decode(errors="replace").strip("\n").splitlines()
        return [Note(_printable(line.removeprefix("!").strip()), line.startswith("!")) for line in lines]


def _readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read within that time; unlike `select`, `poll` takes any descriptor."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _printable(text: str) -> str:
    """The text without what would move the cursor."""
    return "".join(each if each.isprintable() else "?" for each in text)
