"""A process's part in a group: its figures stay in its own memory, and go to a file of its own every second."""

import atexit
import logging
import os
import time
from contextlib import suppress
from enum import Enum
from functools import partial
from multiprocessing import util
from pathlib import Path
from threading import Event, Lock, Thread
from weakref import WeakKeyDictionary, ref

from prometheus_client import CollectorRegistry

from manometer.background import INTERPRETER, in_background
from manometer.errors import ConfigError
from manometer.meters import uwsgi
from manometer.meters.family import Family
from manometer.meters.fork import Forked, called_in_child, follow_uwsgi, freed_in_child, notice
from manometer.processes.directory import Directory
from manometer.processes.file_faults import Faults
from manometer.processes.file_reading import check
from manometer.processes.fork_baseline import counts_at_fork
from manometer.processes.growing_file import GrowingFile
from manometer.processes.merge_modes import in_own_files, merge_mode
from manometer.processes.resets import Resets
from manometer.processes.snapshot import Process, apart
from manometer.processes.unwritable import Unwritable
from manometer.registry.collection import collect
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Worker", "flush"]

LOSS = 1.0
"""Seconds whose figures a kill may cost."""
_SPARE = 0.3  # of these, for the thread to be woken, to get its turn among the others, and to write
_PATIENCE = 10  # seconds that a stop, as at the end of the process, waits for the last writing

_log = logging.getLogger("manometer")


class _Role(Enum):
    """What a process has to do with forks."""

    ALONE = "it has made none"
    FORKED = "it has, and was not looked at since"
    WAITS = "it has done nothing since the first look after that"
    WORKS = "it has"


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
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"processes_dir {path} cannot be made ({error.strerror}); name another") from None
        if not os.access(path, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise ConfigError(f"processes_dir {path} takes no files from this user; make it theirs, or name another")
        self._users = 0
        self._thread: Thread | None = None
        self._lock = freed_in_child(Lock())
        self._unwritable = Unwritable()
        self._join(parent="")

    def _join(self, parent: str) -> None:
        """Begin as a process that has not written yet. parent: the file of the one that it was forked from."""
        self._parent = parent
        self._role = _Role.ALONE
        self._left = self._is_threadless = False
        self._file = self.directory.own_file(INTERPRETER)
        self._figures = GrowingFile(self._file)
        self._resets = Resets(self._self_metrics.folded)
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
            self._file.abandon()

    def flush(self) -> bool:
        """Write what the figures are now; where that fails, it is logged and counted, and tried again next time."""
        notice()
        if self._users and self._thread is None:
            with self._lock, suppress(RuntimeError):
                self._run()
        return self._flush()

    @property
    def unwritable(self) -> int | None:
        """A process, this one or another of its forks, of which nothing is in the directory although it is alive."""
        return self._unwritable.pid

    def _flush(self) -> bool:
        registry = self._registry()
        if registry is None or uwsgi.forks_later():  # what was counted before uWSGI's fork goes with its first worker
            return True
        with self._writing:
            if self._left:
                return True
            try:
                self.directory.path.mkdir(parents=True, exist_ok=True)  # someone may have removed it
                self._write(registry, time.time())
                self.directory.settle()
            except Exception as error:  # there is no room, or it is a fault of ours; the next time may be luckier
                self.faults.unwritten(self.directory.path, error)
                self._unwritable.wrote(failed=not self._file.stands)
                return False
            self.faults.written(self.directory.path)
            self._unwritable.wrote(failed=False)
            return True

    def _write(self, registry: CollectorRegistry, now: float) -> None:
        """Bring the file up to date. A family that cannot be in it is left out, but for what its sums had come to."""
        families: list[Family] = []
        of_meters: dict[object, Family] = {}
        update = self._figures.begin()
        for found in collect(registry):
            name = str(found.name)
            try:
                if not in_own_files(registry, name):
                    kind = found.kind if isinstance(found, Family) else found.type
                    parts = list(apart(found, merge_mode(registry, name, kind), now))
                    for part, meter in parts:
                        if meter is None:
                            check(part)
                    update.tell([part for part, _ in parts])
                    families += [part for part, meter in parts if meter is None]
                    of_meters |= {meter: part for part, meter in parts if meter is not None}
            except Exception:
                self._self_metrics.failed(name, "the sharing of")
            else:
                self._self_metrics.worked(name, "the sharing of")
        if self._role is _Role.WAITS and self._resets.moved(families, of_meters):
            self._role = _Role.WORKS
        elif self._role is _Role.FORKED:
            self._role = _Role.WAITS
        update.tell(self._resets.besides(families, now, of_meters))
        only_forks = self._role in (_Role.FORKED, _Role.WAITS)
        self._figures.write(Process(os.getpid(), INTERPRETER, self._parent, only_forks), update)

    # --- the process: this one, or a child that was forked from it

    def _rejoin(self, forked: Forked) -> None:
        """In a forked child: leave what is the parent's to the parent, and go on as a process of its own."""
        before = self._resets
        self.faults.forget()
        self._join(parent=self._file.path.name)
        if forked is Forked.LATE:
            self._resets.inherit_from(before)
        elif forked is Forked.AT_ONCE:
            self._inherit()
        self._thread = None
        try:
            self._run()
        except RuntimeError:  # at the end of the interpreter there are no new ones
            self._is_threadless = True

    def _inherit(self) -> None:
        registry, now = self._registry(), time.time()
        try:
            if registry is not None:
                self._resets.inherit(counts_at_fork(registry, now), now)
        except Exception:
            _log.exception("what prometheus-client's counters had before the fork is counted in the child as well")

    def _has_forked(self) -> None:
        """Right after a fork, in the parent."""
        if self._role is _Role.ALONE:
            self._role = _Role.FORKED

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


def flush(timeout: float | None) -> bool:
    """Have all workers of this process write, within so many seconds; False where one could not."""
    written: list[bool] = []

    def write() -> None:
        written.extend([worker.flush() for worker in _all()])
        written.append(True)

    try:
        thread = in_background(write, "manometer-flush")
    except RuntimeError:  # at the end of the interpreter there are no new threads
        write()
    else:
        thread.join(timeout)
    return written[-1:] == [True] and all(written)


def _tell_parents() -> None:
    for worker in _all():
        worker._has_forked()


def _rejoin_workers(forked: Forked) -> None:
    for worker in _all():
        worker._rejoin(forked)


def _end_workers() -> None:
    notice()
    for worker in _all():
        worker.end()


def _end_interpreter() -> None:
    _end_workers()
    if INTERPRETER:
        for worker in _all():
            worker.leave()


def _all() -> list[Worker]:
    return [worker for workers in list(_workers.values()) for worker in workers.values()]


def _end_with_multiprocessing(_: object = None) -> None:
    # A child of multiprocessing runs these, and no atexit functions where it was forked.
    util.Finalize(None, _end_workers, exitpriority=-100)


_workers: WeakKeyDictionary[CollectorRegistry, dict[Path, Worker]] = WeakKeyDictionary()
_lock = freed_in_child(Lock())

os.register_at_fork(after_in_parent=_tell_parents)
called_in_child(_rejoin_workers)
util.register_after_fork(Worker, _end_with_multiprocessing)  # which knows of none before
_end_with_multiprocessing()  # this process may be such a child already
atexit.register(_end_interpreter)
