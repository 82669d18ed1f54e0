"""The terminal's foreground: whom Ctrl-C reaches."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

__all__ = ["alone_in_foreground"]


@contextmanager
def alone_in_foreground() -> Iterator[None]:
    """Have Ctrl-C reach this process and its children alone, and not what started it, until the block ends.

    `make` would end with an error for a signal of its own, however well the program that it runs has
    ended. Does nothing without a terminal, in the background, and where the shell has done so already.
    """
    with ExitStack() as undo:
        with suppress(OSError):
            _take(undo)
        yield


def _take(undo: ExitStack) -> None:
    terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    undo.callback(os.close, terminal)
    before, own = os.getpgrp(), os.getpid()
    if before == own or os.tcgetpgrp(terminal) != before:
        return
    # Whoever waits for us would not see that we stopped, and the terminal would be nobody's.
    stopping = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    undo.callback(signal.signal, signal.SIGTSTP, stopping)
    os.setpgid(0, 0)
    undo.callback(_quietly, lambda: os.setpgid(0, before))
    _hand_over(terminal, own)
    undo.callback(_quietly, lambda: _hand_over(terminal, before))


def _hand_over(terminal: int, group: int) -> None:
    """Make a process group the terminal's foreground; who is in the background may, where it ignores SIGTTOU."""
    handler = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(terminal, group)
    finally:
        signal.signal(signal.SIGTTOU, handler)


def _quietly(step: Callable[[], None]) -> None:
    """The one that the terminal came from may have ended, and the terminal been closed."""
    with suppress(OSError):
        step()
