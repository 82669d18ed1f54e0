"""Logs: structlog's and the standard library's lines in one shape, each with its trace, its span and its stage."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from logging.handlers import RotatingFileHandler
from typing import TextIO, cast

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["configure", "fields_of", "set_level"]

FILE_BYTES = 10_000_000
FILES_KEPT = 5

_FIRST = ("timestamp", "level", "logger", "event")


def configure(
    level: str = "info",
    format: str = "json",  # noqa: A002
    file: str | None = None,
    failed: Callable[[str], object] = lambda _: None,
) -> Callable[[], None]:
    """Take over the program's logging, and return the function that gives it back.

    level: the least severe one logged; format: `json`, a line an event, or `console`, for people.
    file: where the lines go, rotated at 10 MB with 5 older files kept; by default standard output.
    failed: called with `file` or `stdout` for each line that cannot be written there, as on a full disk or where a
    pipe is closed; the line goes to standard error. A file that cannot be opened is told of there at once.
    """
    handler = _handler(file)
    handler.failed = partial(failed, "stdout" if file is None else "file")
    handler.setFormatter(_formatter(format, colors=file is None and _is_terminal(sys.stdout)))
    root = logging.getLogger()
    handlers, root_level, structlog_before = root.handlers[:], root.level, structlog.get_config()
    was_configured = structlog.is_configured()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )

    def undo() -> None:
        if handler in root.handlers:  # else someone else took the logging over meanwhile
            root.handlers[:] = handlers
            root.setLevel(root_level)
        if was_configured:
            structlog.configure(**structlog_before)
        else:
            structlog.reset_defaults()
        with suppress(OSError, ValueError):
            handler.close()

    return undo


def set_level(level: str) -> None:
    """Change the least severe level that is logged, unless someone else has taken the logging over."""
    root = logging.getLogger()
    if any(isinstance(each, _Spilling) for each in root.handlers):
        root.setLevel(level.upper())


def fields_of(record: logging.LogRecord) -> EventDict:
    """What the line of the record says, by field, whichever library logged it; an exception as its traceback."""
    event: EventDict
    if hasattr(record, "_logger"):  # structlog's, which our own processors have been through
        event = {**cast(EventDict, record.msg)}
    else:
        event = {"event": record.getMessage(), "exc_info": record.exc_info, "_record": record}
        for processor in _FOREIGN:
            event = cast(EventDict, processor(None, record.levelname.lower(), event))
        del event["_record"]
    return structlog.processors.format_exc_info(None, "", event)


def add_place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the ids of the current OpenTelemetry span, as hex, where there is one, and the stage that it is of."""
    span = trace.get_current_span()
    context = span.get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
        stage = (getattr(span, "attributes", None) or {}).get("engine.stage.name")
        if stage is not None:
            event.setdefault("stage", stage)
    return event


def _without_forms(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Leave out what another handler's formatter has left on the record: the text once more, and a time."""
    for name in ("message", "asctime"):
        if event.get(name, event) is getattr(event["_record"], name, None):
            del event[name]
    return event


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: event[key] for key in _FIRST if key in event} | dict(event)


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    add_place,
]
_FOREIGN: list[Processor] = [*_SHARED[:3], structlog.stdlib.ExtraAdder(), _without_forms, *_SHARED[4:]]


def _formatter(format: str, colors: bool) -> logging.Formatter:  # noqa: A002
    renderers: list[Processor]
    if format == "json":
        renderers = [structlog.processors.format_exc_info, _ordered, structlog.processors.JSONRenderer()]
    else:
        renderers = [structlog.dev.ConsoleRenderer(colors=colors)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_FOREIGN,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )


def _handler(file: str | None) -> "_Spilling":
    if file is None:
        return _Stream(sys.stdout)
    handler = _File(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=True)
    handler.target = file
    handler.open()
    return handler


def _is_terminal(stream: TextIO) -> bool:
    """Whether a person reads the stream. A program may have none, a closed one, or an object that can only write."""
    with suppress(AttributeError, ValueError):
        return stream.isatty()
    return False


class _Spilling(logging.Handler):
    """A handler whose lines go to standard error while its own target fails."""

    target = "standard output"
    failed: Callable[[], object] = staticmethod(lambda: None)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._spill(error, record)
        elif getattr(getattr(self, "stream", None), "closed", False):  # which Python says by a ValueError
            self._spill(OSError("it is closed"), record)
        else:  # the record is at fault, not the target
            super().handleError(record)

    def _spill(self, error: OSError, *lost: logging.LogRecord) -> None:
        for _ in lost:
            self.failed()
        with suppress(AttributeError, OSError, ValueError):  # there is no standard error, or it fails, or is closed
            lines = [*map(self.format, lost), f"manometer: cannot log to {self.target}: {error.strerror or error}"]
            sys.stderr.write("".join(f"{line}\n" for line in lines))


class _Stream(_Spilling, logging.StreamHandler[TextIO]):
    pass


class _File(_Spilling, RotatingFileHandler):
    def open(self) -> None:
        """Open the file now; where that cannot be, each line tries it again."""
        try:
            self.stream = self._open()
        except OSError as error:
            self._spill(error)
