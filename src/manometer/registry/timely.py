"""A collection that ends in time, whatever a collector does: one that hangs loses its own series, and no others."""

from collections.abc import Collection
from threading import RLock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

from manometer.meters.fork import Forked, called_in_child, freed_in_child, notice
from manometer.registry.found import Found
from manometer.registry.limits import Limits
from manometer.registry.rounds import Rounds

__all__ = ["collect_in_time"]

_USUAL = Limits()


def collect_in_time(registry: CollectorRegistry, names: Collection[str] = (), limits: Limits = _USUAL) -> Found:
    """Read the registry as `collect` does, and wait for no collector longer than the limits say.

    One that does not answer in time loses its own families, as one that raises does. It is named in the log, and not
    read again until it has answered, whoever asks. All who ask amid a collection share the next one, which is told to
    each of them: for names, it has what others wanted besides.
    Raises IncompleteError where a collector does; where one that tells of everything does not answer in time; and
    where the collection before takes all of the time.
    """
    notice()
    with _lock:
        rounds = _rounds.setdefault(registry, Rounds())
    return rounds.collect(registry, frozenset(names), limits.inner)


_rounds: WeakKeyDictionary[CollectorRegistry, Rounds] = WeakKeyDictionary()
_lock = freed_in_child(RLock())  # a signal handler may come amid anything, and collect


@called_in_child
def _forget(_: Forked) -> None:
    """The threads that were reading are the parent's."""
    _rounds.clear()
