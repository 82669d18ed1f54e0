"""How a command ends that runs until it is told to."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["terminable"]


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM or Ctrl-C raise KeyboardInterrupt in the block; later ones are ignored to the end.

    A terminal sends Ctrl-C to everyone on it, so who started the command may send SIGTERM just after. That must not
    interrupt the clean-up. Nor may it come after that: an interpreter that ends takes its handlers away, and a signal
    that comes then kills it. What is ignored stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is not signal.SIG_IGN]

    ending = False

    def interrupt(*_: object) -> None:
        nonlocal ending
        if not ending:
            ending = True
            raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in caught}
    try:
        yield
    finally:
        # None may come amid the change: Python writes to standard error of one that finds its handler gone.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, caught)
        for each, handler in before.items():
            signal.signal(each, signal.SIG_IGN if ending else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
