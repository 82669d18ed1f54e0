"""Files that are put in place as a whole and then extended, and whose lock tells whether their process is alive."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

from manometer.meters.fork import Forked, called_in_child

__all__ = [
    "DAMAGED",
    "TEMPORARY",
    "OwnFile",
    "close_locked",
    "is_locked",
    "open_locked",
    "owner_lives",
    "put_aside",
    "sole",
]

TEMPORARY = ".tmp"
"""What the name of a file ends with until it is whole."""
DAMAGED = ".damaged"
"""What the name of a file ends with once someone has found that it makes no sense."""


class OwnFile:
    """A file of this process, which holds a lock on it until it abandons it or ends, in whatever way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._left: os.stat_result | None = None

    def write(self, data: bytes) -> None:
        """Make this the content. OSError where that cannot be done; what was there before stands then."""
        temporary = self.path.with_name(self.path.name + TEMPORARY)
        file = open_locked(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            temporary.rename(self.path)
        except BaseException:
            close_locked(file)
            with suppress(OSError):
                temporary.unlink()
            raise
        self.abandon()
        self._file, self._left = file, os.fstat(file)

    def extend(self, at: int, data: bytes, head: bytes) -> None:
        """Put the data at that place, and only then the head in the place of the beginning.

        A reader goes by the head, so the file holds for it either nothing of this or all. OSError where there is no
        room: then the head is what it was.
        """
        if self._file is None:
            raise FileNotFoundError(f"{self.path} was not written")
        try:
            _write_at(self._file, data, at)
            _write_at(self._file, head, 0)
        finally:
            self._left = os.fstat(self._file)

    @property
    def is_as_left(self) -> bool:
        """Whether what was written last is still there, and nobody else has written to it since."""
        if self._file is None or self._left is None or not self.stands:
            return False
        now, left = os.fstat(self._file), self._left
        return (now.st_size, now.st_mtime_ns) == (left.st_size, left.st_mtime_ns)

    @property
    def stands(self) -> bool:
        """Whether what was written last is still there."""
        try:
            return self._file is not None and os.path.samestat(self.path.stat(), os.fstat(self._file))
        except OSError:
            return False

    def abandon(self) -> None:
        """Let go of the lock."""
        if self._file is not None:
            close_locked(self._file)
            self._file = None


def _write_at(file: int, data: bytes, place: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, place)
        rest, place = rest[written:], place + written


def owner_lives(path: Path, file: int) -> bool:
    """Whether the process that wrote the open file is alive; FileNotFoundError where it was taken away meanwhile."""
    # Where nobody holds the lock, the owner has ended, or has locked another file and put it in this one's place.
    return is_locked(file) or not os.path.samestat(path.stat(), os.fstat(file))


def is_locked(file: int) -> bool:
    """Whether the process that wrote the open file is alive, and has not written another since."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def put_aside(path: Path, file: int) -> None:
    """Rename the open file, unless another has taken its place. A process that may not write here changes nothing."""
    aside = path.with_name(path.name + DAMAGED)
    with suppress(OSError):
        if os.path.samestat(path.stat(), os.fstat(file)):
            path.rename(aside)
            if not os.path.samestat(aside.stat(), os.fstat(file)):  # its process was faster: the new one goes back
                with suppress(FileExistsError):
                    path.hardlink_to(aside)
                aside.unlink()


@contextmanager
def sole(directory: Path) -> Iterator[bool]:
    """Whether no other process is within such a block for that directory."""
    file = open_locked(directory, os.O_RDONLY | os.O_DIRECTORY)
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
        close_locked(file)


# A lock goes with the last copy of the open file that it is on. A forked child has copies of all, and of those that
# other threads had open nobody but this knows in there: it would keep their locks for as long as it lives.

_copied: dict[int, os.stat_result] = {}
_copying = RLock()


def open_locked(path: Path, flags: int, mode: int = 0o644) -> int:
    """Open a file whose locks are of this process alone."""
    with _copying:
        file = os.open(path, flags, mode)
        _copied[file] = os.fstat(file)
        return file


def close_locked(file: int) -> None:
    """Close such a file, and give its lock back."""
    with _copying, suppress(OSError):
        if _copied.pop(file, None) is not None:  # else a fork has let go of it, and the number may be another file's
            os.close(file)


def _let_go(_: Forked) -> None:
    for file, opened in _copied.items():
        with suppress(OSError):
            # Where the fork was noticed late, the program may have closed them all, and have the number anew.
            if os.path.samestat(os.fstat(file), opened):
                os.close(file)
    _copied.clear()
    _copying._at_fork_reinit()  # type: ignore[attr-defined]


os.register_at_fork(before=_copying.acquire, after_in_parent=_copying.release)
called_in_child(_let_go)
