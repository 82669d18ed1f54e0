"""What is logged gets to an OTLP receiver, once, and no failure of that gets into the program."""

import json
import logging
from contextlib import closing
from dataclasses import replace

import pytest
import structlog
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse

from forking import in_child
from manometer import Manometer, Settings, flush
from manometer.otlp.destination import Destination
from manometer.otlp.lines import lines as sent
from manometer.otlp.lines.lines import Lines
from ports import reserved_port
from waiting import until


@pytest.fixture(autouse=True)
def _level():
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(before)


def running(receiver, registry, **settings):
    """A program that sends its lines alone."""
    chosen = {"serve": False, "logs_exporter": "otlp", "metrics_exporter": "none", "trace_ratio": 0.0}
    return Manometer(Settings(otlp_endpoint=receiver.url, **chosen, **settings), registry=registry)


def counted(figures):
    """By outcome."""
    return figures.all("manometer_otlp_log_records_total", "manometer_otlp_log_record_outcome")


@pytest.mark.usefixtures("provider_of_its_own")
def test_what_is_logged_gets_there_once(receiver, figures, capsys):
    """Lines of both libraries, beside where they go anyway; nothing before the start and after the end."""
    logging.getLogger("orders").warning("before")
    with running(receiver, figures.registry, service_name="shop", logs=True):
        structlog.get_logger("orders").info("placed")
        logging.getLogger("payments").warning("declined")
        assert flush()
        assert sorted(receiver.lines) == [("shop", "orders", "placed"), ("shop", "payments", "declined")]
        logging.getLogger("orders").info("sent")
        assert counted(figures) == {"ok": 2}
    logging.getLogger("orders").warning("after")
    assert [line[2] for line in receiver.lines[2:]] == ["sent"]
    written = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert written == ["placed", "declined", "sent"]


@pytest.mark.usefixtures("provider_of_its_own")
def test_a_program_s_own_logging_may_be_sent_too(receiver, figures):
    """Where Manometer does not set it up."""
    handlers = logging.getLogger().handlers[:]
    with running(receiver, figures.registry):
        logging.getLogger("orders").warning("placed")
    assert [line[1:] for line in receiver.lines] == [("orders", "placed")]
    assert logging.getLogger().handlers == handlers


@pytest.mark.usefixtures("provider_of_its_own")
def test_nothing_is_sent_unasked(receiver, figures):
    """An endpoint alone gets spans and figures."""
    settings = Settings(serve=False, otlp_endpoint=receiver.url, metrics_exporter="none", trace_ratio=0.0)
    with Manometer(settings, registry=figures.registry) as manometer:
        logging.getLogger("orders").warning("placed")
        assert receiver.lines == []
        manometer.reload(replace(settings, logs_exporter="otlp"))
        logging.getLogger("orders").warning("sent")
        assert flush()
    assert [line[1:] for line in receiver.lines if line[1] != "manometer"] == [("orders", "sent")]


@pytest.fixture
def lines(receiver, figures):
    """What sends to the receiver, by hand."""
    with closing(Lines(Destination(f"{receiver.url}/v1/logs", timeout=0.5), "shop", figures.registry)) as lines:
        yield lines


def test_a_dead_receiver_is_a_counted_loss_and_one_line(figures, caplog):
    """Which goes everywhere but there."""
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}/v1/logs"
        with closing(Lines(Destination(url, timeout=0.5), "shop", figures.registry)) as lines:
            for _ in range(3):
                logging.getLogger("orders").warning("placed")
                assert not lines.send()
    assert counted(figures) == {"error": 3}
    ours = [each for each in caplog.messages if each != "placed"]
    assert ours == [f"log lines do not reach {url}; the lost ones are counted in manometer_otlp_log_records_total"]


def test_a_refusal_is_counted_and_its_end_told(receiver, lines, figures, caplog):
    """What is sent later gets there."""
    caplog.set_level("INFO")
    receiver.status = 400
    logging.getLogger("orders").warning("placed")
    assert not lines.send()
    receiver.status = 200
    logging.getLogger("orders").warning("sent")
    assert lines.send()
    assert counted(figures) == {"error": 1, "ok": 1}
    assert caplog.messages[-1].startswith("log lines reach ")


def test_what_the_receiver_rejects_is_counted(receiver, lines, figures):
    """Although it answers with success."""
    partial = ExportLogsPartialSuccess(rejected_log_records=1)
    receiver.answer = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    for _ in range(3):
        logging.getLogger("orders").warning("placed")
    assert lines.send()
    assert counted(figures) == {"ok": 2, "rejected": 1}


def test_a_full_queue_loses_the_oldest_and_never_waits(receiver, figures, monkeypatch):
    """Memory stays bounded while a receiver is slow."""
    monkeypatch.setattr(sent, "QUEUE_LINES", 4)
    monkeypatch.setattr(Lines, "_run", lambda self: None)
    with closing(Lines(Destination(f"{receiver.url}/v1/logs"), "shop", figures.registry)):
        for number in range(10):
            logging.getLogger("orders").warning("placed %d", number)
        assert counted(figures) == {"error": 6}
    assert [line[2] for line in receiver.lines] == [f"placed {number}" for number in range(6, 10)]


def test_a_line_that_cannot_be_told_hurts_nobody(receiver, lines, figures):
    """It is lost here, and counted."""

    class Untold:
        def __repr__(self):
            raise RuntimeError("no words")

    logging.getLogger("orders").info("placed", extra={"order": Untold()})
    assert counted(figures) == {"error": 1}


def test_a_forked_child_sends_its_own_lines_alone(receiver, lines):
    """Those that waited in the parent are the parent's to send."""
    logging.getLogger("orders").warning("of the parent")
    in_child(lambda: logging.getLogger("orders").warning("of the child") or lines.send())
    lines.send()
    until(lambda: len(receiver.lines) >= 2)
    assert sorted(line[2] for line in receiver.lines) == ["of the child", "of the parent"]


def test_a_line_is_sent_without_being_asked_for(receiver, lines):
    """Within a second or so, by a thread of its own."""
    logging.getLogger("orders").warning("placed")
    until(lambda: receiver.lines)
