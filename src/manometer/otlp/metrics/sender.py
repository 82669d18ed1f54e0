"""Collects, encodes and sends: one push."""

import logging
import re
import time
from collections.abc import Iterable, Iterator
from functools import partial

from opentelemetry.sdk.resources import Resource

from manometer.meters.family import Family
from manometer.meters.fork import Forked
from manometer.otlp.answers import Answers
from manometer.otlp.destination import Destination
from manometer.otlp.exporter import EncodedExporter
from manometer.otlp.exporters import exporters
from manometer.otlp.metrics import envelope
from manometer.otlp.metrics.encoding import Metric, requests
from manometer.otlp.metrics.names import SCOPE_LABEL
from manometer.otlp.metrics.sources import Source
from manometer.otlp.metrics.temporality import Round, Temporality, Totals
from manometer.otlp.outcomes import Outcomes
from manometer.otlp.resource import INSTANCE, given_instance, resource_of
from manometer.otlp.signals import METRICS
from manometer.redaction import without_secrets
from manometer.registry.collection import Collected
from manometer.registry.foreign import family_of
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Sender"]

_log = logging.getLogger("manometer")

_CONSEQUENCE = "what is lost is counted in manometer_otlp_points_total, and the next push makes up for it"


class Sender:
    """Sends what a source has to a receiver. What is not taken is not kept: the next time makes up for it."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        service: str,
        self_metrics: SelfMetrics,
        temporality: Temporality | None = None,
    ) -> None:
        receiver = without_secrets(destination.url)  # for the log
        self._source, self._self_metrics = source, self_metrics
        self._temporality = Totals() if temporality is None else temporality
        self._known = resource_of(service)  # now, as OpenTelemetry takes threads for it: at the end there are none
        self._given = given_instance()
        self._destination, self._exporters = destination, exporters(destination.protocol)
        self._exporter: EncodedExporter | None = None
        self._answers = Answers(METRICS, receiver)
        self._outcomes = Outcomes(self_metrics.points, "metrics", self._answers, receiver, _CONSEQUENCE)

    def send(self, timeout: float, patience: float, *, last: bool = False) -> bool:
        """Send all figures; whether the receiver took them, or another process has the turn to send them.

        timeout: seconds after which no further request is made; patience: seconds that a collector may take.
        last: whether nothing will be sent after this.
        """
        until = time.monotonic() + timeout
        try:
            if not self._source.turn(last=last):
                return True
            found = [*self._source.collect(patience)]
            now = time.time_ns()
            opening = envelope.opening(self._resource(found))
            exporter = self._connected()
        except Exception:  # figures that are not whole, a directory without rights, a certificate that is not there
            self._self_metrics.failed("metrics", "the push of")
            return False
        self._self_metrics.worked("metrics", "the push of")
        arrived, told = True, self._temporality.begin()
        for body, points in requests(self._metrics(found, now, told), opening, envelope.SCOPE):
            if arrived and time.monotonic() < until:
                arrived = self._outcomes.of(points, partial(exporter.send, body, points))
            else:
                self._outcomes.lost(points)
                arrived = False
            told.settled(points, arrived=arrived)
        return arrived

    @property
    def fails(self) -> bool:
        """Whether what was sent last did not get to the receiver."""
        return self._outcomes.fails

    def close(self) -> None:
        """Give up what is under way, and leave the turn to others."""
        if self._exporter is not None:
            self._exporter.close()
        self._source.end()

    def renew(self, forked: Forked) -> None:
        """In a forked child: its connections are the parent's, and what the receiver has taken is too."""
        self._exporter = None
        self._source.renew()
        if forked is Forked.AT_ONCE:  # else the child's figures go on from its parent's
            try:
                self._temporality.renew(self._source.brought_along)
            except Exception:
                _log.exception("what prometheus-client's counters had before the fork is pushed by the child as well")

    def _connected(self) -> EncodedExporter:
        """The exporter, which is made when something is to be sent: gRPC's threads would not survive a fork."""
        if self._exporter is None:
            self._exporter = self._exporters.metrics(self._destination, self._answers)
        return self._exporter

    def _resource(self, found: Iterable[Collected]) -> Resource:
        """Who sends, and which one: what the registry says of the program counts where nothing else does."""
        known = self._known
        instance = self._source.instance(self._given)
        labels = {
            re.sub(r"\W", "_", name) for name in (*known.attributes, INSTANCE)
        }  # as a reader of the SDK has them
        target = {name: value for name, value in envelope.target_of(found).items() if name not in labels}
        return Resource(target).merge(known).merge(Resource({INSTANCE: instance}))

    def _metrics(self, found: Iterable[Collected], now: int, told: Round) -> Iterator[Metric]:
        """Family by family; one that OTLP cannot tell is left out, and counted as a failure."""
        for each in found:
            try:
                family = _ours(each if isinstance(each, Family) else family_of(each))
                made = [] if envelope.is_target(family) else told.encoded(family, now)
            except Exception:
                self._self_metrics.failed(str(each.name), "the encoding of")
            else:
                self._self_metrics.worked(str(each.name), "the encoding of")
                yield from made


def _ours(family: Family) -> Family:
    """The family without what OpenTelemetry's meters have recorded: their provider pushes that, if anybody does."""
    groups = [group for group in family.groups if SCOPE_LABEL not in group.labelnames]
    return family._replace(groups=groups)
