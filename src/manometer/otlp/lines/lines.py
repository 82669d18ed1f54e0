"""Sends what the program logs to an OTLP receiver, from a thread of its own."""

import logging
from collections import deque
from contextlib import suppress
from functools import partial
from threading import Event, Lock, local
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from prometheus_client import CollectorRegistry

from manometer.background import in_background
from manometer.errors import ConfigError
from manometer.flushing import within
from manometer.meters.fork import Forked, freed_in_child, notice, renewed_in_child, started_in_child
from manometer.otlp.answers import Answers
from manometer.otlp.destination import Destination
from manometer.otlp.exporters import exporters
from manometer.otlp.lines.record import record_of
from manometer.otlp.metrics.envelope import opening
from manometer.otlp.outcomes import Outcomes
from manometer.otlp.resource import resource_of
from manometer.otlp.signals import LINES
from manometer.redaction import without_secrets
from manometer.registry.self_metrics import SelfMetrics

if TYPE_CHECKING:
    from manometer.otlp.exporter import EncodedExporter

__all__ = ["Lines"]

QUEUE_LINES = 2048
"""Lines that wait to be sent; past it the oldest is lost for each new one."""
BATCH_LINES = 512
"""Lines of one request, and lines for which a request does not wait."""
FLUSH_SECONDS = 3.0
"""Time that closing waits for what is queued, before it gives that up as lost."""
_EVERY = 1.0  # seconds between two requests at most, while there are lines

_CONSEQUENCE = "the lost ones are counted in manometer_otlp_log_records_total"


class Lines(logging.Handler):
    """A handler of the root logger, from its making to its `close`: what gets there is sent.

    What it logs itself while it sends is not. A forked child sends its own lines.
    Raises ConfigError where no thread can be started.
    """

    def __init__(self, destination: Destination, service: str, registry: CollectorRegistry) -> None:
        super().__init__()
        receiver = without_secrets(destination.url)  # for the log
        self._destination, self._service = destination, service
        self._answers = Answers(LINES, receiver)
        counter = SelfMetrics.of(registry).log_records
        self._outcomes = Outcomes(counter, "log lines", self._answers, receiver, _CONSEQUENCE)
        self._exporters = exporters(destination.protocol)
        self._sending = freed_in_child(Lock())
        self._ends = False
        self._begin()
        try:
            self._run()
        except RuntimeError as error:
            raise ConfigError(f"no log lines can be sent from here ({error}); leave logs_exporter out") from error
        renewed_in_child(started_in_child(self))
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line; never raises, and never waits."""
        if _own.on:
            return
        try:
            line = record_of(record)
        except Exception:  # the arguments do not fit the text, or a value cannot be told: other handlers say so
            self._outcomes.lost()
            return
        if len(self._queue) >= QUEUE_LINES:
            self._outcomes.lost()  # which the queue drops by itself
        self._queue.append((record.name, line))
        if len(self._queue) >= BATCH_LINES:
            self._wake.set()

    def send(self) -> bool:
        """Send what is queued; whether the receiver took all of it."""
        notice()
        with self._sending:
            _own.on = True
            try:
                arrived = True
                while batch := self._batch():
                    arrived &= self._outcomes.of(len(batch), partial(self._sent, batch))
                return arrived
            finally:
                _own.on = False

    def close(self) -> None:
        """Send what is queued, within a bound, and no more; a second call does nothing."""
        notice()
        logging.getLogger().removeHandler(self)
        if not self._ends:
            self._ends = True
            self._wake.set()
            within(FLUSH_SECONDS, [self.send])
            if self._exporter is not None:
                self._exporter.close()
        super().close()

    def renew(self, _: Forked) -> None:
        """In a forked child: what is queued, the thread and the connection are its parent's."""
        self._begin()

    def start_anew(self) -> None:
        """In a forked child: send from here too."""
        if not self._ends:
            with suppress(RuntimeError):  # at the interpreter's end there are no new threads
                self._run()

    def _begin(self) -> None:
        self._queue: deque[tuple[str, LogRecord]] = deque(maxlen=QUEUE_LINES)
        self._wake = Event()
        self._exporter: EncodedExporter | None = None

    def _run(self) -> None:
        in_background(self._loop, "manometer-log-lines", self._wake.set)

    def _loop(self) -> None:
        while not self._ends:
            self._wake.wait(_EVERY)
            self._wake.clear()
            self.send()

    def _batch(self) -> list[tuple[str, LogRecord]]:
        batch: list[tuple[str, LogRecord]] = []
        while self._queue and len(batch) < BATCH_LINES:
            batch.append(self._queue.popleft())
        return batch

    def _sent(self, batch: list[tuple[str, LogRecord]]) -> bool:
        if self._exporter is None:
            self._exporter = self._exporters.lines(self._destination, self._answers)
        by_logger: dict[str, list[LogRecord]] = {}
        for logger, line in batch:
            by_logger.setdefault(logger, []).append(line)
        # What stands around log records in a request has the fields of what stands around metrics.
        resource = ResourceLogs.FromString(opening(resource_of(self._service)))
        for logger, lines in by_logger.items():
            resource.scope_logs.append(ScopeLogs(scope=InstrumentationScope(name=logger), log_records=lines))
        body = ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString()
        return self._exporter.send(body, len(batch))


class _Own(local):
    on = False


_own = _Own()
