"""Files that are put in place as a whole, and that tell by a lock whether the process they belong to is alive."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["TEMPORARY", "OwnFile", "owner_lives", "sole"]

TEMPORARY = ".tmp"
"""What the name of a file ends with until it is whole."""


class OwnFile:
    """A file of this process, which holds a lock on it until it abandons it or ends, in whatever way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: list[int] = []  # the file, and the one that is to take its place

    def write(self, data: bytes) -> None:
        """Make this the content. OSError where that cannot be done; what was there before stands then."""
        temporary = self.path.with_name(self.path.name + TEMPORARY)
        file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._open.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            temporary.rename(self.path)
        except BaseException:
            self._open.remove(file)
            os.close(file)
            with suppress(OSError):
                temporary.unlink()
            raise
        before, self._open = self._open[:-1], [file]
        for each in before:
            os.close(each)

    @property
    def stands(self) -> bool:
        """Whether what was written last is still there."""
        try:
            return bool(self._open) and os.path.samestat(self.path.stat(), os.fstat(self._open[0]))
        except OSError:
            return False

    def abandon(self) -> None:
        """Let go of the lock; in a forked child, only of the copies that it has: its parent keeps the lock."""
        files, self._open = self._open, []
        for each in files:
            with suppress(OSError):
                os.close(each)


def owner_lives(path: Path, file: int) -> bool:
    """Whether the process that wrote the open file is alive; FileNotFoundError where it was taken away meanwhile."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    # Nobody's any more; or its owner has put another in its place, which it locked before.
    return not os.path.samestat(path.stat(), os.fstat(file))


@contextmanager
def sole(directory: Path) -> Iterator[bool]:
    """Whether no other process is within such a block for that directory."""
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing would not do: a child forked meanwhile has it open too
    finally:
        os.close(file)
