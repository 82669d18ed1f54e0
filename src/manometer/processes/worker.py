"""A process's part in a group: its figures stay in its own memory, and go to a file of its own every second."""

import logging
import os
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from weakref import WeakKeyDictionary, ref

from prometheus_client import CollectorRegistry

from manometer.background import in_background
from manometer.errors import ConfigError
from manometer.meters import uwsgi
from manometer.meters.fork import Forked, follow_uwsgi, freed_in_child, notice
from manometer.processes.directory import Directory
from manometer.processes.file_faults import Faults
from manometer.processes.member import Member
from manometer.processes.shared_port import SharedPort
from manometer.processes.unwritable import Unwritable
from manometer.registry.limits import PATIENCE
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Worker", "all_workers"]

LOSS = 1.0
"""Seconds whose figures a kill may cost."""
_SPARE = 0.3  # of these, for the thread to be woken, to get its turn among the others, and to write
_PATIENCE = 10  # seconds that a stop, as at the end of the process, waits for the last writing

_log = logging.getLogger("manometer")


class Worker:
    """Writes a registry's figures to a directory, from a background thread and whenever someone asks for them.

    A forked child is a worker of its own, from zero. A process leaves the group when it ends, and not before: its
    figures are in its memory until then, and would be counted twice if it came back.
    """

    def __init__(self, registry: CollectorRegistry, path: Path) -> None:
        self._registry = ref(registry)
        self._self_metrics = SelfMetrics.of(registry)
        self._self_metrics.keeps_ended = True
        self.faults = Faults(self._self_metrics)
        self.directory = Directory(path, self.faults.unreadable, self._self_metrics.folded)
        try:
            self._make_directory()
        except OSError as error:
            raise ConfigError(f"processes_dir {path} cannot be made ({error.strerror}); name another") from None
        self.directory.need_trust()
        if not os.access(path, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise ConfigError(f"processes_dir {path} takes no files from this user; make it theirs, or name another")
        self.patience = PATIENCE
        """Seconds that a collector may take."""
        self._users = 0
        self._thread: Thread | None = None
        self._lock = freed_in_child(Lock())
        self._unwritable = Unwritable()
        self._join(Member(self.directory, self._self_metrics))

    def _join(self, member: Member) -> None:
        """Begin as a process that has not written yet."""
        self._member = member
        self._left = self._is_threadless = False
        self._writing = Lock()

    @classmethod
    def of(cls, registry: CollectorRegistry, path: str) -> "Worker":
        """The worker of this process for that registry and directory: there is only one."""
        notice()
        place = Path(path).absolute()
        with _lock:
            workers = _workers.setdefault(registry, {})
            if place not in workers:
                workers[place] = cls(registry, place)
            return workers[place]

    def start(self) -> None:
        """Write from a background thread too, until as many have called `stop` as this."""
        notice()
        follow_uwsgi()  # once more: another hook may have taken the place of the first
        with self._lock:
            self._users += 1
            try:
                self._run()
            except RuntimeError as error:  # as in an interpreter that allows for none
                self._is_threadless = True
                _log.warning("figures are written only when someone asks for them: %s", error)

    def stop(self) -> None:
        """Write a last time, and from then on only when asked; as with `end`, that may be given up."""
        notice()
        with self._lock:
            self._users -= 1
            thread = None if self._users else self._stopping()
        _await(thread)

    def end(self) -> None:
        """Write a last time, as the process ends; a collector that never returns does not keep it from that."""
        with self._lock:
            thread = self._stopping()
        if self._is_threadless:
            self._flush()
        _await(thread)

    def leave(self) -> None:
        """Give back the lock on the file for good: the interpreter ends, but its process would keep the lock."""
        with self._writing:
            self._left = True
            self._member.file.abandon()

    def flush(self, patience: float = -1) -> bool:
        """Write what the figures are now; where that fails, it is logged and counted, and tried again next time.

        patience: seconds to wait for a thread that is at it, held up by a collector; -1 for as long as it takes.
        """
        notice()
        if self._users and self._thread is None:
            with self._lock, suppress(RuntimeError):
                self._run()
        return self._flush(patience)

    def sharing(self, port: int) -> SharedPort | None:
        """What lets the processes of the directory listen on that port together; None for any free port."""
        return SharedPort(self.directory.path, port) if port else None

    def _make_directory(self) -> None:
        self.directory.path.mkdir(0o700, parents=True, exist_ok=True)

    @property
    def unwritable(self) -> int | None:
        """A process, this one or another of its forks, of which nothing is in the directory although it is alive."""
        return self._unwritable.pid

    def _flush(self, patience: float = -1) -> bool:
        registry = self._registry()
        if registry is None or uwsgi.forks_later():  # what was counted before uWSGI's fork goes with its first worker
            return True
        writing = self._writing
        if not writing.acquire(timeout=patience):
            return False
        try:
            return self._left or self._write(registry)
        finally:
            writing.release()

    def _write(self, registry: CollectorRegistry) -> bool:
        try:
            self._make_directory()  # someone may have removed it
            doubt = self.directory.doubt()
            if doubt is not None:  # and somebody else have made it anew
                raise PermissionError(doubt)
            self._member.write(registry, time.time(), self.patience)
            self.directory.settle()
        except Exception as error:  # there is no room, or it is a fault of ours; the next time may be luckier
            self.faults.unwritten(self.directory.path, error)
            self._unwritable.wrote(failed=not self._member.file.stands)
            return False
        self.faults.written(self.directory.path)
        self._unwritable.wrote(failed=False)
        return True

    def rejoin(self, forked: Forked) -> None:
        """In a forked child: leave what is the parent's to the parent, and go on as a process of its own."""
        parent = self._member
        self.faults.forget()
        self._join(Member(self.directory, self._self_metrics, parent.file.path.name))
        if forked is Forked.LATE:
            self._member.inherit_from(parent)
        elif forked is Forked.AT_ONCE:
            self._member.inherit(self._registry())
        self._thread = None
        try:
            self._run()
        except RuntimeError:  # at the end of the interpreter there are no new ones
            self._is_threadless = True

    def has_forked(self) -> None:
        """Right after a fork, in the parent."""
        self._member.has_forked()

    def _run(self) -> None:
        """Have a thread where someone wants one, and no fork is to come that it could spoil; the lock is held."""
        if not self._users or self._thread is not None or uwsgi.forks_later():
            return
        self._stopped = Event()
        self._thread = in_background(partial(self._loop, self._stopped), "manometer-processes", self._let_go)

    def _let_go(self) -> None:
        """A subinterpreter ends, and waits for the thread; what comes after that, `end` writes."""
        with self._lock:
            self._is_threadless = True
            self._stopping()

    def _stopping(self) -> Thread | None:
        """The thread, which writes a last time and is nobody's any more; None where there is none."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopped.set()
        return thread

    def _loop(self, stopped: Event) -> None:
        pause, last = LOSS - _SPARE, False
        while not last:
            last = stopped.wait(pause)
            began = time.monotonic()
            self._flush()
            took = time.monotonic() - began
            # A kill costs what came since the collection that was written last began. So the next one is to be in its
            # place a second after that; but at most half the time goes to it, however much there is to collect.
            pause = max(LOSS - _SPARE - 2 * took, took)


def _await(thread: Thread | None) -> None:
    if thread is not None:
        thread.join(_PATIENCE)
        if thread.is_alive():
            _log.warning("the last figures of this process may be lost: reading them takes over %d s", _PATIENCE)


def all_workers() -> list[Worker]:
    """The workers of this process."""
    return [worker for workers in list(_workers.values()) for worker in workers.values()]


_workers: WeakKeyDictionary[CollectorRegistry, dict[Path, Worker]] = WeakKeyDictionary()
_lock = freed_in_child(Lock())
