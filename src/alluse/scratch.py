"""Temporary folders that go with their process, however it ends: what a crash has left, the next one removes."""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["Scratch"]


class Scratch:
    """A new folder among the temporary files, from now until `close()`.

    Its process holds a lock on it. Folders of that prefix that no process holds are removed.
    """

    def __init__(self, prefix: str) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            with suppress(OSError):  # it is in use, or another user's
                _remove(left, _lock(left))
        self.path, held = _new(prefix)
        self._held: int | None = held

    def close(self) -> None:
        """Remove it, with all that is in it."""
        if self._held is not None:
            _remove(self.path, self._held)
            self._held = None


def _new(prefix: str) -> tuple[Path, int]:
    """A new folder, and what holds it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        with suppress(FileNotFoundError, BlockingIOError):  # another process took it for left behind, just now
            held = _lock(folder)
            if folder.exists():
                return folder, held
            os.close(held)


def _lock(folder: Path) -> int:
    """A descriptor that has the folder locked, until it is closed; OSError where another has."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        raise
    return opened


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
