"""Which port the processes of a directory listen on together."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from manometer.processes.locked_file import close_locked, open_locked

__all__ = ["SharedPort"]

_BRIEFLY = 0.01
"""Seconds until one who is just binding the port is looked for again: it takes a fraction of that."""
_TRIES = 100


class SharedPort:
    """A process's word, to the others of its directory, that it listens on a port.

    Several processes may bind a port at once, and the system spreads connections over them, whoever they are. So one
    that finds nobody of its directory there has to be the only one, and others join only those of their directory.
    The word is a lock on a file, which ends with the process.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._path = directory / f"port-{port}"
        self._file: int | None = None

    @contextmanager
    def binding(self) -> Iterator[bool]:
        """Bind the port within this block: whether no other process of the directory listens, nor will meanwhile.

        Where the file cannot be had, as on a full disk, others may listen.
        """
        self.end()
        try:
            self._file = open_locked(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            yield False
            return
        try:
            yield self._locked()
            with suppress(BlockingIOError):  # somebody keeps the lock, and is not just binding
                fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """This process does not listen any more."""
        file, self._file = self._file, None
        if file is not None:
            close_locked(file)

    def _locked(self) -> bool:
        for _ in range(_TRIES):
            for lock in (fcntl.LOCK_EX, fcntl.LOCK_SH):
                with suppress(BlockingIOError):
                    fcntl.flock(self._file, lock | fcntl.LOCK_NB)  # type: ignore[arg-type]
                    return lock == fcntl.LOCK_EX
            time.sleep(_BRIEFLY)
        return False
