"""What Manometer measures of itself on one registry."""

import logging
from collections.abc import Collection, Iterable, Mapping
from threading import RLock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import self_metrics as rows
from manometer.meters.counter import Counter
from manometer.meters.family import Family
from manometer.meters.fork import Forked, freed_in_child, renewed_in_child
from manometer.meters.labels import LONGEST_VALUE
from manometer.meters.metric_view import MetricView
from manometer.meters.outages import Outages
from manometer.meters.registration import accompanied_by
from manometer.prometheus_internals import lock_of
from manometer.registry.catalogued import Pulled, described, meter, pulled
from manometer.registry.reloads import Reloads

__all__ = ["SelfMetrics"]

_log = logging.getLogger("manometer")


class SelfMetrics(Collector):
    """The `manometer_*` families of a registry; made when the first of Manometer is registered there.

    They are not made later, amid the collection that first needs them: the thread may hold the registry's lock then.
    """

    def __init__(self) -> None:
        self.collect_failures = meter(rows.COLLECT_FAILURES, Counter)
        self.label_folds = meter(rows.LABEL_FOLDS, Counter)
        self.spans = meter(rows.SPANS, Counter)
        self.log_records = meter(rows.LOG_RECORDS, Counter)
        self._traces = meter(rows.TRACES_AFTERWARDS, Counter)
        self.points = meter(rows.POINTS, Counter)
        self.handovers = meter(rows.HANDOVERS, Counter)
        self.log_failures = meter(rows.LOG_FAILURES, Counter)
        self.file_failures = meter(rows.PROCESS_FILE_FAILURES, Counter)
        self.server_shortages = meter(rows.SERVER_SHORTAGES, Counter)
        self.server_refusals = meter(rows.SERVER_REFUSALS, Counter)
        self.settings = Reloads(rows.CONFIG_RELOADS, rows.CONFIG_RELOAD_SUCCESSFUL, rows.CONFIG_RELOAD_TIME)
        self.web_config = Reloads(
            rows.SERVER_CONFIG_RELOADS, rows.SERVER_CONFIG_RELOAD_SUCCESSFUL, rows.SERVER_CONFIG_RELOAD_TIME
        )
        self._costs: tuple[Mapping[str, float], Mapping[str, float]] = {}, {}
        self._outages = Outages()
        self._folding: set[str] = set()
        self._is_shown = True
        self._is_used = False
        self.keeps_ended = False
        renewed_in_child(self)

    @classmethod
    def of(cls, registry: CollectorRegistry) -> "SelfMetrics":
        """The registry's kit figures, for what reads or counts them: collections tell of their costs from now on."""
        self_metrics = cls.beside(registry)
        self_metrics._is_used = True
        return self_metrics

    @classmethod
    def beside(cls, registry: CollectorRegistry) -> "SelfMetrics":
        """The registry's kit figures, made and registered where it has none.

        Never raises: where the program has a metric of one of the names, they are kept and not shown.
        """
        self_metrics = _beside.get(registry)
        if self_metrics is not None:  # no lock for one that is there: a finalizer may ask amid anything
            return self_metrics
        with _lock:
            self_metrics = _beside.get(registry)
            if self_metrics is None:
                self_metrics = cls()
                freed_in_child(lock_of(registry))
                try:
                    registry.register(self_metrics)
                except ValueError as error:
                    self_metrics._is_shown = False
                    _log.warning("what Manometer measures of itself is not shown: %s", error)
                _beside[registry] = self_metrics
        return self_metrics

    @classmethod
    def existing(cls, registry: CollectorRegistry) -> "SelfMetrics | None":
        """The registry's kit figures, where something uses them."""
        self_metrics = _beside.get(registry)
        return self_metrics if self_metrics is not None and self_metrics._is_used else None

    @property
    def has_failures(self) -> bool:
        """Whether anything fails at present. While nothing does, nobody need tell that a thing works."""
        return bool(self._outages.failing)

    def failed(self, name: str, what: str) -> None:
        """Where an exception is handled: the reading of a thing failed, which is counted, and logged when it begins.

        what: the kind of thing, such as "collector", for the log; things of other kinds may have the name.
        """
        self._failures_of(name).inc()
        message = "%s %r failed; its series are missing until it works again"
        self._outages.failed((what, name), message, what, name)

    def worked(self, name: str, what: str) -> None:
        """The thing was read; logged where it failed before."""
        self._outages.worked((what, name), "%s %r works again", what, name)

    def traces_afterwards(self, outcome: str) -> None:
        """A trace was wanted of a run that was not recorded."""
        self._traces.labels(outcome).inc()

    def lacked(self, resource: str, error: BaseException | None = None) -> None:
        """The server had no such thing for a connection: counted, and an error is logged when it begins."""
        self.server_shortages.labels(resource).inc()
        if error is not None:
            message = "the exporter's server has no %s left (%s); connections wait"
            self._outages.failed(("server", resource), message, resource, error)

    def had(self, *resources: str) -> None:
        """The server had these things for a connection; logged where one was lacking."""
        for resource in resources if self._outages.failing else ():
            self._outages.worked(("server", resource), "the exporter's server has a %s again", resource)

    def forget_configurations(self) -> None:
        """Neither settings nor a web configuration hold any more."""
        self.settings.forget()
        self.web_config.forget()

    def gone(self, name: str, what: str) -> None:
        """The thing is not read any more."""
        self._outages.forget((what, name))

    def remain(self, names: Iterable[str], what: str) -> None:
        """Of the things of this kind, none is read any more but these."""
        remaining = {(what, name) for name in names}
        for thing in [*self._outages.failing]:
            if isinstance(thing, tuple) and thing[0] == what and thing not in remaining:
                self._outages.forget(thing)

    def folded(self, family_name: str) -> None:
        """A new series of that family went to `other`."""
        self._is_used = True
        if family_name not in self._folding:
            self._folding.add(family_name)
            _log.warning(
                "%s is at its cap of series, or a label value has over %s characters: such are counted as 'other'",
                family_name,
                f"{LONGEST_VALUE:,}",
            )
        self.label_folds.labels(family_name).inc()

    def collected(
        self, durations: Mapping[str, float], series: Mapping[str, float], may_fail: Collection[str]
    ) -> Iterable[Family]:
        """A collection of everything ended: its figures, which are also told until the next one ends.

        durations: seconds by collector; series: by family; may_fail: collectors whose failures are told from the
        start, at 0, since no rate shows the event that a series begins with.
        """
        self._costs = durations, series
        for name in may_fail:
            self._failures_of(name)
        return self._figures(durations, series)

    def renew(self, _: Forked) -> None:
        """Forget the last collection and the configurations: in a forked child they were the parent's."""
        self._costs = {}, {}
        self.forget_configurations()

    def describe(self) -> Iterable[Metric]:
        return described(rows.SPECS)

    def collect(self) -> Iterable[Metric]:
        return map(MetricView, self._figures(*self._costs))

    def _failures_of(self, name: str) -> Counter:
        return self.collect_failures.labels(name.encode(errors="backslashreplace").decode())

    def _figures(self, durations: Mapping[str, float], series: Mapping[str, float]) -> Iterable[Family]:
        if not self._is_shown:
            return
        for pushed in (
            *(self.collect_failures, self.label_folds, self.spans, self._traces, self.points, self.log_records),
            *(self.handovers, self.log_failures, self.file_failures, self.settings.counter),
            *(self.server_shortages, self.server_refusals, self.web_config.counter),
        ):
            family = pushed.family()
            if family.series:
                yield family
        figures: list[Pulled] = [
            *(
                (rows.COLLECT_DURATION, {"manometer.collector.name": name}, value)
                for name, value in durations.items()
            ),
            *((rows.SERIES, {"manometer.family.name": name}, size) for name, size in series.items()),
            *self.settings.figures(),
            *self.web_config.figures(),
        ]
        yield from pulled(figures)


_beside: WeakKeyDictionary[CollectorRegistry, SelfMetrics] = WeakKeyDictionary()
_lock = freed_in_child(RLock())

accompanied_by(SelfMetrics.beside)
