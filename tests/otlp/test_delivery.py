"""What becomes of a span: whether it is recorded, sent, counted, or told of as lost."""

import logging
from contextlib import closing
from threading import Thread

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import TracerProvider

from forking import in_child
from manometer import Manometer, Settings, flush
from manometer.otlp import delivery
from manometer.otlp import spans as sent_spans
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
from otlp_receiver import Receiver
from waiting import DEADLINE, joined, until

pytestmark = pytest.mark.usefixtures("provider_of_its_own")


def _span(name="place_order"):
    with trace.get_tracer("test").start_as_current_span(name) as span:
        return span.is_recording()


def _counted(figures):
    return figures.all("manometer_otlp_spans_total", "manometer_otlp_span_outcome")


def _told(caplog):
    return [(each.levelname, each.getMessage()) for each in caplog.records if each.name == "manometer"]


def test_spans_are_sent_until_a_close_and_again_after_the_next_start(receiver, figures, caplog):
    """Each arrives once, with the service's name, and is counted in the registry of its start."""
    caplog.set_level("INFO")
    first = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    assert [_span("one"), _span("two")] == [True, True]
    first.close()
    first.close()
    assert not _span("off")
    assert receiver.spans == [("/v1/traces", "orders", "one"), ("/v1/traces", "orders", "two")]
    second = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", type(figures)().registry)
    first.close()
    assert _span("three")
    second.close()
    assert receiver.spans[2:] == [("/v1/traces", "orders", "three")]
    assert (first.sends, second.sends) == (True, True)
    assert _counted(figures) == {"ok": 2}
    assert _told(caplog) == []


@pytest.mark.parametrize("before", ["the program's own", "another of these"])
def test_a_provider_that_is_there_is_left_alone(receiver, figures, caplog, before):
    """A line says that nothing is sent; closing does not end the other."""
    if before == "another of these":
        first = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
        spans = 1
    else:
        trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
        spans = 0
    provider = trace.get_tracer_provider()
    second = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    assert not second.sends
    assert _told(caplog) == [
        (
            "WARNING",
            f"the program has a tracer provider of its own; no span goes to {receiver.url}/v1/traces from here",
        )
    ]
    second.close()
    assert trace.get_tracer_provider() is provider
    assert _span()
    if spans:
        first.close()
    assert len(receiver.spans) == spans


def test_the_ratio_and_the_caller_decide_what_is_recorded(receiver, figures):
    """A share of this program's own traces, and whatever belongs to a recorded one."""
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(0.0), "orders", figures.registry)
    assert not _span()
    context = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED))
    with trace.use_span(trace.NonRecordingSpan(context)):
        assert _span("called")
    spans.close()
    assert receiver.spans == [("/v1/traces", "orders", "called")]


def test_refused_spans_are_counted_and_told_of_when_it_begins_and_when_it_ends(receiver, figures, caplog):
    """One line each, and none of the SDK's, whose lines for other exporters of the program stay."""
    caplog.set_level("INFO")
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    url = f"{receiver.url}/v1/traces"
    begins = ("WARNING", f"spans do not reach {url}; the lost ones are counted in manometer_otlp_spans_total")
    ends = ("INFO", f"spans reach {url} again")
    for status, told in ((200, []), (400, [begins]), (400, []), (200, [ends]), (200, [])):
        receiver.status = status
        caplog.clear()
        _span()
        assert trace.get_tracer_provider().force_flush()
        assert _told(caplog) == told
    spans.close()
    assert _counted(figures) == {"ok": 3, "error": 2}
    logging.getLogger(trace_exporter.__name__).warning("another's")
    assert [each.getMessage() for each in caplog.records if each.name == trace_exporter.__name__] == ["another's"]


def test_an_exporter_that_raises_is_a_counted_loss(receiver, figures, monkeypatch):
    """As one of another version may."""

    def export(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(trace_exporter.OTLPSpanExporter, "export", export)
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    _span()
    spans.close()
    assert _counted(figures) == {"error": 1}


def test_what_a_full_queue_pushes_out_is_counted(receiver, figures, monkeypatch):
    """At once, while the receiver is still busy with the one before."""
    monkeypatch.setattr(delivery, "QUEUE_SPANS", 4)
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    _span("sent")
    trace.get_tracer_provider().force_flush()
    receiver.asked.clear()
    receiver.held_up.clear()
    _span("being sent")
    assert receiver.asked.wait(DEADLINE)
    for number in range(7):
        _span(f"queued {number}")
    assert _counted(figures) == {"ok": 1, "error": 3}
    receiver.held_up.set()
    trace.get_tracer_provider().force_flush()
    _span("later")
    spans.close()
    assert _counted(figures) == {"ok": 7, "error": 3}
    queued = [f"queued {number}" for number in range(3, 7)]
    assert [name for _, _, name in receiver.spans] == ["sent", "being sent", *queued, "later"]


def test_closing_does_not_wait_for_a_receiver_that_is_down(receiver, figures, monkeypatch, caplog):
    """However long a request may be retried: what is queued is given up as lost, with no line of the SDK's."""
    monkeypatch.setattr(delivery, "FLUSH_SECONDS", 0.0)
    receiver.status = 503
    spans = Spans(Destination(f"{receiver.url}/v1/traces", timeout=3600.0), Sampling(1.0), "orders", figures.registry)
    _span()
    spans.close()
    assert _counted(figures) == {"error": 1}
    assert not [each for each in caplog.records if each.name == trace_exporter.__name__]


def test_a_provider_that_is_shut_down_sends_what_is_queued(receiver, figures):
    """As at the program's end; nothing is recorded behind it, and there is nothing to flush."""
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    _span()
    trace.get_tracer_provider().shutdown()
    assert len(receiver.spans) == 1
    assert not _span()
    assert sent_spans._switch.force_flush()
    sent_spans._switch.shutdown()
    spans.close()
    assert _counted(figures) == {"ok": 1}


def test_a_flush_sends_what_waits_and_goes_on(receiver, figures):
    """It is told whether the receiver took it; a child that forks and ends by `os._exit` sends its own."""
    with Manometer(Settings(serve=False, otlp_endpoint=receiver.url), registry=figures.registry):
        _span("one")
        assert flush()
        in_child(lambda: _span("two") and flush())
        assert [name for _, _, name in receiver.spans] == ["one", "two"]
        receiver.status = 400
        _span("three")
        assert not flush()
        receiver.status = 200
    assert flush()


def test_a_receiver_of_spans_that_hangs_holds_up_no_figures(receiver, figures):
    """Else a job that ends by `os._exit` behind a flush with a bound would lose them too."""
    with closing(Receiver()) as other:
        settings = Settings(serve=False, otlp_endpoint=receiver.url, otlp_metrics_endpoint=f"{other.url}/v1/metrics")
        with Manometer(settings, registry=figures.registry):
            receiver.held_up.clear()
            _span()
            flushing = Thread(target=flush, args=(None,))
            flushing.start()
            until(lambda: other.metrics)
            assert receiver.spans == []
            receiver.held_up.set()
            joined(flushing)
            assert len(receiver.spans) == 1
