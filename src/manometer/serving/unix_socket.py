"""A Unix socket to listen on: in the place of one that a process of ours left behind, and gone when it is closed."""

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["UnixSocket"]

_MODE = 0o660
"""For the program's user and group: whoever may write to the socket may connect."""
_PATIENCE = 1.0
"""Seconds for a process that may be listening to take a connection; one that does not is there as well."""
_DEAD = (errno.ECONNREFUSED, errno.ENOENT)


class UnixSocket:
    """A socket that is bound to the path; nobody can connect before it listens.

    Raises OSError: EADDRINUSE where a process listens there, EEXIST where there is something else than our socket,
    EAFNOSUPPORT where the system has no such sockets.
    """

    def __init__(self, path: Path) -> None:
        if not hasattr(socket, "AF_UNIX"):  # as in Python on Windows
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        _remove_stale(path)
        self._path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.bind(str(path))
            self._file = _identity(path)
            path.chmod(_MODE)
        except BaseException:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Take the socket from its path, unless another is there by now."""
        with suppress(OSError):
            if _identity(self._path) == self._file:
                self._path.unlink()


def _remove_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_PATIENCE)
        code = client.connect_ex(str(path))
    if code not in _DEAD:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    path.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
