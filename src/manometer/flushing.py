"""What is still in memory leaves the process now: for programs whose end runs no code."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from manometer.background import in_background

if TYPE_CHECKING:
    from threading import Thread

__all__ = ["Flush", "flush", "flush_briefly", "flushed_by", "within"]

Flush = Callable[[], bool]
"""Writes or sends what one part of the kit has in memory, and returns whether all of it is out; it never raises."""


def flush(timeout: float | None = 10.0) -> bool:
    """Write and send now what this process has measured.

    That is its part of the setting `processes_dir`, the last figures for `textfile` and `pushgateway_url`, and over
    OTLP the figures, and the spans and log lines that wait. A process that ends by `os._exit`, or is killed, runs no
    code at its end: call this before, or what came last is lost. A process that ends in any other way does this by
    itself.
    timeout: seconds to wait for that, None for as long as it takes.
    Returns whether all is out, which it is where there is nothing to write; where it is not, the log says why.
    """
    return within(timeout, list(_parts))


def flush_briefly(here: float, elsewhere: float) -> bool:
    """The same for one whose end others wait for: seconds for what stays on this machine, and for what does not."""
    now = time.monotonic()
    runs = [(_Run(part), now + (elsewhere if part in _elsewhere else here)) for part in list(_parts)]
    ended = [run.ended_by(deadline) for run, deadline in sorted(runs, key=lambda each: each[1])]
    return all(ended)


def flushed_by(part: Flush, *, elsewhere: bool = False) -> Callable[[], None]:
    """Have `flush` call this too; the function that comes back ends that.

    elsewhere: whether it sends to another program, which may not answer.
    """
    _parts.append(part)
    if elsewhere:
        _elsewhere.append(part)

    def undo() -> None:
        for parts in (_parts, _elsewhere):
            if part in parts:
                parts.remove(part)

    return undo


def within(timeout: float | None, parts: Iterable[Flush]) -> bool:
    """Call all of these at once, and wait so many seconds for them; False where one of them has not done it."""
    deadline = None if timeout is None else time.monotonic() + timeout
    runs = [_Run(part) for part in parts]
    ended = [run.ended_by(deadline) for run in runs]
    return all(ended)


class _Run:
    """One call, in a thread of its own: one that hangs holds up no other."""

    def __init__(self, part: Flush) -> None:
        self._part, self._is_out = part, False
        try:
            self._thread: Thread | None = in_background(self._run, "manometer-flush")
        except RuntimeError:  # at the end of the interpreter there are no new threads
            self._thread = None
            self._run()

    def _run(self) -> None:
        self._is_out = self._part()

    def ended_by(self, deadline: float | None) -> bool:
        if self._thread is not None:
            self._thread.join(None if deadline is None else max(deadline - time.monotonic(), 0))
        return self._is_out


_parts: list[Flush] = []
"""A list, for a signal handler may call `flush` amid anything: no lock."""
_elsewhere: list[Flush] = []
"""Those of them that send to another program."""
