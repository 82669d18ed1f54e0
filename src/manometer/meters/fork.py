"""What a forked child does before anything else: free the locks that no thread of its own holds, start from zero."""

import logging
import os
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

__all__ = ["Renewable", "freed_in_child", "renewed_in_child"]


_log = logging.getLogger("manometer")


class Renewable(Protocol):
    """What has figures, threads or sockets of this process alone."""

    def renew(self) -> None:
        """Begin from zero, with free locks. No other thread runs yet, and whatever one was at stays half done."""


L = TypeVar("L")
R = TypeVar("R", bound=Renewable)


def freed_in_child(lock: L) -> L:
    """Have a forked child find this lock free, whichever thread of its parent held it; return the lock."""
    _locks.add(lock)
    return lock


def renewed_in_child(each: R) -> R:
    """Call `each.renew()` in a forked child, for as long as it is alive; return it."""
    _figures.add(each)
    return each


_locks: WeakSet[Any] = WeakSet()
_figures: WeakSet[Any] = WeakSet()


def _begin_anew() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()  # CPython's own word for it, with which logging and threading free theirs
    for each in list(_figures):
        try:
            each.renew()
        except Exception:  # that one's fault; the others are to begin from zero all the same
            _log.exception("%r goes on in a forked child with what it had in its parent", each)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
