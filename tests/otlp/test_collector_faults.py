"""A real collector is killed or paused: the program goes on, its totals are exact, and each loss is counted."""

import logging
from contextlib import contextmanager

import pytest
from opentelemetry import trace

from manometer import Counter, Histogram, Manometer, Settings, flush
from manometer.otlp import delivery
from manometer.otlp.destination import GRPC
from manometer.otlp.lines import lines
from otlp_collector import forwarding
from otlp_translation import metrics
from waiting import until

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("provider_of_its_own")]

QUEUE = 600
"""Spans that wait, and lines."""
BATCH = 512
"""Spans and lines that a request has at most."""
SELDOM = 3600.0
DELTA = 1


class Work:
    """Counts, traces and logs; each span and each line has a name of its own. counts: how often it was done."""

    def __init__(self, figures):
        self.counts, self._figures = 0, figures
        self._done = Counter("done", "Work done.", registry=figures.registry)
        self._taken = Histogram("taken", "What it took.", buckets=(1.0, 10.0), registry=figures.registry)
        self._tracer = trace.get_tracer("work")

    def do(self, times):
        """Never waits for the receiver: nobody starts one again but the test, behind this."""
        for _ in range(times):
            self.counts += 1
            self._done.inc()
            self._taken.observe(self.counts % 20)
            with self._tracer.start_as_current_span(f"work {self.counts}"):
                logging.getLogger("work").warning("work %d", self.counts)

    def first_and_last(self, number):
        """The names of so many at either end, which the collector is there for."""
        names = [f"work {at}" for at in range(1, self.counts + 1)]
        return {*names[:number], *names[-number:]}

    def outcomes(self, what):
        """How many of those came to which end."""
        return self._figures.all(f"manometer_otlp_{what}s_total", f"manometer_otlp_{what}_outcome")


@pytest.fixture(autouse=True)
def _short_queues(monkeypatch):
    monkeypatch.setattr(delivery, "QUEUE_SPANS", QUEUE)
    monkeypatch.setattr(lines, "QUEUE_LINES", QUEUE)


@pytest.fixture
def work(figures):
    """The work of a program."""
    return Work(figures)


@contextmanager
def sending(collector, protocol, figures, temporality="cumulative"):
    """A program that sends spans, lines and figures to the collector: figures by a flush, and at the end."""
    url = collector.grpc if protocol == GRPC else collector.http
    settings = Settings(
        serve=False,
        otlp_endpoint=url,
        otlp_protocol=protocol,
        otlp_timeout=4.0,
        otlp_temporality=temporality,
        logs_exporter="otlp",
        metric_export_interval=SELDOM,
    )
    with Manometer(settings, registry=figures.registry):
        yield


def total(receiver):
    """What the receiver takes for the totals of the counter and the histogram, in whatever order the points came."""
    return _total(receiver, "done", "as_double"), _total(receiver, "taken", "count")


def _total(receiver, name, value):
    found = [metric for metric in metrics(receiver.metrics) if metric.name == name]
    points = [
        (point.time_unix_nano, getattr(point, value), data.aggregation_temporality == DELTA)
        for data in (getattr(metric, metric.WhichOneof("data")) for metric in found)
        for point in data.data_points
    ]
    if points and points[0][2]:
        return sum(count for _, count, _ in points)
    return max(points)[1] if points else 0


def spans_of(receiver):
    """The names of the spans that came in."""
    return {name for _, _, name in receiver.spans if name.startswith("work ")}


def lines_of(receiver):
    """The texts of the work's lines that came in."""
    return {text for _, logger, text in receiver.lines if logger == "work"}


def all_arrived(receiver, work):
    """Whether all that was ever done is there."""
    number = work.counts
    return total(receiver) == (number, number) and len(spans_of(receiver)) == len(lines_of(receiver)) == number


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
@pytest.mark.parametrize("protocol", ["http/protobuf", GRPC])
def test_a_killed_collector_costs_no_total(collector, receiver, figures, work, tmp_path, protocol, temporality):
    """Spans and lines that it would have got meanwhile are lost and counted, as many as are missing."""
    with forwarding(collector, tmp_path, receiver.url) as on, sending(on, protocol, figures, temporality):
        work.do(100)
        assert flush(None)
        until(lambda: all_arrived(receiver, work), lambda: f"{total(receiver)}, {len(receiver.spans)} spans")
        on.kill()
        work.do(2000)
        assert waiting(work, "span") <= QUEUE + BATCH
        assert waiting(work, "log_record") <= QUEUE + BATCH
        assert not flush(None)
        assert work.outcomes("point")["error"] > 0
        on.start()
        until(lambda: work.do(1) or flush(None))
        work.do(100)
        assert flush(None)
    until(lambda: total(receiver) == (work.counts, work.counts), lambda: total(receiver))
    told_spans, told_lines = work.outcomes("span"), work.outcomes("log_record")
    until(lambda: (len(receiver.spans), len(receiver.lines)) == (told_spans["ok"], told_lines["ok"]))
    assert sum(told_spans.values()) == work.counts
    until(lambda: work.first_and_last(100) <= spans_of(receiver) & lines_of(receiver))
    assert told_lines["error"] >= work.counts - len(lines_of(receiver)) > 0


def waiting(work, what):
    """How many of the work are neither sent nor lost."""
    return work.counts - sum(work.outcomes(what).values())


@pytest.mark.parametrize("protocol", ["http/protobuf", GRPC])
def test_a_paused_collector_costs_no_total(collector, receiver, figures, work, tmp_path, protocol):
    """It takes connections, and does not answer. What it finds when it goes on may have been given up for lost."""
    with forwarding(collector, tmp_path, receiver.url) as on, sending(on, protocol, figures):
        work.do(100)
        assert flush(None)
        until(lambda: all_arrived(receiver, work), lambda: f"{total(receiver)}, {len(receiver.spans)} spans")
        on.pause()
        work.do(2000)
        assert waiting(work, "span") <= QUEUE + BATCH
        assert waiting(work, "log_record") <= QUEUE + BATCH
        assert not flush(None)
        assert work.outcomes("point")["error"] > 0
        on.go_on()
        until(lambda: work.do(1) or flush(None))
        work.do(100)
        assert flush(None)
    until(lambda: total(receiver) == (work.counts, work.counts), lambda: total(receiver))
    told_spans, told_lines = work.outcomes("span"), work.outcomes("log_record")
    assert sum(told_spans.values()) == work.counts
    until(lambda: len(spans_of(receiver)) >= told_spans["ok"], lambda: told_spans)
    until(lambda: work.first_and_last(100) <= spans_of(receiver) & lines_of(receiver))
    assert told_lines["error"] > 0
