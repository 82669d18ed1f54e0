"""Log lines: one shape for structlog's and the standard library's, and a target that fails hurts nobody."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from manometer import logs
from waiting import DEADLINE


@contextmanager
def _configured(*arguments, **options):
    undo = logs.configure(*arguments, **options)
    try:
        yield
    finally:
        undo()


def _lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_json_in_a_fixed_shape(capsys):
    """Time in UTC, level, logger and event come first, and then what the caller bound."""
    with _configured():
        structlog.get_logger("orders").info("placed", order=7)
    out = capsys.readouterr().out
    assert re.fullmatch(
        r'\{"timestamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "level": "info", "logger": "orders", '
        r'"event": "placed", "order": 7\}\n',
        out,
    )


def test_the_standard_library_s_lines_have_the_same_shape(capsys):
    """Third-party loggers too, with their arguments filled in and their extra fields."""
    with _configured():
        logging.getLogger("sqlalchemy.pool").warning("%s of %d", "3", 15, extra={"pool": "orders"})
    (line,) = _lines(capsys.readouterr().out)
    assert list(line) == ["timestamp", "level", "logger", "event", "pool"]
    assert (line["level"], line["logger"], line["event"], line["pool"]) == (
        "warning",
        "sqlalchemy.pool",
        "3 of 15",
        "orders",
    )


def test_a_line_within_a_span_has_its_ids(capsys):
    """Both kinds of line, in the hex that Tempo and Grafana look for; outside a span there are none."""
    tracer = TracerProvider().get_tracer("test")
    with _configured():
        with tracer.start_as_current_span("place_order") as span:
            structlog.get_logger("orders").info("placed")
            logging.getLogger("orders").info("placed")
        logging.getLogger("orders").info("later")
    context = span.get_span_context()
    *within, outside = _lines(capsys.readouterr().out)
    for line in within:
        assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert len(within) == 2
    assert "trace_id" not in outside


PROVIDERS = {
    "the program's own": "trace.set_tracer_provider(TracerProvider())",
    "Manometer's": """manometer.start(
    serve=False, otlp_endpoint="http://127.0.0.1:1", otlp_timeout=0.1, metrics_exporter="none", traces_afterwards=0
)""",
}
WITHIN_A_STAGE = """
import logging, structlog
import manometer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from manometer import logs, stage

{provider}
logs.configure()
with stage("place_order", engine="orders"):
    structlog.get_logger("orders").info("placed")
    logging.getLogger("orders").info("placed")
    structlog.get_logger("orders").info("placed", stage="of the theatre")
logging.getLogger("orders").info("later")
"""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_line_within_a_stage_names_it(provider):
    """Where the stage's span is recorded; what the caller bound by that name stays."""
    command = [sys.executable, "-c", WITHIN_A_STAGE.format(provider=PROVIDERS[provider])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    *within, later = [line for line in _lines(done.stdout) if line["logger"] == "orders"]
    assert [line["stage"] for line in within] == ["place_order", "place_order", "of the theatre"]
    assert "stage" not in later


def test_the_fields_of_a_line_are_the_same_whichever_library_logged_it(capsys):
    """What goes elsewhere than to a file has them too."""
    kept = _Keeping()
    with _configured():
        logging.getLogger().addHandler(kept)
        try:
            structlog.get_logger("orders").warning("placed %d", 7, pool="main")
            logging.getLogger("orders").warning("placed %d", 7, extra={"pool": "main"})
            with suppress(ZeroDivisionError):
                _fail(structlog.get_logger("orders"))
            with suppress(ZeroDivisionError):
                _fail(logging.getLogger("orders"))
        finally:
            logging.getLogger().removeHandler(kept)
    ours, theirs, failed, failed_too = kept.lines
    for line in (ours, theirs):
        assert line.pop("timestamp")
        assert line == {"level": "warning", "logger": "orders", "event": "placed 7", "pool": "main"}
    for line in (failed, failed_too):
        assert line["exception"].endswith("ZeroDivisionError: division by zero")
        assert "exc_info" not in line


def test_another_handler_adds_nothing_to_a_line(capsys):
    """Its formatter leaves the text and a time on the record, which the line has already. A field of theirs stays."""
    other = logging.StreamHandler(io.StringIO())
    other.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("orders")
    logger.addHandler(other)
    try:
        with _configured():
            logger.warning("placed %d", 7)
            structlog.get_logger("orders").warning("declined", message="no money")
    finally:
        logger.removeHandler(other)
    placed, declined = _lines(capsys.readouterr().out)
    assert list(placed) == ["timestamp", "level", "logger", "event"]
    assert declined["message"] == "no money"


class _Keeping(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(logs.fields_of(record))


def _fail(logger):
    try:
        1 / 0  # noqa: B018 - it is the failure
    except ZeroDivisionError:
        logger.exception("failed")
        raise


def test_an_exception_is_one_line(capsys):
    """The traceback is a field, so that a line stays an event."""
    with _configured():
        for logger in (structlog.get_logger("orders"), logging.getLogger("orders")):
            try:
                raise ValueError("no such order")
            except ValueError:
                logger.exception("failed")
    first, second = _lines(capsys.readouterr().out)
    for line in (first, second):
        assert line["event"] == "failed"
        assert line["exception"].endswith("ValueError: no such order")


def test_what_json_cannot_hold_is_written_all_the_same(capsys):
    """An object becomes its repr, a lone surrogate an escape."""
    with _configured():
        structlog.get_logger("orders").info("placed \ud800", order=object())
    (line,) = _lines(capsys.readouterr().out)
    assert line["order"].startswith("<object object at")


def test_the_level_holds_for_both_kinds(capsys):
    """What is below it is not written."""
    with _configured("warning"):
        structlog.get_logger("orders").info("quiet")
        logging.getLogger("orders").info("quiet")
        structlog.get_logger("orders").warning("loud")
    assert [line["event"] for line in _lines(capsys.readouterr().out)] == ["loud"]


def test_a_logger_of_structlog_knows_its_level(capsys):
    """It has the methods of the standard library's, as structlog's own set-up for that has it."""
    with _configured("warning"):
        logger = structlog.get_logger("orders")
        assert (logger.isEnabledFor(logging.INFO), logger.isEnabledFor(logging.WARNING)) == (False, True)


def test_people_get_a_line_for_people(capsys):
    """The console format is no JSON, and without a terminal has no colours."""
    with _configured(format="console"):
        logging.getLogger("orders").info("placed")
    out = capsys.readouterr().out
    assert "placed" in out
    assert "{" not in out
    assert "\x1b" not in out


def test_a_terminal_gets_colours_and_a_file_none(tmp_path, monkeypatch):
    """Only where the lines go to the terminal."""
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", terminal)
    file = tmp_path / "orders.log"
    for target in (None, str(file)):
        with _configured(format="console", file=target):
            logging.getLogger("orders").info("placed")
    assert "\x1b" in terminal.getvalue()
    assert "\x1b" not in file.read_text()


def test_undoing_gives_the_program_its_logging_back(capsys):
    """Handlers, level and structlog's configuration are as they were."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.is_configured(), structlog.get_config())
    with _configured("debug"):
        assert root.handlers != before[0]
    assert (root.handlers[:], root.level, structlog.is_configured(), structlog.get_config()) == before


def test_undoing_restores_a_structlog_that_was_configured(capsys):
    """The program's own processors are back."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    try:
        own = structlog.get_config()["processors"]
        with _configured():
            assert structlog.get_config()["processors"] != own
        assert structlog.get_config()["processors"] == own
    finally:
        structlog.reset_defaults()


def test_undoing_reaches_a_logger_that_was_used_meanwhile(capsys):
    """Even where the program's own structlog has each logger keep what it was made with."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()], cache_logger_on_first_use=True)
    try:
        logger = structlog.get_logger("orders")
        with _configured():
            logger.info("within")
        logger.info("after")
    finally:
        structlog.reset_defaults()
    within, after = capsys.readouterr().out.splitlines()
    assert json.loads(within)["event"] == "within"
    assert after == "event='after'"


def test_undoing_leaves_alone_what_someone_else_took_over(capsys):
    """Handlers set meanwhile stay."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    own = logging.NullHandler()
    try:
        with _configured():
            root.handlers[:] = [own]
        assert root.handlers == [own]
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def test_a_file_is_rotated(tmp_path, monkeypatch, capsys):
    """Past its size it is set aside, and so many older ones are kept."""
    monkeypatch.setattr(logs, "FILE_BYTES", 1000)
    file = tmp_path / "orders.log"
    with _configured(file=str(file)):
        for number in range(200):
            logging.getLogger("orders").info("placed %d", number)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "orders.log",
        *[f"orders.log.{n}" for n in range(1, 6)],
    ]
    assert _lines(file.read_text())[-1]["event"] == "placed 199"
    assert all(each.stat().st_size <= 1000 for each in tmp_path.iterdir())
    assert capsys.readouterr().out == ""


def test_files_are_10_megabytes_and_five_are_kept():
    """The figures that the kit promises."""
    assert (logs.FILE_BYTES, logs.FILES_KEPT) == (10_000_000, 5)


def test_a_file_is_utf_8_in_any_locale(tmp_path, capsys):
    """A program in the C locale writes it too."""
    file = tmp_path / "orders.log"
    program = """
import logging, sys
from manometer import logs
undo = logs.configure(format="console", file=sys.argv[1])
logging.getLogger("orders").info("Best\\xe4nde")
undo()
"""
    with _configured(format="console", file=str(file)):
        logging.getLogger("orders").info("Vorräte")
    written = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program, file],
        env=os.environ | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (written.stdout, written.stderr) == ("", "")
    first, second = file.read_bytes().splitlines()
    assert "Vorräte".encode() in first
    assert "Bestände".encode() in second


def test_undoing_takes_a_file_that_someone_closed(tmp_path):
    """Whoever closes every handler's stream at the program's end has closed this one too."""
    with _configured(file=str(tmp_path / "orders.log")):
        logging.getLogger("orders").info("placed")
        logging.getLogger().handlers[0].stream.close()


def _closed():
    stream = io.StringIO()
    stream.close()
    return stream


class _Broken(io.StringIO):
    def write(self, _):
        raise BrokenPipeError


@pytest.mark.parametrize("error", [None, _closed(), _Broken()], ids=["missing", "closed", "broken"])
def test_a_target_and_standard_error_that_both_fail_hurt_nobody(tmp_path, monkeypatch, error):
    """The line is lost, and nothing is raised into the program."""
    monkeypatch.setattr(sys, "stderr", error)
    with _configured(file=str(tmp_path / "missing" / "orders.log")):
        logging.getLogger("orders").info("placed")


class _Writing:
    """As little of a stream as a program may put in the place of its output."""

    def __init__(self):
        self.written = ""

    def write(self, text):
        self.written += text


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_program_with_an_odd_standard_output_can_log(monkeypatch, form):
    """It need not be a file, and is no terminal."""
    odd = _Writing()
    monkeypatch.setattr(sys, "stdout", odd)
    with _configured(format=form):
        logging.getLogger("orders").info("placed")
    assert "placed" in odd.written
    assert "\x1b" not in odd.written


def test_a_closed_standard_output_stops_no_program(monkeypatch, capsys):
    """Whether it was closed before or after."""
    monkeypatch.setattr(sys, "stdout", _closed())
    failed = []
    with _configured(failed=failed.append):
        logging.getLogger("orders").info("placed")
    error = capsys.readouterr().err
    assert error.splitlines()[-1] == "manometer: cannot log to standard output: it is closed"
    assert '"event": "placed"' in error
    assert failed == ["stdout"]


def test_a_program_without_standard_output_can_log(monkeypatch, capsys):
    """Such as one that was started with its output closed: the lines go to standard error, if there is one."""
    monkeypatch.setattr(sys, "stdout", None)
    with _configured():
        logging.getLogger("orders").info("placed")
        monkeypatch.setattr(sys, "stderr", None)
    assert '"event": "placed"' in capsys.readouterr().err
    with _configured():
        logging.getLogger("orders").info("placed")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this platform has no /dev/full")
def test_a_full_disk_sends_the_lines_to_standard_error(capsys):
    """Nothing is raised into the program, and the line is not lost, and counted."""
    failed = []
    with _configured(file="/dev/full", failed=failed.append):
        logging.getLogger("orders").info("placed")
        structlog.get_logger("orders").info("sent")
    assert failed == ["file", "file"]
    error = capsys.readouterr().err
    assert '"event": "placed"' in error
    assert '"event": "sent"' in error
    assert "manometer: cannot log to /dev/full: No space left on device" in error
    assert "Traceback" not in error


def test_a_file_that_cannot_be_opened_sends_the_lines_to_standard_error(tmp_path, capsys):
    """Such as one in a folder that is not there; when the folder comes, the file is used."""
    file = tmp_path / "later" / "orders.log"
    with _configured(file=str(file)):
        told = f"manometer: cannot log to {file}: No such file or directory\n"
        assert capsys.readouterr().err == told  # at the start: the first line may come much later
        logging.getLogger("orders").info("placed")
        file.parent.mkdir()
        logging.getLogger("orders").info("sent")
    assert '"event": "placed"' in capsys.readouterr().err
    assert [line["event"] for line in _lines(file.read_text())] == ["sent"]


def test_a_closed_pipe_does_not_raise(monkeypatch, capsys):
    """Whoever read the program's output is gone."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        failed = []
        with _configured(failed=failed.append):
            logging.getLogger("orders").info("placed")
        assert failed == ["stdout"]
        assert '"event": "placed"' in capsys.readouterr().err
        with pytest.raises(BrokenPipeError):
            gone.close()


def test_the_level_changes_while_the_logging_is_manometer_s():
    """Once the program has it back, it stays as the program has it."""
    root = logging.getLogger()
    with _configured(level="error"):
        logs.set_level("debug")
        assert root.level == logging.DEBUG
    before = root.level
    logs.set_level("critical")
    assert root.level == before
