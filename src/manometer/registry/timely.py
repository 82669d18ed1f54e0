"""A collection that ends in time, whatever a collector does: one that hangs loses its own series, and no others."""

from collections.abc import Collection
from threading import RLock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

from manometer.meters.fork import Forked, called_in_child, freed_in_child, notice
from manometer.registry.limits import Limits
from manometer.registry.rounds import Found, Rounds

__all__ = ["collect_in_time"]

_USUAL = Limits()


def collect_in_time(registry: CollectorRegistry, names: Collection[str] = (), limits: Limits = _USUAL) -> Found:
    """Read the registry as `collect` does, and wait for no collector longer than the limits say.

    One that does not answer in time loses its own families, as one that raises does. It is named in the log, and not
    read again until it has answered. All who ask for the same names amid a collection share the next one.
    Raises IncompleteError where a collector does; where one that tells of everything does not answer in time; and
    where the collection before takes all of the time.
    """
    notice()
    wanted = frozenset(names)
    with _lock:
        by_names = _rounds.setdefault(registry, {})
        rounds = by_names.setdefault(wanted, Rounds(registry, wanted))
    try:
        return rounds.collect(limits.inner)
    finally:
        with _lock:
            if rounds.are_over and by_names.get(wanted) is rounds:
                del by_names[wanted]


_rounds: WeakKeyDictionary[CollectorRegistry, dict[frozenset[str], Rounds]] = WeakKeyDictionary()
_lock = freed_in_child(RLock())  # a signal handler may come amid anything, and write


@called_in_child
def _forget(_: Forked) -> None:
    """The threads that were reading are the parent's."""
    _rounds.clear()
