"""Which process cannot show its figures to the others, in memory that it shares with its parent and its children."""

import mmap
import os
import struct

__all__ = ["Unwritable"]

_PID = struct.Struct("q")


class Unwritable:
    """Holds the last process that found so; a fork's parent and child share it.

    A process that cannot write to the directory cannot tell there that it is missing. It may have been able to when
    it was forked, as where a server gives up root's rights in its workers.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _PID.size)

    def wrote(self, failed: bool) -> None:
        """This process tried to write its figures, of which nothing is there where it failed."""
        if failed:
            _PID.pack_into(self._shared, 0, os.getpid())
        elif self._found() == os.getpid():
            _PID.pack_into(self._shared, 0, 0)

    @property
    def pid(self) -> int | None:
        """The process, as long as it is alive."""
        found = self._found()
        if not found:
            return None
        try:
            os.kill(found, 0)
        except ProcessLookupError:
            return None
        except PermissionError:  # it is another user's, and alive
            pass
        return found

    def _found(self) -> int:
        return int(_PID.unpack_from(self._shared)[0])
