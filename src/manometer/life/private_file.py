"""A file for its user alone, which grows by what a dying Python writes."""

import os
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

__all__ = ["close_unneeded", "opened_to_append"]

_NO_LINK, _NO_WAIT = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK"))  # Windows has neither


def opened_to_append(path: Path, size: int) -> FileIO:
    """The file, opened to write at its end; emptied first, where it has grown over so many bytes.

    Raises OSError, also for what is no regular file: a pipe would have the program wait for its reader.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK | _NO_WAIT, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("no regular file")
        if fcntl is not None:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(descriptor, fcntl.LOCK_SH)
        found = os.fstat(descriptor)
        if found.st_size > size:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    if fcntl is not None and not found.st_nlink:  # another process has just removed it
        os.close(descriptor)
        return opened_to_append(path, size)
    return FileIO(descriptor, "a")


def close_unneeded(file: FileIO, path: Path) -> None:
    """Close the file, and remove it where it is empty and no other process has it open to append."""
    with file, suppress(OSError):
        is_unneeded = not os.fstat(file.fileno()).st_size
        if fcntl is None:
            file.close()  # Windows removes no file that is open
        elif is_unneeded:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_unneeded:
            path.unlink()
