"""One log line as an OTLP log record: the fields of its JSON line, by OpenTelemetry's names where it has some."""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from manometer.logs import fields_of
from manometer.tracing.error_type import error_type

__all__ = ["record_of"]

_LONGEST = 32_768
"""Characters of a text that are sent."""
_DEEPEST = 5
"""Levels of lists and mappings in one another that are sent as such."""
_NAMES = {"exception": "exception.stacktrace", "stage": "engine.stage.name"}
_SEVERITIES = (
    (logging.CRITICAL, SeverityNumber.SEVERITY_NUMBER_FATAL),
    (logging.ERROR, SeverityNumber.SEVERITY_NUMBER_ERROR),
    (logging.WARNING, SeverityNumber.SEVERITY_NUMBER_WARN),
    (logging.INFO, SeverityNumber.SEVERITY_NUMBER_INFO),
    (logging.DEBUG, SeverityNumber.SEVERITY_NUMBER_DEBUG),
)
_LEAST = SeverityNumber.SEVERITY_NUMBER_TRACE
_WHOLE = range(-(2**63), 2**63)


def record_of(line: logging.LogRecord) -> LogRecord:
    """The record, made where the line is logged: it has the span of that place, and its values as they are then."""
    error = _error(line)
    fields = fields_of(line)
    for name in ("timestamp", "level", "logger", "trace_id", "span_id"):
        fields.pop(name, None)
    span = trace.get_current_span().get_span_context()
    record = LogRecord(
        time_unix_nano=int(line.created * 1e9),
        observed_time_unix_nano=time.time_ns(),
        severity_number=next((number for level, number in _SEVERITIES if line.levelno >= level), _LEAST),
        severity_text=_text(line.levelname.lower()),
        body=_value(fields.pop("event", "")),
    )
    if span.is_valid:
        record.trace_id, record.span_id = span.trace_id.to_bytes(16, "big"), span.span_id.to_bytes(8, "big")
        record.flags = int(span.trace_flags)
    record.attributes.extend(_pairs({_NAMES.get(name, name): value for name, value in fields.items()}, 0))
    if error is not None:
        told = {"exception.type": error_type(error), "exception.message": error}
        record.attributes.extend(_pairs(told, 0))
    return record


def _error(line: logging.LogRecord) -> BaseException | None:
    """The exception that the line tells of, by either library."""
    told: Any = line.exc_info
    if hasattr(line, "_logger") and isinstance(line.msg, dict):  # structlog's
        told = line.msg.get("exc_info")
    if told is True:
        told = sys.exc_info()
    if isinstance(told, tuple):
        told = told[1]
    return told if isinstance(told, BaseException) else None


def _pairs(values: Mapping[Any, Any], depth: int) -> list[KeyValue]:
    return [KeyValue(key=_text(str(name)), value=_value(value, depth)) for name, value in values.items()]


def _value(value: Any, depth: int = 0) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=_text(value))
        case int() if value in _WHOLE:
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list() | tuple() if depth < _DEEPEST:
            return AnyValue(array_value=ArrayValue(values=[_value(each, depth + 1) for each in value]))
        case dict() if depth < _DEEPEST:
            return AnyValue(kvlist_value=KeyValueList(values=_pairs(value, depth + 1)))
        case BaseException():
            return AnyValue(string_value=_text(str(value)))
        case _:
            return AnyValue(string_value=_text(repr(value)))


def _text(text: str) -> str:
    """In characters that UTF-8 can write, and not without end."""
    return text[:_LONGEST].encode(errors="backslashreplace").decode()
