"""What a registry says, for tests: one series, all series of a name, and what a block of code changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from manometer.instrumentation.clock import measure_by
from manometer.registry.collection import as_metric, collect

__all__ = ["Changes", "Figures"]

Labels = frozenset[tuple[str, str]]
Series = dict[tuple[str, Labels], float]


class Figures:
    """The figures of a registry, by default of a fresh one, which a test instruments on. Each call collects anew.

        figures = Figures()
        cache = instrument_cache(TTLCache(9, 60), name="prices", registry=figures.registry)
        with figures.changes() as changes:
            cache.get("AAPL")
        assert changes.all("cache_evictions_total", "cache_eviction_cause") == {}

    Names and labels are those of `/metrics`.
    clock: measures what is instrumented on the registry from now on, in the place of `time.perf_counter`.
    """

    def __init__(
        self, registry: CollectorRegistry | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        if clock is not None:
            measure_by(self.registry, clock)

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of the one sample of that name that has at least these labels; None where there is none.

        Raises AssertionError where there are several.
        """
        return _one(self.read(), name, labels)

    def all(self, name: str, label: str) -> dict[str, float]:
        """The values of all samples of that name, by one of their labels."""
        return _by_label(self.read(), name, label)

    def read(self) -> Series:
        """Every sample, by its name and labels."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in map(as_metric, collect(self.registry))
            for sample in family.samples
        }

    @contextmanager
    def changes(self) -> Iterator["Changes"]:
        """What the block changes: within the block so far, after the block for good."""
        changes = Changes(self)
        try:
            yield changes
        finally:
            changes.end()


class Changes:
    """How much series grew since a moment; one that is new grew from 0."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._before, self._after = figures.read(), None  # type: Series, Series | None

    def __call__(self, name: str, **labels: str) -> float | None:
        """By how much the one sample of that name and at least these labels grew; None where there is none."""
        return _one(self.read(), name, labels)

    def all(self, name: str, label: str) -> dict[str, float]:
        """By how much the samples of that name grew, by one of their labels; those that did not are left out."""
        return {value: growth for value, growth in _by_label(self.read(), name, label).items() if growth}

    def end(self) -> None:
        """Take what has changed so far for good."""
        self._after = self._figures.read()

    def read(self) -> Series:
        """By how much every sample grew, by its name and labels."""
        after = self._figures.read() if self._after is None else self._after
        return {series: value - self._before.get(series, 0.0) for series, value in after.items()}


def _one(series: Series, name: str, labels: dict[str, str]) -> float | None:
    found = [value for (each, has), value in series.items() if each == name and labels.items() <= set(has)]
    if len(found) > 1:
        raise AssertionError(f"{name}{labels} is not one series, but {len(found)}; give more labels")
    return found[0] if found else None


def _by_label(series: Series, name: str, label: str) -> dict[str, float]:
    return {dict(has)[label]: value for (each, has), value in series.items() if each == name}
