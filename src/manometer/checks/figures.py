"""Checks of what is measured anyway: of an instrumented object, or of any figure that `/metrics` shows.

They read the registry as a scrape does, and only the collectors that have what they ask for.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.catalogue import MetricSpec, label, spec
from manometer.catalogue import pool as pool_rows
from manometer.catalogue import resilience as resilience_rows
from manometer.checks.shares import MOST, checked, used
from manometer.errors import BindingError
from manometer.health import About, Finding
from manometer.instrumentation.binding import Binding
from manometer.registry.collection import as_metric
from manometer.registry.timely import collect_in_time

__all__ = ["breaker", "figure", "pool"]

_BREAKER, _POOL = "breaker.name", "pool.name"
_KIND, _STATE = label("pool.kind"), label("breaker.state")
_USED = {label("pool.resource.state"): "used"}

Labels = Mapping[str, str]
Figures = list[tuple[Labels, float]]


def figure(
    metric: str,
    of: object = None,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> Callable[[], Finding]:
    """Whether a figure is within its bounds; where several series are meant, whether each of them is.

        checks.figure("pool.pending_requests", engine, at_most=10)
        checks.figure("queue.items", "inbox", at_most=100)
        checks.figure("jobs_waiting", {"queue": "mail"}, at_most=500)

    metric: a metric of the catalogue, or a sample of any other, by its name at `/metrics`.
    of: an instrumented object, its Binding, its name where the metric is of the catalogue, or the attributes or
    labels that a series has to have; None for any.
    at_most, at_least: the bounds; a figure on a bound is well. One that is not there is a failure.
    Raises BindingError where there is no bound, where the object is not instrumented, and where the metric's series
    have no name or several.
    """
    if at_most is None and at_least is None:
        raise BindingError(f"the check of {metric!r} has no bound; pass at_most=..., at_least=..., or both")
    row = _row(metric)
    name, unit = (metric, "") if row is None else (row.prometheus_name, row.unit.strip("{}"))
    wanted = _labels({_naming(metric, row): of} if isinstance(of, str) else of)

    def run() -> Finding:
        found = _read(registry, wanted, name)[name]
        if not found:
            return Finding(f"there is no {_shown(name, wanted)}", measurement=metric)
        for labels, value in found:
            if at_most is not None and value > at_most:
                return Finding(f"{_shown(name, labels)} is {value:g}, over {at_most:g}", value, unit, metric)
            if at_least is not None and value < at_least:
                return Finding(f"{_shown(name, labels)} is {value:g}, under {at_least:g}", value, unit, metric)
        values = [value for _, value in found]
        return Finding(None, min(values) if at_most is None else max(values), unit, metric)

    return run


def pool(of: object, at_most: float = MOST, *, registry: CollectorRegistry = REGISTRY) -> Callable[[], Finding]:
    """Whether a pool runs full. One of workers may, as long as no task is queued.

    of: an instrumented pool, its Binding, or its name. at_most: the share of its limit that may be in use.
    Raises BindingError where the object is not instrumented.
    """
    checked("a pool", at_most)
    wanted = _named(_POOL, of)
    what = f"the pool {wanted[label(_POOL)]!r}"
    rows = (pool_rows.RESOURCES, pool_rows.RESOURCE_LIMIT, pool_rows.PENDING_REQUESTS)
    resources, limit, pending = (row.prometheus_name for row in rows)

    def run() -> Finding:
        found = _read(registry, wanted, resources, limit, pending)
        in_use = {labels[_KIND]: value for labels, value in found[resources] if _has(labels, _USED)}
        queued = {labels[_KIND]: value for labels, value in found[pending]}
        limits = {labels[_KIND]: value for labels, value in found[limit] if value > 0}
        shares = {kind: in_use[kind] / most for kind, most in limits.items() if kind in in_use}
        if not shares:
            return Finding(f"{what} is not measured, or has no limit", measurement="utilization")
        are_well = {kind for kind in shares if kind == "worker" and not queued.get(kind)}
        told = [used(what, share, 1.0 if kind in are_well else at_most) for kind, share in shares.items()]
        return max(told, key=lambda finding: (finding.problem is not None, finding.value))

    return About(run, {_POOL: wanted[label(_POOL)]})


def breaker(of: object, *, registry: CollectorRegistry = REGISTRY) -> Callable[[], Finding]:
    """Whether a circuit breaker is not open: what it calls works, or is tried again.

    of: an instrumented breaker, its Binding, or its name. Raises BindingError where the object is not instrumented.
    """
    wanted = _named(_BREAKER, of)
    what = f"the circuit breaker {wanted[label(_BREAKER)]!r}"
    name = resilience_rows.BREAKER_STATE.prometheus_name

    def run() -> Finding:
        states = [labels[_STATE] for labels, value in _read(registry, wanted, name)[name] if value]
        if not states:
            return Finding(f"{what} is not measured", measurement="state")
        problem = f"{what} is open" if "open" in states else None
        return Finding(problem, states[0], measurement="state")

    return About(run, {_BREAKER: wanted[label(_BREAKER)]})


def _row(metric: str) -> MetricSpec | None:
    try:
        return spec(metric)
    except KeyError:
        return None


def _naming(metric: str, row: MetricSpec | None) -> str:
    """The attribute that has the name of what a series is of."""
    names = [each for each in row.attributes if each.endswith(".name")] if row is not None else []
    if not names:
        raise BindingError(f"what a series of {metric!r} is named by is not known; pass its labels")
    if len(names) > 1:
        told = ", ".join(names)
        raise BindingError(f"series of {metric!r} have the names {told}; pass {{{names[0]!r}: ...}}")
    return names[0]


def _labels(of: object) -> Labels:
    """The labels that the series of an object have, or those that are given."""
    if of is None or isinstance(of, Mapping):
        return {label(name): value for name, value in (of or {}).items()}
    return _labels((of if isinstance(of, Binding) else Binding.of(of)).attributes)


def _named(attribute: str, of: object) -> Labels:
    """The same of an object that has this attribute, or of the one with this name."""
    labels = _labels({attribute: of} if isinstance(of, str) else of)
    if label(attribute) not in labels:
        raise BindingError(f"{type(of).__qualname__} has no {attribute}; pass such an object, or its name")
    return labels


def _read(registry: CollectorRegistry, wanted: Labels, *names: str) -> dict[str, Figures]:
    """The figures of these names that have these labels, as a scrape finds them."""
    found: dict[str, Figures] = {name: [] for name in names}
    for sample in _samples(registry, names):
        if sample[0] in found and _has(sample[1], wanted):
            found[sample[0]].append(sample[1:])
    return found


def _samples(registry: CollectorRegistry, names: tuple[str, ...]) -> Iterator[tuple[str, Labels, float]]:
    for family in collect_in_time(registry, names):
        for sample in as_metric(family).samples:
            yield sample.name, sample.labels, sample.value


def _has(labels: Labels, wanted: Labels) -> bool:
    return wanted.items() <= labels.items()


def _shown(name: str, labels: Labels) -> str:
    told = ", ".join(f"{label}={value!r}" for label, value in labels.items())
    return f"{name}{{{told}}}" if told else name
