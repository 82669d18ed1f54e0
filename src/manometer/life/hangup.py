"""SIGHUP: the signal by which a service is told to read its settings again."""

import logging
import signal
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from manometer.background import in_background
from manometer.errors import ConfigError
from manometer.life.signals import Signals

__all__ = ["on_hangup"]

_INSTEAD = (
    "leave reload_on_sighup and Life.on_reload out, and call Manometer.reload() where the settings are to be read"
)

_log = logging.getLogger("manometer")


def on_hangup(run: Callable[[], object]) -> Callable[[], None]:
    """Call `run` in a thread after each SIGHUP, several in a row once; the function that comes back ends that.

    A Life does not end at SIGHUP meanwhile. A handler that the program has is called as before. What `run` raises is
    logged. Python hears a signal when its main thread comes back from what it waits for: one that waits without an
    end may hear of a signal only at the next one.
    Raises ConfigError where the signal cannot be taken.
    """
    number = getattr(signal, "SIGHUP", None)  # Windows has none
    if number is None:
        raise ConfigError(f"this system has no SIGHUP; {_INSTEAD}")
    if signal.getsignal(number) is None:
        raise ConfigError(f"SIGHUP has a handler here that is not Python's; {_INSTEAD}")
    # Not an Event: its lock may be held by the very thread that the signal interrupts. `put` here takes none that
    # Python code can see, and may interrupt itself.
    come: SimpleQueue[int | None] = SimpleQueue()
    signals = Signals(come.put, ends=False)
    end = partial(come.put, None)
    try:
        signals.take(number)
    except ConfigError as error:
        raise ConfigError(f"{error}; {_INSTEAD}") from None
    try:
        in_background(partial(_heed, come, run), "manometer-reload", end)
    except BaseException:
        signals.give_back()
        raise

    def undo() -> None:
        signals.give_back()
        end()

    return undo


def _heed(come: "SimpleQueue[int | None]", run: Callable[[], object]) -> None:
    while come.get() is not None:
        while not come.empty():  # once is enough for all that have come
            if come.get() is None:
                return
        try:
            run()
        except Exception:
            _log.exception("what SIGHUP asks for failed")
