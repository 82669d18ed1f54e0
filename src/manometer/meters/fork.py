"""What a forked child does before anything else: free the locks that no thread of its own holds, start from zero.

`os.fork` calls Python's hooks. A fork made in C calls none of them, so the child compares its process id (`notice`)
where that costs nothing that matters: at a collection, a request, a fold, and wherever it would wait for a thread or
takes a lock to set something up or close it. uWSGI has a hook of its own.
"""

import logging
import os
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from threading import RLock, get_native_id
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from manometer.meters import uwsgi

__all__ = [
    "Forked",
    "Renewable",
    "Startable",
    "called_in_child",
    "follow_uwsgi",
    "freed_in_child",
    "notice",
    "notice_aside",
    "renewed_in_child",
    "started_in_child",
    "was_hooked",
]

_GRACE = 1.0  # seconds in which a thread of the child gives a lock back, however busy the machine is

_log = logging.getLogger("manometer")


class Forked(Enum):
    """How a process came to be, and so whose the figures in its memory are."""

    AT_ONCE = "all figures are the parent's"
    LATE = "the fork was noticed late: figures of the parent and of the child are mixed"
    HEIR = "the parent counts no more, and the child goes on with its figures"


class Renewable(Protocol):
    """What has figures, threads or sockets of this process alone."""

    def renew(self, forked: Forked) -> None:
        """Free the locks, forget the parent's threads and sockets, and begin from zero where all figures are its own.

        What another thread of the parent was at stays half done. Other threads of the child run only where LATE.
        """


class Startable(Protocol):
    """What has threads of its own in each process."""

    def start_anew(self) -> None:
        """Start them in a forked child, in which all else is renewed: they may need any of it."""


L = TypeVar("L")
R = TypeVar("R", bound=Renewable)
S = TypeVar("S", bound=Startable)
Step = Callable[[Forked], None]


def freed_in_child(lock: L) -> L:
    """Have a forked child find this lock free, whichever thread of its parent held it; return the lock."""
    _locks.add(lock)
    return lock


def renewed_in_child(each: R) -> R:
    """Call `each.renew(...)` in a forked child, for as long as it is alive; return it."""
    _renewables.add(each)
    return each


def started_in_child(each: S) -> S:
    """Call `each.start_anew()` in a forked child, behind all else, for as long as it is alive; return it."""
    _startables.add(each)
    return each


def called_in_child(step: Step) -> Step:
    """Call the function in a forked child, after everything is renewed; return it."""
    _steps.append(step)
    return step


def notice() -> None:
    """In a child that was forked in C: do now what Python's hooks would have done at the fork.

    Costs one system call elsewhere. The caller holds no lock of ours.
    """
    if os.getpid() != _pid:
        _begin(Forked.LATE)


def notice_aside() -> None:
    """The same without a wait, in a thread of its own, for a caller that may hold any lock."""
    global _aside
    if os.getpid() not in (_pid, _aside):
        _aside = os.getpid()
        with suppress(RuntimeError):  # no thread to be had
            start_new_thread(notice, ())


def follow_uwsgi() -> None:
    """Have uWSGI, where it runs this process, tell of the workers that it forks; any number of calls is as one."""
    uwsgi.call_in_workers(_begin_as_child)


def was_hooked() -> bool:
    """Whether Python's hooks ran at the fork that made this process, so that other libraries know of it too."""
    return os.getpid() == _hooked


def _after_hook() -> None:
    """Python's own hook."""
    global _hooked
    _hooked = os.getpid()
    _begin_as_child()


def _begin_as_child() -> None:
    """Right after a fork, before any other code runs in the child."""
    if os.getpid() != _pid:
        _begin(Forked.HEIR if uwsgi.is_heir() else Forked.AT_ONCE)


def _begin(forked: Forked) -> None:
    global _pid, _beginning
    late = forked is Forked.LATE
    if not late:
        _noticing._at_fork_reinit()  # type: ignore[attr-defined]
    with _noticing:
        if os.getpid() in (_pid, _beginning):  # another thread was faster, or this one is at it
            return
        _beginning = os.getpid()
        for lock in list(_locks):
            if not late or not _given_back(lock):
                lock._at_fork_reinit()  # CPython's own word for it, with which logging and threading free theirs
        renewals = [(step, (forked,)) for step in (*(each.renew for each in list(_renewables)), *_steps)]
        for renew, given in [*renewals, *((each.start_anew, ()) for each in list(_startables))]:
            try:
                renew(*given)
            except Exception:  # that one's fault; the others are to begin anew all the same
                _log.exception("%r failed in a forked child, which goes on with what its parent had", renew)
        _pid = _beginning


def _given_back(lock: Any) -> bool:
    """Whether no thread holds the lock, or one that is alive and soon gives it back."""
    # A new thread may get the number of a thread of the parent, and then seems to hold that one's reentrant locks. On
    # Linux, the thread that forked has the number of the process; a lock that it holds may be its own.
    if hasattr(lock, "_is_owned") and lock._is_owned() and get_native_id() != os.getpid():
        return False
    if not lock.acquire(timeout=_GRACE):
        return False
    lock.release()
    return True


_locks: WeakSet[Any] = WeakSet()
_renewables: WeakSet[Any] = WeakSet()
_startables: WeakSet[Any] = WeakSet()
_steps: list[Step] = []
_pid = _beginning = _aside = _hooked = os.getpid()
_noticing = RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_hook)
follow_uwsgi()
