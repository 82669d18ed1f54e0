"""The faults that need doing: those that the parts cannot commit by asking whether they are on."""

import logging
import math
import os
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, NoReturn

from alluse.book import Book, BookError, PoolTimeoutError
from alluse.faults import Faults
from alluse.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

__all__ = ["Sabotage"]

_TICK = 0.25  # seconds between two looks at the faults
_LEAK = 16_000_000  # bytes a second
_LEAKED_AT_MOST = 512_000_000
_CRASHED = 70  # the exit status: EX_SOFTWARE

_log = logging.getLogger("alluse")


def _crash() -> NoReturn:
    os._exit(_CRASHED)


def _nothing() -> None:
    """Nothing is to be done."""


class Sabotage:
    """Holds connections, keeps memory, blocks the loop and ends the process while the faults for it are on."""

    def __init__(self, faults: Faults, loop: Loop, book: Book | None) -> None:
        self.before_crash: Callable[[], object] = _nothing
        self.crash: Callable[[], object] = _crash
        self._faults, self._loop, self._book = faults, loop, book
        self._held: list[Connection] = []
        self._leaked: list[bytearray] = []
        self._stopping = Event()
        self._thread = Thread(target=self._work, name="alluse-sabotage", daemon=True)
        self._thread.start()

    @property
    def leaked(self) -> int:
        """Bytes that are kept for nothing."""
        return sum(map(len, self._leaked))

    def strike(self) -> None:
        """Called by each workflow: where a crash happens."""
        if self._faults.strikes("crash"):
            _log.critical("the fault 'crash' ends the process")
            self.before_crash()
            self.crash()

    def close(self) -> None:
        """End it all, and give back what was taken."""
        self._stopping.set()
        self._thread.join()
        self._give_back()

    def _work(self) -> None:
        while not self._stopping.wait(_TICK):
            try:
                self._hold()
                self._leak()
                self._stall()
            except Exception:
                _log.exception("a fault could not be committed")

    def _hold(self) -> None:
        """Have that share of the connections in hand; one at a time, for the others want them too."""
        if self._book is None:
            return
        wanted = math.ceil(self._faults.rate("exhausted-pool") * self._book.connections)
        while len(self._held) > wanted:
            self._release()
        while len(self._held) < wanted and not self._stopping.is_set():
            try:
                self._held.append(self._book.hold())
            except (BookError, PoolTimeoutError):
                return

    def _leak(self) -> None:
        rate = self._faults.rate("leaking-memory")
        if not rate:
            self._leaked.clear()
        elif self.leaked < _LEAKED_AT_MOST:
            self._leaked.append(bytearray(b"\x01") * int(rate * _LEAK * _TICK))

    def _stall(self) -> None:
        rate = self._faults.rate("stalled-loop")
        if rate:
            self._loop.stall(rate * _TICK)

    def _release(self) -> None:
        with suppress(BookError):
            self._held.pop().close()

    def _give_back(self) -> None:
        while self._held:
            self._release()
        self._leaked.clear()
