"""The way of spans to an OTLP receiver: a queue, and an exporter that counts them by outcome."""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from threading import RLock, Timer
from typing import cast

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from manometer.meters.fork import freed_in_child, was_hooked
from manometer.otlp.answers import Answers
from manometer.otlp.destination import Destination
from manometer.otlp.exporters import exporters
from manometer.otlp.outcomes import Outcomes
from manometer.otlp.signals import SPANS
from manometer.redaction import without_secrets
from manometer.registry.self_metrics import SelfMetrics
from manometer.tracing.live_span import LiveSpan

__all__ = ["Counted", "Delivery"]

FLUSH_SECONDS = 3.0
"""Time that closing waits for what is queued, before it gives that up as lost."""
QUEUE_SPANS = 2048
"""Spans that wait to be sent; past it the oldest is lost for each new one."""

_CONSEQUENCE = "the lost ones are counted in manometer_otlp_spans_total"


class Counted(SpanExporter):
    """The OTLP exporter, with each span counted by whether the receiver took it."""

    def __init__(self, destination: Destination, self_metrics: SelfMetrics) -> None:
        receiver = without_secrets(destination.url)  # for the log
        answers = Answers(SPANS, receiver)
        self._inner = exporters(destination.protocol).spans(destination, answers)
        self._outcomes = Outcomes(self_metrics.spans, "spans", answers, receiver, _CONSEQUENCE)
        self._closed = False
        self.taken = 0  # spans that came here, whatever became of them

    def export(self, spans: Sequence[ReadableSpan | LiveSpan]) -> SpanExportResult:
        self.taken += len(spans)
        finished = [span.finished() if isinstance(span, LiveSpan) else span for span in spans]
        succeeded = self._outcomes.of(len(spans), lambda: self._inner.export(finished) is SpanExportResult.SUCCESS)
        return SpanExportResult.SUCCESS if succeeded else SpanExportResult.FAILURE

    @property
    def fails(self) -> bool:
        """Whether the last batch did not get to the receiver."""
        return self._outcomes.fails

    def lost(self) -> None:
        """A span was dropped because the queue was full."""
        self._outcomes.lost()

    def shutdown(self) -> None:
        if not self._closed:
            self._closed = True
            self._inner.shutdown()


class Delivery:
    """The queue in front of one exporter."""

    def __init__(self, exporter: Counted) -> None:
        self._exporter = exporter
        self._following = freed_in_child(RLock())
        self._begin()

    def take(self, span: ReadableSpan | LiveSpan) -> None:
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
        self._batches.on_end(cast(ReadableSpan, span))  # which only queues it

    def flush(self, timeout_millis: int | None) -> bool:
        """Send what is queued; whether that came to an end in time."""
        self._follow()
        return self._batches.force_flush(timeout_millis)

    @property
    def fails(self) -> bool:
        """Whether the last batch did not get to the receiver."""
        return self._exporter.fails

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
