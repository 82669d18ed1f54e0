"""Which process of a directory does what one of them has to do for all."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from manometer.processes.locked_file import close_locked, open_locked

__all__ = ["Turn"]

_BRIEFLY = 0.05
"""Seconds until a lock is asked for again."""
_ID_BYTES = 36
_STAYS, _ENDS = b" ", b"."
"""What stands behind the id: whether whoever has the turn is about to end."""


class Turn:
    """A lock on a file of the directory, which the process that has it keeps until it gives it up or ends.

    The file has an id of the group, the same for as long as its directory is there. A process that ends can rely on
    the one that has the turn, unless that one ends too, and has begun its last work: for that it says so before.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / name
        self._file: int | None = None

    def take(self, seconds: float = 0.0) -> bool:
        """Whether it is this process's turn, maybe since before.

        seconds: how long to wait for one that is about to end; nobody else is waited for.
        Raises OSError where the file cannot be had.
        """
        until = time.monotonic() + seconds
        while not self._has_it():
            if time.monotonic() >= until or not self._is_ending():
                return False
            time.sleep(_BRIEFLY)
        return True

    def is_last(self) -> None:
        """Whoever has the turn begins its last work now: who ends after this has to do its own."""
        if self._file is not None:
            os.pwrite(self._file, _ENDS, _ID_BYTES)

    @property
    def group(self) -> str:
        """The id of the group, which is made by the first that asks. Only for whoever has the turn."""
        if self._file is None:
            raise ValueError("it is another process's turn")
        try:
            return str(UUID(os.pread(self._file, _ID_BYTES, 0).decode()))
        except ValueError:  # nobody has asked before
            made = str(uuid4())
            os.pwrite(self._file, made.encode(), 0)
            return made

    def end(self) -> None:
        """It may be another's turn."""
        file, self._file = self._file, None
        if file is not None:
            close_locked(file)

    def forget(self) -> None:
        """In a forked child: the turn is its parent's."""
        self._file = None

    def _has_it(self) -> bool:
        if self._file is not None and self._is_in_place(self._file):
            return True
        self.end()
        file = open_locked(self._path, os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_RDWR, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            close_locked(file)
            return False
        if not self._is_in_place(file):  # somebody removed it between the two
            close_locked(file)
            return False
        self._file = file
        if os.pread(file, 1, _ID_BYTES) == _ENDS:
            os.pwrite(file, _STAYS, _ID_BYTES)
        return True

    def _is_ending(self) -> bool:
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            return os.pread(file.fileno(), 1, _ID_BYTES) == _ENDS
        return True

    def _is_in_place(self, file: int) -> bool:
        """Whether whoever comes next finds this very file, and not one in its place."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(file))
        except OSError:
            return False
