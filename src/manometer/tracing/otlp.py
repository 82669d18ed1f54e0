"""Spans to an OTLP/HTTP receiver, counted by outcome; the one file that needs OpenTelemetry's SDK."""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from threading import Lock, RLock, Timer, local
from typing import Any

from opentelemetry import trace
from prometheus_client import CollectorRegistry

from manometer.errors import ConfigError
from manometer.meters.fork import freed_in_child, notice, was_hooked
from manometer.redaction import without_secrets
from manometer.registry.self_metrics import SelfMetrics

try:
    from opentelemetry.exporter.otlp.proto.http import trace_exporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, Sampler, SamplingResult, TraceIdRatioBased

    from manometer.tracing.partial_success import Answers
except ImportError:
    raise ConfigError("the OTLP exporter needs an extra: pip install 'manometer[otlp]'") from None

__all__ = ["Spans"]

REQUEST_SECONDS = 5.0
"""Time that one batch may take to be sent, retries included."""
FLUSH_SECONDS = 3.0
"""Time that closing waits for what is queued, before it gives that up as lost."""
QUEUE_SPANS = 2048
"""Spans that wait to be sent; past it the oldest is lost for each new one."""

_log = logging.getLogger("manometer")


class Spans:
    """Sends the program's spans to `endpoint` until it is closed.

    Sets OpenTelemetry's global tracer provider. Where the program has set its own, that one is
    left as it is and nothing is sent from here.

    endpoint: the receiver's base URL; `/v1/traces` is added.
    ratio: share of traces recorded where the caller of this program has not decided already.
    headers: of each request; by default those that OpenTelemetry's own variables name.
    The resource (`service.name` and what OTEL_RESOURCE_ATTRIBUTES adds) is that of the first start
    in the process: OpenTelemetry allows for no second.
    """

    def __init__(
        self,
        endpoint: str,
        ratio: float,
        service: str,
        registry: CollectorRegistry,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._service, self._self_metrics = service, SelfMetrics.of(registry)
        self._receiver = endpoint, headers
        self._delivery = self._delivery_to(endpoint, headers)
        self.sends = _switch.turn_on(self._delivery, ratio, service)
        if not self.sends:
            self._delivery.close()
            where = without_secrets(endpoint)
            _log.warning("the program has a tracer provider of its own; no span goes to %s from here", where)

    def change(self, endpoint: str, ratio: float, headers: Mapping[str, str] | None = None) -> None:
        """Send to that receiver from now on, which gets no span twice and loses none that was queued for another."""
        if not self.sends:
            return
        old = self._delivery
        if (endpoint, headers) != self._receiver:
            self._delivery = self._delivery_to(endpoint, headers)
            self._receiver = endpoint, headers
        _switch.turn_on(self._delivery, ratio, self._service, instead_of=old)
        if self._delivery is not old:
            old.close()

    def close(self) -> None:
        """Send what is queued, within a bound, and record no more spans; a second call does nothing."""
        _switch.turn_off(self._delivery)

    def _delivery_to(self, endpoint: str, headers: Mapping[str, str] | None) -> "_Delivery":
        exporter = _Counted(f"{endpoint.rstrip('/')}/v1/traces", headers, self._self_metrics)
        try:
            return _Delivery(exporter)
        except RuntimeError as error:
            raise ConfigError(
                f"no spans can be sent from here ({error}); in a subinterpreter, leave otlp_endpoint out"
            ) from error


class _Counted(SpanExporter):
    """The OTLP exporter, with each span counted by whether the receiver took it."""

    def __init__(self, url: str, headers: Mapping[str, str] | None, self_metrics: SelfMetrics) -> None:
        self._url = without_secrets(url)  # for the log
        self._spans = self_metrics.spans
        sent = None if headers is None else dict(headers)
        self._inner = trace_exporter.OTLPSpanExporter(endpoint=url, headers=sent, timeout=REQUEST_SECONDS)
        self._answers = Answers(self._inner, self._url)
        self._failing = False
        self._closed = False
        self.taken = 0  # spans that came here, whatever became of them

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        _quiet.on = True
        self._answers.listen()
        try:
            result = self._inner.export(spans)  # which refuses what comes after its shutdown
        except Exception:
            result = SpanExportResult.FAILURE
        finally:
            _quiet.on = False
            answer = self._answers.ignore()
        failed = result is not SpanExportResult.SUCCESS
        self._heard(failed)
        rejected = 0 if failed else self._answers.rejected(answer, len(spans))
        for outcome, number in (("error" if failed else "ok", len(spans) - rejected), ("rejected", rejected)):
            if number:
                self._spans.labels(outcome).inc(number)
        return result

    def lost(self) -> None:
        """A span was dropped because the queue was full."""
        self._spans.labels("error").inc()

    def shutdown(self) -> None:
        if not self._closed:
            self._closed = True
            self._inner.shutdown()  # type: ignore[no-untyped-call]
            self._answers.close()

    def _heard(self, failed: bool) -> None:
        if failed and not self._failing:
            _log.warning("spans do not reach %s; the lost ones are counted in manometer_otlp_spans_total", self._url)
        elif self._failing and not failed:
            _log.info("spans reach %s again", self._url)
        self._failing = failed


class _Delivery:
    """The queue in front of one exporter."""

    def __init__(self, exporter: _Counted) -> None:
        self._exporter = exporter
        self._following = freed_in_child(RLock())
        self._begin()

    def take(self, span: ReadableSpan) -> None:
        """Queue a sampled span that has ended, and count the one that it pushes out of a full queue."""
        try:
            self._follow()
        except RuntimeError:  # at the interpreter's end there are no new threads
            self._exporter.lost()
            return
        # The SDK keeps its queue to itself, so its length is reckoned. A batch that has left it but
        # not reached the exporter yet may count as lost early; the next real loss then is not counted.
        if next(self._received) - self._exporter.taken - self._lost > QUEUE_SPANS:
            self._lost += 1
            self._exporter.lost()
        self._batches.on_end(span)

    def flush(self, timeout_millis: int | None) -> bool:
        self._follow()
        return self._batches.force_flush(timeout_millis)

    def close(self) -> None:
        if self._is_lost():  # nothing is queued in this process, and there is no thread to wait for
            self._exporter.shutdown()
            return
        deadline = Timer(FLUSH_SECONDS, self._exporter.shutdown)
        deadline.daemon = True
        with suppress(RuntimeError):  # no new thread at the interpreter's end: the request's time-out bounds it
            deadline.start()
        self._batches.shutdown()  # type: ignore[no-untyped-call]
        deadline.cancel()

    def _is_lost(self) -> bool:
        """Whether this is a child that was forked in C: it has the parent's queue, and no thread that empties it."""
        return self._pid != os.getpid() and not was_hooked()

    def _follow(self) -> None:
        """In a forked child, begin anew; the SDK does so where Python's hooks ran."""
        if self._pid == os.getpid():
            return
        with self._following:  # the other threads wait, and queue their spans in the same place
            if self._is_lost():
                self._begin()
            elif self._pid != os.getpid():
                self._renew()

    def _begin(self) -> None:
        self._batches = BatchSpanProcessor(self._exporter, max_queue_size=QUEUE_SPANS, schedule_delay_millis=1000)
        self._renew()

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._received = count(1)
        self._exporter.taken = 0
        self._lost = 0


class _Switch(SpanProcessor, Sampler):
    """What the process's one tracer provider is made of, so that it can be stopped and started again.

    While off it samples nothing, so that spans cost next to nothing.
    """

    def __init__(self) -> None:
        self._lock = freed_in_child(Lock())
        self._provider: TracerProvider | None = None
        self._delivery: _Delivery | None = None
        self._sampler: Sampler = ALWAYS_OFF

    def turn_on(
        self, delivery: _Delivery, ratio: float, service: str, *, instead_of: _Delivery | None = None
    ) -> bool:
        """Deliver spans from now on; False where the program has a provider of its own, or another one is on."""
        notice()
        with self._lock:
            provider = trace.get_tracer_provider()
            if isinstance(provider, trace.ProxyTracerProvider):
                self._provider = TracerProvider(sampler=self, resource=Resource.create({"service.name": service}))
                self._provider.add_span_processor(self)
                trace.set_tracer_provider(self._provider)
                logging.getLogger(trace_exporter.__name__).addFilter(_not_quiet)
            elif provider is not self._provider or self._delivery is not instead_of:
                return False
            self._delivery = delivery
            self._sampler = ParentBased(TraceIdRatioBased(ratio))
            return True

    def turn_off(self, delivery: _Delivery) -> None:
        notice()
        with self._lock:
            if self._delivery is not delivery:
                return
            self._sampler, self._delivery = ALWAYS_OFF, None
        delivery.close()

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


class _Quiet(local):
    on = False


_quiet = _Quiet()
_switch = _Switch()


def _not_quiet(_: logging.LogRecord) -> bool:
    """Keep back the SDK's line for every failed batch of ours; other exporters in the program keep theirs."""
    return not _quiet.on
