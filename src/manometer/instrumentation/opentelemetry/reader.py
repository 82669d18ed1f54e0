"""Reads what OpenTelemetry's meters have recorded whenever the registry is collected."""

import logging
from collections.abc import Iterable
from threading import local

from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.metrics.export import MetricsData
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.instrumentation.opentelemetry.families import families_of
from manometer.meters.family import Family
from manometer.meters.fork import Forked, freed_in_child, renewed_in_child
from manometer.meters.metric_view import MetricView
from manometer.prometheus_internals import collectors_by_name, lock_of

__all__ = ["MetricReader"]

_log = logging.getLogger("manometer")


class MetricReader(export.MetricReader):
    """OpenTelemetry's interface: a MeterProvider takes it. It is on the registry until the provider is shut down."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry
        self._here = _Here()
        self._shown = _Shown(self)
        registry.register(self._shown)

    def read(self) -> MetricsData | None:
        """What there is by now; None where there is nothing."""
        self._here.data = None
        self.collect()
        data, self._here.data = self._here.data, None
        return data

    def taken_names(self) -> set[str]:
        """The names that others on the registry have."""
        with freed_in_child(lock_of(self._registry)):
            return set(collectors_by_name(self._registry))

    @property
    def has_target(self) -> bool:
        """Whether the program has said itself what `target_info` is."""
        return bool(self._registry.get_target_info())

    def _receive_metrics(self, metrics_data: MetricsData, *_: object, **__: object) -> None:
        self._here.data = metrics_data

    def shutdown(self, *_: object, **__: object) -> None:
        self._shown.end(self._registry)


class _Here(local):
    data: MetricsData | None = None


class _Shown(Collector):
    """The collector on the registry. Forked children show nothing: totals in their memory are their parent's."""

    collector_name = "opentelemetry"

    def __init__(self, reader: MetricReader) -> None:
        self._reader = reader
        self._is_ours = True
        self._has_ended = False
        self._left_out: set[str] = set()
        renewed_in_child(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing: what the meters record is not known before."""
        return ()

    def collect(self) -> Iterable[Metric]:
        data = self._reader.read() if self._is_ours else None
        if data is None:
            return
        taken = self._reader.taken_names()
        for family in families_of(data):
            if family.name == "target" and self._reader.has_target:
                continue
            if family.name in taken:
                self._leave_out(family)
            else:
                yield MetricView(family)

    def end(self, registry: CollectorRegistry) -> None:
        """Show nothing any more; a second call does nothing."""
        if not self._has_ended:
            self._has_ended = True
            registry.unregister(self)

    def renew(self, _: Forked) -> None:
        self._is_ours = False

    def _leave_out(self, family: Family) -> None:
        if family.name not in self._left_out:
            self._left_out.add(family.name)
            _log.warning("what OpenTelemetry's meters say of %s is left out: the registry has it", family.name)
