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

    So `heard` may wait for no lock. In a forked child a signal does what it did before it was taken.

    ends: whether the signals are to end the program, in the place of what the program does at them. Others ask for
    something else, several side by side: then nobody ends, and the program's own handler is called as before.
    """

    def __init__(self, heard: Callable[[int], object], *, ends: bool) -> None:
        self._heard = heard
        self._ends = ends
        self._before: dict[int, Any] = {}
        self._pid = os.getpid()
        self._given_back = False
        renewed_in_child(self)

    def take(self, number: int) -> None:
        """Take a signal. Raises ConfigError where this may not be done: in any thread but the main one.

        What would end the program is left alone where the program ignores it, as under nohup, and where it has a
        handler that is not Python's.
        """
        before = signal.getsignal(number)  # None for such a handler
        if number in self._before or (self._ends and before in (signal.SIG_IGN, None)):
            return
        self._before[number] = before
        try:
            signal.signal(number, self._took)
        except ValueError:  # in a subinterpreter too
            del self._before[number]
            raise ConfigError(f"{signal.Signals(number).name} can be taken in the main thread alone") from None

    def give_back(self, *, ignored: bool = False) -> None:
        """Have the signals do what they did before; or nothing, to the end of the process.

        A process that ends takes its handlers away, and a signal that comes then would kill it. One that is ignored
        stays ignored.
        """
        self._given_back = True
        # Another thread than the main one may not: there, the handler stays, and does what was done before it.
        with suppress(ValueError), _held_up(self._before):
            for number in self._before:
                if signal.getsignal(number) == self._took:  # else somebody has set another meanwhile
                    takers, own = self._chain(number)
                    before = takers[0]._took if takers else own
                    signal.signal(number, signal.SIG_IGN if ignored else before)

    def renew(self, _: Forked) -> None:
        """In a forked child: nobody is there who would do what a signal asks for."""
        self.give_back()

    @property
    def _is_over(self) -> bool:
        """Whether nobody waits for the signals here: after the end, and in a child that was forked in C."""
        return self._given_back or self._pid != os.getpid()

    def _chain(self, number: int) -> "tuple[list[Signals], Any]":
        """Those who wait for the signal, the last one who took it first; and what the program did at it before."""
        takers, handler = [], self._took
        while isinstance(taker := getattr(handler, "__self__", None), Signals):
            if not taker._is_over:
                takers.append(taker)
            handler = taker._before[number]
        return takers, handler

    def _took(self, number: int, frame: FrameType | None) -> None:
        """The handler. It does next to nothing: it may have interrupted anything, whatever locks that holds."""
        takers, own = self._chain(number)
        others = [taker for taker in takers if not taker._ends]
        for each in others or takers[:1]:
            each._heard(number)
        if callable(own) and (others or not takers):
            own(number, frame)
        elif own == signal.SIG_DFL and not takers:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


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
