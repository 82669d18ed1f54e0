"""Which port the processes of a directory listen on together."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from manometer.processes.locked_file import close_locked, open_locked

__all__ = ["SharedPort"]

_BRIEFLY = 0.01
"""Seconds until one who is just binding the port is looked for again: it takes a fraction of that."""
_TRIES = 500


class SharedPort:
    """A process's word, to the others of its directory, that it listens on a port.

    Several processes may bind a port at once, and the system spreads connections over them, whoever they are. So one
    that finds nobody of its directory there has to be the only one, and others join only those of their directory.
    The word is a lock on a file, which ends with the process. It is given under another lock, of one at a time: two
    that looked at once would each take the other for one that listens.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._path = directory / f"port-{port}"
        self._binding = directory / f"port-{port}.binding"
        self._file: int | None = None

    @contextmanager
    def binding(self) -> Iterator[bool]:
        """Bind the port within this block: whether no other process of the directory listens, nor will meanwhile.

        Where the files cannot be had, as on a full disk, others may listen.
        """
        self.end()
        with ExitStack() as opened:
            try:
                turn = _opened(self._binding)
                opened.callback(close_locked, turn)
                self._file = _opened(self._path)
            except OSError:
                yield False
                return
            _wait_for(turn)
            try:
                yield _locked(self._file, fcntl.LOCK_EX)
                _locked(self._file, fcntl.LOCK_SH)
            except BaseException:
                self.end()
                raise

    def end(self) -> None:
        """This process does not listen any more."""
        file, self._file = self._file, None
        if file is not None:
            close_locked(file)


def _opened(path: Path) -> int:
    return open_locked(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _wait_for(turn: int) -> None:
    """Have the lock of one at a time, or go on without: whoever keeps it for seconds is not just binding."""
    for _ in range(_TRIES):
        if _locked(turn, fcntl.LOCK_EX):
            return
        time.sleep(_BRIEFLY)


def _locked(file: int, how: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, how | fcntl.LOCK_NB)
        return True
    return False
