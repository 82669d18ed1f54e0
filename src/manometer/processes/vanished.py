"""Files of live processes that someone removed: until these write again, their figures are missing."""

import os
import time
from collections.abc import Collection, Container, Iterator
from pathlib import Path

__all__ = ["Vanished"]

_PATIENCE = (
    60.0  # seconds that a process may take to write again, as it does within one; its id may be another's then
)


class Vanished:
    """Remembers the files of live processes, to notice where one is gone although nobody has added it up.

    Whoever adds up a file leaves a file of the ended processes behind. So where there is none, and a file is gone, it
    was removed by someone who did not know of the live processes, mostly with the whole directory.
    """

    def __init__(self) -> None:
        self.known: frozenset[str] = frozenset()
        """The files. Ask before a look at what is there, because another thread may see more meanwhile."""
        self._missed: dict[str, float] = {}

    def saw(self, alive: Collection[str]) -> None:
        """These are there, and their processes are alive."""
        self.known = frozenset([*filter(_is_alive, self.known), *alive])

    def awaited(self, known: Collection[str], present: Container[str]) -> Iterator[str]:
        """The files that are to come back, of those that were known before these were found to be present."""
        now, missed = time.monotonic(), self._missed
        gone = [name for name in known if name not in present and _is_alive(name)]
        self._missed = {name: missed.get(name, now) for name in gone}
        for name, since in self._missed.items():
            if now - since < _PATIENCE:
                yield name

    def settled(self) -> None:
        """There is a file of the ended processes, to which any that is gone may have been added."""
        self.known, self._missed = frozenset(), {}


def _is_alive(name: str) -> bool:
    """Whether there is a process of the id with which the file's name begins, and it runs yet."""
    pid = int(name.partition("-")[0].partition(".")[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended, and its parent has not asked how; False where the system has no /proc."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return told.rpartition(b") ")[2].startswith(b"Z")  # after the program's name, which may hold anything
