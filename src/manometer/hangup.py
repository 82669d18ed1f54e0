"""SIGHUP: the signal by which a service is told to read its settings again."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType

from manometer.background import in_background
from manometer.errors import ConfigError

__all__ = ["on_hangup"]

_Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

_log = logging.getLogger("manometer")


def on_hangup(run: Callable[[], object]) -> Callable[[], None]:
    """Call `run` in a thread after each SIGHUP, several in a row once; the function that comes back ends that.

    A handler that the program has is called as before. Python hears a signal when its main thread comes back from
    what it waits for: one that waits without an end may hear of a signal only at the next one.
    Raises ConfigError where the signal cannot be taken.
    """
    return _Hangups(run).close


class _Hangups:
    def __init__(self, run: Callable[[], object]) -> None:
        number = getattr(signal, "SIGHUP", None)  # Windows has none
        if number is None:
            raise ConfigError("this system has no SIGHUP; call Manometer.reload() where the settings are to be read")
        self._run = run
        self._number: int = number
        self._pid = os.getpid()
        self._closed = False
        # Not an Event: its lock may be held by the very thread that the signal interrupts. `put` here takes none that
        # Python code can see, and may interrupt itself.
        self._woken: SimpleQueue[bool] = SimpleQueue()
        self._before = signal.getsignal(number)
        if self._before is None:
            raise ConfigError(
                "SIGHUP has a handler here that is not Python's; leave reload_on_sighup out, "
                "and call Manometer.reload() where the settings are to be read"
            )
        in_background(self._loop, "manometer-reload", self._end)
        try:
            signal.signal(number, self._signalled)
        except ValueError:  # in a thread, or a subinterpreter
            self._end()
            raise ConfigError(
                "SIGHUP can be taken in the main thread alone; leave reload_on_sighup out, "
                "and call Manometer.reload() where the settings are to be read"
            ) from None

    def close(self) -> None:
        """Give the signal back, unless somebody else has taken it meanwhile."""
        self._closed = True
        if signal.getsignal(self._number) == self._signalled:
            with suppress(ValueError):  # from another thread: the handler stays, and does what was done before it
                signal.signal(self._number, self._rest)
        self._end()

    @property
    def _is_over(self) -> bool:
        """Whether nobody waits for the signal here: after the end, and in a forked child without the thread."""
        return self._closed or self._pid != os.getpid()

    @property
    def _rest(self) -> _Handler:
        """What was done at the signal before. Others of these may lie between, which have ended first."""
        rest = self._before
        while isinstance(owner := getattr(rest, "__self__", None), _Hangups) and owner._is_over:
            rest = owner._before
        return rest

    def _end(self) -> None:
        self._woken.put(False)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        """The handler. It does next to nothing: it may have interrupted anything, whatever locks that holds."""
        rest = self._rest
        if not self._is_over:
            self._woken.put(True)
        elif rest == signal.SIG_DFL:  # the signal ends the process
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        if callable(rest):
            rest(number, frame)

    def _loop(self) -> None:
        while self._woken.get():
            with suppress(Empty):
                while self._woken.get_nowait():  # one reload is enough for all that have come
                    pass
                return
            try:
                self._run()
            except Exception:
                _log.exception("what SIGHUP asks for failed")
