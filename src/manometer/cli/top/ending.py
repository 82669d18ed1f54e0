"""How a command ends amid whatever it waits for, as a table on a terminal does."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from manometer.life.signals import Signals

__all__ = ["terminable"]


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM or Ctrl-C raise KeyboardInterrupt in the block; later ones are ignored to the end.

    A terminal sends Ctrl-C to everyone on it, so who started the command may send SIGTERM just after. That must not
    interrupt the clean-up, nor kill the interpreter while it ends. In another thread than the main one, it does
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = False

    def interrupt(_: int) -> None:
        nonlocal ending
        if not ending:
            ending = True
            raise KeyboardInterrupt

    signals = Signals(interrupt, ends=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signals.take(number)
    try:
        yield
    finally:
        signals.give_back(ignored=ending)
