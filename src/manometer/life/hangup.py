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

_log = logging.getLogger("manometer")


def on_hangup(run: Callable[[], object]) -> Callable[[], None]:
    """Call `run` in a thread after each SIGHUP, once for those that come while it runs; return what ends that.

    What it raises is logged. Raises ConfigError on a system without SIGHUP, and in another thread than the main one.
    """
    number = getattr(signal, "SIGHUP", None)
    if number is None:
        raise ConfigError("a reload by signal needs SIGHUP, which this system does not have; reload by a call")
    come: SimpleQueue[int | None] = SimpleQueue()
    signals = Signals(come.put)
    signals.take(number)
    end = partial(come.put, None)
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
        while not come.empty():
            if come.get() is None:
                return
        try:
            run()
        except Exception:
            _log.exception("what SIGHUP asked for failed")
