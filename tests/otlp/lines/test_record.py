"""A log line becomes an OTLP log record that says all that its JSON line says."""

import logging
import os
from contextlib import contextmanager

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from manometer import logs
from manometer.otlp.lines.record import record_of


@contextmanager
def recorded():
    """The records of what is logged."""
    found = []

    class Keeping(logging.Handler):
        def emit(self, line):
            found.append(record_of(line))

    undo = logs.configure("debug", file=os.devnull)
    keeping = Keeping()
    logging.getLogger().addHandler(keeping)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(keeping)
        undo()


def attributes(record):
    """By name, as plain values."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in record.attributes}


def test_a_line_of_either_library_is_the_same_record():
    """Body, severity, and what was bound."""
    with recorded() as lines:
        structlog.get_logger("orders").warning("placed %d", 7, pool="main", took=0.5, urgent=True, size=3)
        extra = {"pool": "main", "took": 0.5, "urgent": True, "size": 3}
        logging.getLogger("orders").warning("placed %d", 7, extra=extra)
        for record in lines:
            assert record.body.string_value == "placed 7"
            assert (record.severity_number, record.severity_text) == (13, "warning")
            assert attributes(record) == extra
            assert (record.trace_id, record.span_id, record.flags) == (b"", b"", 0)
            assert 0 <= record.observed_time_unix_nano - record.time_unix_nano < 60e9


@pytest.mark.parametrize(
    ("level", "number"), [("debug", 5), ("info", 9), ("warning", 13), ("error", 17), ("critical", 21), (3, 1)]
)
def test_each_level_has_its_severity(level, number):
    """OpenTelemetry's numbers; what is below all levels has the least one."""
    with recorded() as lines:
        logging.getLogger("orders").setLevel(1)
        try:
            levelno = level if isinstance(level, int) else logging.getLevelNamesMapping()[level.upper()]
            logging.getLogger("orders").log(levelno, "placed")
        finally:
            logging.getLogger("orders").setLevel(logging.NOTSET)
        assert [record.severity_number for record in lines] == [number]


def test_a_line_within_a_span_belongs_to_it():
    """By ids in bytes, and not as attributes too."""
    with recorded() as lines:
        with TracerProvider().get_tracer("test").start_as_current_span("place_order") as span:
            structlog.get_logger("orders").info("placed")
            logging.getLogger("orders").info("placed")
        context = span.get_span_context()
        for record in lines:
            assert (record.trace_id.hex(), record.span_id.hex()) == (
                f"{context.trace_id:032x}",
                f"{context.span_id:016x}",
            )
            assert record.flags == context.trace_flags
            assert attributes(record) == {}


def test_an_exception_is_told_by_opentelemetry_s_names():
    """Its class, its text, and where it was raised."""
    with recorded() as lines:
        for logger in (structlog.get_logger("orders"), logging.getLogger("orders")):
            try:
                raise KeyError("no such order")
            except KeyError:
                logger.exception("failed")
        for record in lines:
            told = attributes(record)
            assert (told["exception.type"], told["exception.message"]) == ("KeyError", "'no such order'")
            assert told["exception.stacktrace"].startswith("Traceback")
            assert record.severity_number == 17


def test_values_of_any_kind_are_told():
    """Lists and mappings as such; what OTLP has no kind for as text; nothing without end or in broken characters."""
    with recorded() as lines:
        endless = []
        endless.append(endless)
        structlog.get_logger("orders").info(
            "placed \ud800", ids=[1, "a"], by={"user": 1}, huge=2**70, none=None, endless=endless, long="x" * 100_000
        )
        (record,) = lines
        told = {pair.key: pair.value for pair in record.attributes}
        assert record.body.string_value == "placed \\ud800"
        assert [each.WhichOneof("value") for each in told["ids"].array_value.values] == ["int_value", "string_value"]
        assert told["by"].kvlist_value.values[0].key == "user"
        assert told["huge"].string_value == str(2**70)
        assert told["none"].string_value == "None"
        assert len(told["long"].string_value) == 32_768
        assert record.SerializeToString()
