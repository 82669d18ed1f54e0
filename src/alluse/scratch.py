"""Temporary folders that go with their process, however it ends: what a crash has left, the next one removes."""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from alluse.errors import SettingsError

__all__ = ["Scratch", "new_folder"]


class Scratch:
    """A new folder among the temporary files, from now until `close()`.

    Its process holds a lock on it. Folders of that prefix that no process holds are removed.
    """

    def __init__(self, prefix: str) -> None:
        self.path, held = _new(prefix)
        for left in self.path.parent.glob(f"{prefix}*"):
            with suppress(OSError):  # it is in use, or another user's
                if left != self.path:
                    _remove(left, _lock(left))
        self._held: int | None = held

    def close(self) -> None:
        """Remove it, with all that is in it."""
        if self._held is not None:
            _remove(self.path, self._held)
            self._held = None


def new_folder(prefix: str) -> Path:
    """A new folder among the temporary files; SettingsError where there can be none."""
    try:
        return Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as error:
        raise SettingsError(
            f"cannot make a temporary folder: {error.strerror}; name a folder that can be written in TMPDIR"
        ) from None


def _new(prefix: str) -> tuple[Path, int]:
    """A new folder, and what holds it."""
    while True:
        folder = new_folder(prefix)
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
