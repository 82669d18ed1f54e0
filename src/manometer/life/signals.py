"""Signals: taken from a program that asks for it, given back at the end, and never left with a forked child."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from manometer.errors import ConfigError
from manometer.meters.fork import Forked, renewed_in_child

__all__ = ["Signals"]


class Signals:
    """Calls `heard` with the number of each signal that was taken, in the main thread, amid whatever it does there.

    So `heard` may wait for no lock. A signal that the program ignores stays ignored, as under nohup. A forked child
    does with its signals what the program did before they were taken.
    """

    def __init__(self, heard: Callable[[int], object]) -> None:
        self._heard = heard
        self._before: dict[int, Any] = {}
        self._pid = os.getpid()
        self._is_over = False
        renewed_in_child(self)

    def take(self, number: int) -> None:
        """Take a signal. Raises ConfigError where this may not be done: in any thread but the main one."""
        before = signal.getsignal(number)  # None for a handler that is not Python's
        if number in self._before or before is signal.SIG_IGN or before is None:
            return
        try:
            signal.signal(number, self._took)
        except ValueError as error:
            raise ConfigError(
                f"signals are taken in the main thread alone ({error}); make the Life there, or with signals=False"
            ) from None
        self._before[number] = before

    def give_back(self, *, ignored: bool = False) -> None:
        """Have the signals do what they did before; or nothing, to the end of the process.

        A process that ends takes its handlers away, and a signal that comes then would kill it. One that is ignored
        stays ignored.
        """
        self._is_over = True
        # Another thread than the main one may not: there, a handler gives back when it is called.
        with suppress(ValueError), _held_up(self._before):
            for number, handler in self._before.items():
                if signal.getsignal(number) == self._took:  # else somebody has set another meanwhile
                    signal.signal(number, signal.SIG_IGN if ignored else handler)

    def renew(self, _: Forked) -> None:
        """In a forked child: nobody is there who would do what a signal asks for."""
        self.give_back()

    def _took(self, number: int, _frame: FrameType | None) -> None:
        if self._is_over or os.getpid() != self._pid:  # or a child that was forked in C
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
            return
        self._heard(number)


@contextmanager
def _held_up(numbers: Any) -> Iterator[None]:
    """Let none of these come meanwhile: Python writes to standard error of one that finds its handler gone."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
