"""Pools of connections under OpenTelemetry's names, `db.client.connection.*`: the same readings once more."""

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

from manometer.catalogue import MetricSpec, label
from manometer.catalogue.database import ATTRIBUTES, SPECS, VIEW_OF
from manometer.instrumentation.subject import Subject, View
from manometer.meters.family import Family, Group, Series, Values
from manometer.meters.fork import freed_in_child
from manometer.registry.catalogued import family

__all__ = ["show"]

_KIND, _CONNECTION = label("pool.kind"), "connection"

_users: WeakKeyDictionary[CollectorRegistry, set[object]] = WeakKeyDictionary()
_lock = freed_in_child(Lock())


def show(registry: CollectorRegistry) -> Callable[[], None]:
    """Show the registry's pools of connections under these names too; the function that comes back ends that.

    Where several ask for it, it ends with the last of them.
    MetricError where the registry has a metric of one of the names.
    """
    subject, user = Subject.on(registry, "pool"), object()
    with _lock:
        users = _users.setdefault(registry, set())
        if not users:
            subject.shows(registry, View(SPECS, _view))
        users.add(user)

    def end() -> None:
        with _lock:
            if user in users:
                users.remove(user)
                if not users:
                    subject.shows(registry, None)

    return end


def _view(families: Iterable[Family]) -> Iterator[Family]:
    for told in families:
        theirs = _THEIRS.get(told.name)
        if theirs is None:
            continue
        groups = [_group(group, theirs) for group in told.groups]
        if any(group.series or group.ended for group in groups):
            yield family(theirs, ())._replace(groups=groups)


def _group(group: Group, theirs: MetricSpec) -> Group:
    """The series of pools of connections, with the label values that theirs have."""
    kind = group.labelnames.index(_KIND)
    kept = [group.labelnames.index(label(ATTRIBUTES[each])) for each in theirs.attributes]

    def connections(series: Iterable[Series]) -> list[Series]:
        return [(_picked(values, kept), reading) for values, reading in series if values[kind] == _CONNECTION]

    return group._replace(
        labelnames=theirs.labels,
        series=connections(group.series),
        ended=connections(group.ended),
        source=None if group.source is None else _sources.setdefault(group.source, _Source()),
        lines=None,  # these are for the meter's own name
    )


class _Source:
    """Stands for a meter in what is shown of it under these names, and lives as long as the meter."""


_sources: WeakKeyDictionary[object, _Source] = WeakKeyDictionary()


def _picked(values: Values, places: Iterable[int]) -> Values:
    return tuple([values[place] for place in places])


_THEIRS = {VIEW_OF[row.name].family_name: row for row in SPECS}
