"""A process's own file, which grows by what changed, and is written whole once it has grown by half."""

from manometer.processes.file_head import Extent
from manometer.processes.file_writing import start
from manometer.processes.locked_file import OwnFile
from manometer.processes.snapshot import Process
from manometer.processes.written import Update, Written

__all__ = ["GrowingFile"]

_GROWTH = 1.5


class GrowingFile:
    """Keeps a process's file up to date, at a cost in proportion to what changed; a writing of all included.

    The more it may grow, the rarer that is, and the more there is to read of what no longer counts.
    """

    def __init__(self, file: OwnFile) -> None:
        self._file = file
        self._forget()

    def _forget(self) -> None:
        self._process: Process | None = None
        self._written, self._extent, self._whole = Written({}), Extent(), 0

    def begin(self) -> Update:
        """What takes in the families of a collection, for `write` to bring the file up to date with them."""
        if self._extent.length > _GROWTH * self._whole or not self._file.is_as_left:
            self._forget()
        return Update(self._written)

    def write(self, process: Process, update: Update) -> None:
        """Make this the content. OSError where that cannot be done; what was there before stands then."""
        told, written = update.done()
        more = b"".join([start(process), *told] if process != self._process else told)
        extent = self._extent.extended(more)
        if not self._extent.length:
            self._file.write(extent.head + more)
            self._whole = extent.length
        elif more:
            self._file.extend(self._extent.end, more, extent.head)
        self._process, self._written, self._extent = process, written, extent
