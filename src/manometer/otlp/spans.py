"""Spans to an OTLP receiver: what OpenTelemetry's one tracer provider of the process is made of."""

import logging
from threading import Lock
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from prometheus_client import CollectorRegistry

from manometer.errors import ConfigError
from manometer.meters.fork import freed_in_child, notice
from manometer.redaction import without_secrets
from manometer.registry.self_metrics import SelfMetrics
from manometer.tracing.sampling import Sampling
from manometer.tracing.spans import record_by

try:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, Sampler, SamplingResult, TraceIdRatioBased

    from manometer.otlp.delivery import Counted, Delivery
    from manometer.otlp.resource import resource_of_spans
    from manometer.tracing.recorder import Recorder
except ImportError:
    raise ConfigError("the OTLP exporter needs an extra: pip install 'manometer[otlp]'") from None

if TYPE_CHECKING:
    from manometer.otlp.destination import Destination

__all__ = ["Spans"]

_log = logging.getLogger("manometer")


class Spans:
    """Sends the program's spans to their destination until it is closed.

    Sets OpenTelemetry's global tracer provider. Where the program has set its own, that one is
    left as it is and nothing is sent from here.

    sampling: which traces are recorded, and which are left afterwards.
    The resource (`service.name` and what OTEL_RESOURCE_ATTRIBUTES adds) is that of the first start
    in the process: OpenTelemetry allows for no second.
    """

    def __init__(
        self, destination: "Destination", sampling: Sampling, service: str, registry: CollectorRegistry
    ) -> None:
        self._service, self._self_metrics = service, SelfMetrics.of(registry)
        self._destination = destination
        self._delivery = self._delivery_to(destination)
        self.sends = _switch.turn_on(self._delivery, sampling, service, self._self_metrics)
        if not self.sends:
            self._delivery.close()
            where = without_secrets(destination.url)
            _log.warning("the program has a tracer provider of its own; no span goes to %s from here", where)

    def change(self, destination: "Destination", sampling: Sampling) -> None:
        """Send there from now on, which gets no span twice and loses none that was queued for another."""
        if not self.sends:
            return
        old = self._delivery
        if destination != self._destination:
            self._delivery = self._delivery_to(destination)
            self._destination = destination
        _switch.turn_on(self._delivery, sampling, self._service, self._self_metrics, instead_of=old)
        if self._delivery is not old:
            old.close()

    def flush(self) -> bool:
        """Send what is queued, within a bound, and go on; whether the receiver took it."""
        return not self.sends or (_switch.force_flush() and not self._delivery.fails)

    def close(self) -> None:
        """Send what is queued, within a bound, and record no more spans; a second call does nothing."""
        _switch.turn_off(self._delivery)

    def _delivery_to(self, destination: "Destination") -> "Delivery":
        exporter = Counted(destination, self._self_metrics)
        try:
            return Delivery(exporter)
        except RuntimeError as error:
            raise ConfigError(
                f"no spans can be sent from here ({error}); in a subinterpreter, leave otlp_endpoint out"
            ) from error


class _Switch(SpanProcessor, Sampler):
    """What the process's one tracer provider is made of, so that it can be stopped and started again.

    While off it samples nothing, so that spans cost next to nothing.
    """

    def __init__(self) -> None:
        self._lock = freed_in_child(Lock())
        self._provider: TracerProvider | None = None
        self._delivery: Delivery | None = None
        self._sampler: Sampler = ALWAYS_OFF
        self._recorder: Recorder | None = None

    def turn_on(
        self,
        delivery: Delivery,
        sampling: Sampling,
        service: str,
        self_metrics: SelfMetrics,
        *,
        instead_of: Delivery | None = None,
    ) -> bool:
        """Deliver spans from now on; False where the program has a provider of its own, or another one is on."""
        notice()
        with self._lock:
            provider = trace.get_tracer_provider()
            if isinstance(provider, trace.ProxyTracerProvider):
                self._provider = TracerProvider(sampler=self, resource=resource_of_spans(service))
                self._provider.add_span_processor(self)
                trace.set_tracer_provider(self._provider)
            elif provider is not self._provider or self._delivery is not instead_of:
                return False
            self._delivery = delivery
            by_ratio = TraceIdRatioBased(sampling.share)
            self._sampler = ParentBased(by_ratio) if sampling.follows_caller else by_ratio
            self._record(Recorder(self._provider, sampling, self.on_end, self_metrics.traces_afterwards))
            return True

    def turn_off(self, delivery: Delivery) -> None:
        notice()
        with self._lock:
            if self._delivery is not delivery:
                return
            self._sampler, self._delivery = ALWAYS_OFF, None
            self._record(None)
        delivery.close()

    def _record(self, recorder: Recorder | None) -> None:
        before, self._recorder = self._recorder, recorder
        record_by(self._provider, recorder)
        if before is not None:
            before.retire()

    def on_end(self, span: ReadableSpan) -> None:
        delivery = self._delivery
        if delivery is not None:
            delivery.take(span)

    def shutdown(self) -> None:
        delivery = self._delivery
        if delivery is not None:
            self.turn_off(delivery)

    def force_flush(self, timeout_millis: int | None = 30_000) -> bool:
        delivery = self._delivery
        return delivery is None or delivery.flush(timeout_millis)

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return self._sampler.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        return f"Manometer({self._sampler.get_description()})"


_switch = _Switch()
