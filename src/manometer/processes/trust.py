"""Which directories and files of figures are believed: what another user could have put there is not."""

import errno
import os
import stat
from io import FileIO
from pathlib import Path

from manometer.processes.file_head import UnreadableError

__all__ = ["distrust", "regular"]

_IRREGULAR = "it is no regular file"
_LINK_OR_SOCKET = (errno.ELOOP, errno.ENXIO)
_ROOT = 0
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def distrust(directory: Path, *, of_anyone: bool = False) -> str | None:
    """Why the figures in a directory may be another user's, or None.

    Whoever may write there can add to every total, and have a program add up files without end.
    of_anyone: whether the directory may belong to any one user, for who only looks on.
    """
    trusted = (os.geteuid(), _ROOT)
    try:
        found, link = directory.stat(), directory.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"it cannot be looked at ({error.strerror})"
    if not (of_anyone or found.st_uid in trusted or _is_given_away(directory)):
        return f"it belongs to another user (uid {found.st_uid})"
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in (*trusted, found.st_uid):  # who may have it lead elsewhere
        return f"it is a link of another user (uid {link.st_uid})"
    if found.st_mode & _WRITABLE_BY_OTHERS:
        return f"other users may write there (mode {stat.S_IMODE(found.st_mode):04o})"
    return None


def _is_given_away(directory: Path) -> bool:
    """Whether this is root, and nobody else can have given the directory to its user, as to that of its workers."""
    around = directory.parent.stat()
    return os.geteuid() == around.st_uid == _ROOT and not around.st_mode & _WRITABLE_BY_OTHERS


def regular(path: Path) -> FileIO:
    """Open a file to read it, without waiting for anybody.

    Raises UnreadableError for what is no regular file, links among them, and for a file of a user who may not write
    to the directory, and so must have put it there while he might; OSError where it cannot be opened.
    """
    return FileIO(path, opener=_opened)


def _opened(path: str, flags: int) -> int:
    try:
        # A FIFO would have a reader wait for its writer.
        file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _LINK_OR_SOCKET:
            raise UnreadableError(_IRREGULAR) from None
        raise
    try:
        found = os.fstat(file)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):  # of a directory, the system says so
            raise UnreadableError(_IRREGULAR)
        if found.st_uid not in (os.geteuid(), _ROOT, Path(path).parent.stat().st_uid):
            raise UnreadableError(f"it belongs to another user (uid {found.st_uid})")
    except BaseException:
        os.close(file)
        raise
    return file
