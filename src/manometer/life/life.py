"""Life: starts a program's parts in order, waits for the end that is asked for, and stops the parts in reverse."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from queue import SimpleQueue
from threading import Event, Lock
from time import monotonic, sleep
from types import TracebackType
from typing import Self, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.background import in_background
from manometer.config import Settings
from manometer.errors import ConfigError
from manometer.health import Checks
from manometer.life.hangup import on_hangup
from manometer.life.last_report import leave_reports
from manometer.life.signals import Signals
from manometer.life.systemd import Systemd
from manometer.life.watchdog import Watchdog
from manometer.meters.fork import Forked, freed_in_child, notice, renewed_in_child

__all__ = ["Life"]

T = TypeVar("T")

_ENDS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
"""What asks for the end: a supervisor, Ctrl-C, a terminal that is closed, and Windows's word for Ctrl-Break."""
_STEP = 0.5
"""Seconds between two looks at what there is to do.

Python hears a signal when its main thread comes back from a wait. One that comes as a wait begins does not end that
wait, and on Windows none does.
"""

_log = logging.getLogger("manometer")


class Life:
    """The life of a program, as a `with` block.

        with manometer.Life() as life:
            life.start(manometer.Manometer())
            engine = life.start(Engine())
            life.ready()
            life.wait()

    In the block, SIGTERM, SIGINT and SIGHUP ask for the end: `/readyz` says 503 at once, `wait` returns after the
    setting `drain_time`, and the block's end stops the parts, the last one first. The same signal once more ends the
    process at once. A signal that the program ignores stays ignored. Leaving the block asks for the end too. Where
    settings are read again at SIGHUP (`on_reload`, or the setting `reload_on_sighup`), that one does not end it.
    systemd is told where it wants to be. A forked child is no part of this life.

    settings: by default those of the Manometer that runs on the registry when the end is asked for, and what the
    environment says where none runs. registry: whose `/readyz` and `/startupz` follow this life.
    signals: False takes none, as in a thread that is not the main one; then `stop` alone asks for the end.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: CollectorRegistry = REGISTRY,
        signals: bool = True,
        systemd: Systemd | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._has_own_settings = settings is not None
        self._drain_time = (Settings.load() if settings is None else settings).drain_time
        self._lifecycle = Checks.on(registry).lifecycle
        self._systemd = Systemd() if systemd is None else systemd
        self._watchdog = Watchdog(self._systemd, Checks.on(registry), clock)
        self._clock = clock
        self._parts = ExitStack()
        self._signals = Signals(self._heard, ends=True)
        self._numbers = {getattr(signal, name) for name in _ENDS if hasattr(signal, name)} if signals else set()
        self._was_told = False  # by a signal
        self._asked, self._ends_at = Event(), 0.0
        self._is_ready = False
        self._lock = freed_in_child(Lock())
        self._ends: SimpleQueue[str | None] = SimpleQueue()
        self._taken = ExitStack()
        renewed_in_child(self)

    def __enter__(self) -> Self:
        notice()
        self._owner = threading.get_ident()
        with ExitStack() as undo:
            undo.callback(self._signals.give_back)
            self._take_signals()
            self._lifecycle.starting()
            undo.callback(self._lifecycle.ready)
            in_background(self._heed, "manometer-life", self.stop)
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is None:
            self._ask("the program ends")
        else:  # the exception speaks for itself, to whoever catches it
            leave_reports(error)  # now: the parts take their figures with them
            self._ask(f"{kind.__name__} ended the program", logging.DEBUG)
        try:
            if kind is None:
                self.wait()
            return self._parts.__exit__(kind, error, trace)
        finally:
            self._taken.close()
            self._ends.put(None)
            self._signals.give_back(ignored=self._was_told)

    def start(self, part: AbstractContextManager[T]) -> T:
        """Enter a part of the program; the parts are left in reverse, before the process ends."""
        return self._parts.enter_context(part)

    def ready(self) -> None:
        """All has started: `/startupz` and `/readyz` say so, and systemd is told."""
        with self._lock:
            if self._asked.is_set():
                return
            self._is_ready = True
            self._lifecycle.ready()
            self._systemd.ready()
        _log.info("ready")

    def stop(self, reason: str = "the program asked for it") -> None:
        """Ask for the end, from any thread; a signal handler or a finalizer may call it too."""
        self._ends.put(reason)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the program is to end, and its drain time is over; whether that is so.

        timeout: seconds to wait at most; None for as long as it takes. With 0 it only looks, as in a loop of the
        program's own. systemd's watchdog is fed here, by the thread that entered the life, and nowhere else: a main
        loop that hangs does not come here. It is not fed while a health check of the group `live` fails.
        """
        notice()
        give_up = None if timeout is None else self._clock() + timeout
        while True:
            now = self._clock()
            if threading.get_ident() == self._owner:
                self._watchdog.feed(now)
            until = self._ends_at if self._asked.is_set() else None
            if until is not None and now >= until:
                return True
            left = min(each - now for each in (now + _STEP, until, give_up) if each is not None)
            if left <= 0:
                return False
            if until is None:
                self._asked.wait(min(left, self._watchdog.pause))
            else:
                sleep(min(left, self._watchdog.pause))

    def on_reload(self, reload: Callable[[], object]) -> None:
        """Call `reload` at each SIGHUP from now on, in a thread of its own, in the place of ending.

        What it raises is logged. Signals that come while it runs are as one. systemd is told (`RELOADING=1`).
        Raises ConfigError where SIGHUP cannot be taken: on a system without it, in any thread but the main one, and
        where it has a handler that is not Python's.
        """
        self._taken.callback(on_hangup(partial(self._load_anew, reload)))

    @property
    def is_stopping(self) -> bool:
        """Whether the end has been asked for."""
        return self._asked.is_set()

    def renew(self, _: Forked) -> None:
        """In a forked child: its signals do what they did before this life, and nobody waits for them here."""
        self._asked = Event()

    def _take_signals(self) -> None:
        try:
            for number in self._numbers:
                self._signals.take(number)
        except ConfigError as error:
            raise ConfigError(f"{error}; make the Life there, or with signals=False") from None

    def _heard(self, number: int) -> None:
        """In the main thread, amid anything: so it waits for no lock, and leaves the work to a thread."""
        self._was_told = True
        # Process 1 of a container does not heed a signal that it leaves to the kernel.
        signal.signal(number, _leave if os.getpid() == 1 else signal.SIG_DFL)
        self._ends.put(signal.Signals(number).name)

    def _ask(self, reason: str, level: int = logging.INFO) -> None:
        """Begin to end, unless that has begun."""
        with self._lock:
            if self._asked.is_set():
                return
            self._lifecycle.stopping()
            drain = self._drain() if self._is_ready else 0.0  # else nobody has sent it anything yet
            self._ends_at = self._clock() + drain
            self._asked.set()
        self._systemd.stopping(reason)
        _log.log(level, "stopping: %s%s", reason, f"; new work is taken for another {drain:g} s" if drain else "")

    def _drain(self) -> float:
        told = None if self._has_own_settings else self._lifecycle.drain_time
        return self._drain_time if told is None else told

    def _load_anew(self, reload: Callable[[], object]) -> None:
        if self._is_ready:
            self._systemd.reloading()
        try:
            reload()
        finally:
            with self._lock:
                if self._is_ready and not self._asked.is_set():
                    self._systemd.ready()

    def _heed(self) -> None:
        """Take what asks for the end. Whoever puts something into the queue waits for nothing."""
        while (reason := self._ends.get()) is not None:
            self._ask(reason)


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)
