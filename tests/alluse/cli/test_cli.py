"""Tests of the alluse command: what it refuses, and how it starts and ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alluse.book import Book
from alluse.cli import demo, main
from alluse.faults import FAULTS
from waiting import DEADLINE, until

COMMAND = (sys.executable, "-m", "alluse")


@contextmanager
def _started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, ended when the test is."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def _default(number: signal.Signals) -> Iterator[None]:
    """A process that is started meanwhile ignores no such signal, even where these tests run under nohup."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


def _told(lines: Iterable[str], event: str) -> dict[str, Any]:
    """The first line of a log that tells of an event."""
    return next(line for line in map(json.loads, lines) if line["event"] == event)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        return answer.read().decode()


def _placed(url: str) -> float:
    found = re.search(r'^alluse_orders_total\{outcome="placed"\} (\S+)$', _get(url), re.MULTILINE)
    return float(found[1]) if found else 0.0


def _until_placed(url: str, orders: int) -> None:
    until(lambda: _placed(url) >= orders)


def _child(parent: int) -> int:
    children = until(Path(f"/proc/{parent}/task/{parent}/children").read_text)
    return int(children.split()[0])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--fault", "slow=1"], f"alluse: there is no fault 'slow'; there are {', '.join(FAULTS)}\n"),
        (["--fault", "crash=often"], "alluse: the rate of crash is 'often'; it takes a number over 0 and up to 1\n"),
        (["--csv", "/none.csv"], "alluse: cannot read /none.csv: No such file or directory; "),
        (["--fault", "crash=nan"], "alluse: the rate of crash is 'nan'; it takes a number over 0 and up to 1\n"),
        (["--fault", "crash=1:0"], "alluse: the time of crash is 0; it takes a number of seconds over 0\n"),
        (["--fault", "crash=1:inf"], "alluse: the time of crash is 'inf'; it takes a number of seconds over 0\n"),
        (
            ["--seconds", "-1"],
            "alluse: argument --seconds: it takes a number from 0.001 to 1,000,000,000, and not '-1'",
        ),
        (["--book", "nonsense"], "alluse: book is wrong in the command line, and not shown; URL of the"),
        (["--port", "99999"], "alluse: argument --port: it takes a whole number from 0 to 65535, and not '99999'"),
        (["--log-file", "/none/a.log"], "alluse: --log-file is /none/a.log; there is no folder /none\n"),
        (["--log-file", "/proc"], "alluse: --log-file is /proc; that is a folder\n"),
        (["--otlp", "collector"], "alluse: otlp_endpoint is 'collector' in the command line; it takes a URL"),
    ],
)
@pytest.mark.parametrize("command", ["run", "demo"])
def test_mistake_is_one_line_and_status_2(
    command: str, arguments: list[str], reason: str, capfd, tmp_path, monkeypatch
):
    """What, which and what next; no traceback."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    given = [command, *arguments] if "--port" in arguments else [command, "--port", "0", *arguments]
    assert main(given) == 2
    told = capfd.readouterr().err
    assert told.startswith(reason)
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "demo"])
@pytest.mark.parametrize("option", ["--rate", "--seconds", "--port", "--control-port"])
@pytest.mark.parametrize("value", ["-5", "nan", "inf", "-inf", "1e400", "1e12", "0x10", "many", ""])
def test_number_out_of_bounds_is_told_before_anything_starts(command: str, option: str, value: str, capfd):
    """Whatever else is wrong: the port here is taken, which nobody finds out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main([command, "--port", str(taken.getsockname()[1]), f"{option}={value}"]) == 2
    told = capfd.readouterr().err
    assert told.startswith(f"alluse: argument {option}: it takes a")
    assert told.endswith(f"and not {value!r}; see alluse {command} --help\n")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["run", "--tempo", "3"], ["inbox", "--port", "-1"], ["run", "-x"]]
)
def test_arguments_that_cannot_be_read_are_one_line(arguments: list[str], capfd):
    """It names where help is, and does not print all of it."""
    assert main(arguments) == 2
    told = capfd.readouterr().err
    assert told.startswith("alluse: ")
    assert "--help" in told
    assert told.count("\n") == 1


def test_stack_of_a_folder_that_is_no_checkout_is_told_before_anything_starts(tmp_path: Path, capfd):
    """Which folder, and what it lacks."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["demo", "--port", port, "--stack", str(tmp_path / "none")]) == 2
    told = capfd.readouterr().err
    assert told.startswith(
        f"alluse: cannot read {tmp_path}/none/compose/compose.yaml: No such file or directory; give"
    )
    assert told.count("\n") == 1


def test_two_servers_on_one_port_are_told_before_anything_starts(capfd):
    """The exporter and the control endpoint take a port each."""
    assert main(["run", "--port", "9999", "--control-port", "9999"]) == 2
    assert capfd.readouterr().err == (
        "alluse: --port and --control-port are both 9999; give the control endpoint another\n"
    )


def test_bad_row_is_told_by_line_and_column(tmp_path: Path, capfd):
    """As the file's editor counts them."""
    path = tmp_path / "goog.csv"
    path.write_text("date,open,high,low,close,volume\n2008-01-02,1,2,1,2,3\n2008-01-03,1,2,1,two,3\n")
    assert main(["run", "--csv", str(path)]) == 2
    assert capfd.readouterr().err == (
        f"alluse: {path}, line 3, column 18: close is 'two'; it must be a price from 0.000001 to 1,000,000,000,000\n"
    )


def test_database_that_is_down_is_status_1(capfd):
    """Named without its password."""
    assert main(["run", "--port", "0", "--book", "postgresql://alluse:hunter2@127.0.0.1:1/alluse"]) == 1
    told = capfd.readouterr().err
    assert told.startswith("alluse: cannot open the book at postgresql+psycopg://alluse:***@127.0.0.1:1/alluse: ")
    assert told.count("\n") == 1


def test_ctrl_c_amid_the_start_is_no_traceback(monkeypatch, capfd):
    """Before the engine is there to end well, the status is the one that a shell gives."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("alluse.cli.arguments.Parser.parse_args", interrupted)
    assert main(["run"]) == 130
    assert capfd.readouterr().err == ""


@pytest.mark.servers
@pytest.mark.parametrize("command", ["run", "demo"])
def test_taken_port_is_named(command: str, capfd):
    """With the option that gives another; nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([command, "--port", str(port)]) == 2
    told = capfd.readouterr().err
    assert told.startswith("alluse: ")
    assert f"port {port} on 127.0.0.1 is in use" in told
    assert "--port" in told
    assert told.count("\n") == 1


@pytest.mark.servers
def test_control_endpoint_goes_elsewhere_where_its_usual_port_is_taken():
    """Nobody asked for that one; the log says which it is."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        usual = taken.getsockname()[1]
        with _started("run", "--port", str(usual - 1), "--seconds", "0.5") as process:
            out, err = process.communicate(timeout=DEADLINE)
    if process.returncode == 2:
        assert f"port {usual - 1}" in err  # the one before was taken too, by somebody else
        return
    assert str(usual) not in _told(out.splitlines(), "ALL-USE runs")["faults"]
    assert process.returncode == 0


@pytest.mark.servers
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_run_logs_json_and_ends_well(end: signal.Signals, tmp_path: Path):
    """It serves its figures, takes a fault over the control endpoint, and ends with status 0 and a whole book."""
    book = f"sqlite:///{tmp_path / 'book.sqlite'}"
    with _started("run", "--port", "0", "--control-port", "0", "--rate", "100", "--book", book) as process:
        assert process.stdout is not None
        told = _told(process.stdout, "ALL-USE runs")
        _until_placed(told["metrics"], 20)
        request = urllib.request.Request(f"{told['faults']}/slow-broker?rate=1&seconds=0.2", method="PUT")
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            assert json.load(answer)["slow-broker"]["on"] is True
        process.send_signal(end)
        out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert err == ""
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert [event for event in events if event != "the broker was slow"][-1] == f"stopping: {end.name}"
    kept = Book(book)
    assert kept.audit() == []
    assert kept.count() >= 20
    kept.close()


@pytest.mark.servers
def test_run_reads_its_settings_again_at_sighup(tmp_path: Path):
    """As a service does, also where the signal was ignored; it goes on, and ends by another signal."""
    file = tmp_path / "alluse.yaml"
    file.write_text("port: 0\nprograms: {alluse: {rate: 1, book: none}}\n")
    with _started("run", "--config", str(file), "--control-port", "0") as process:
        assert process.stdout is not None
        lines = map(json.loads, process.stdout)
        next(line for line in lines if line["event"] == "ready")
        for rate in (2, 3):
            file.write_text(f"port: 0\nprograms: {{alluse: {{rate: {rate}, book: none}}}}\n")
            process.send_signal(signal.SIGHUP)
            next(line for line in lines if line["event"] == f"the setting rate is {rate} now")
        process.send_signal(signal.SIGTERM)
        assert [line["event"] for line in lines][-1] == "stopping: SIGTERM"
        assert process.wait(DEADLINE) == 0


@pytest.mark.servers
@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_demo_leaves_no_file_behind(end: signal.Signals, tmp_path: Path, monkeypatch):
    """Neither its log nor its book, also where its terminal is closed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with _default(end), _started("demo", "--port", "0", "--control-port", "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ALL-USE runs")
        assert [*tmp_path.iterdir()]
        process.send_signal(end)
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert [*tmp_path.iterdir()] == []


@pytest.mark.servers
def test_demo_begins_with_one_line_and_shows_the_table(tmp_path: Path):
    """Where the figures are and how to stop it; then the table, as plain lines where there is no terminal."""
    log = tmp_path / "demo.log"
    arguments = ("--port", "0", "--control-port", "0", "--log-file", str(log))
    with _started("demo", *arguments) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.fullmatch(
            r"ALL-USE runs: metrics at (\S+), faults at (\S+), log in (\S+); Ctrl-C stops it\n", first
        )
        assert found
        assert found[3] == str(log)
        assert any("protocol/workflow" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert err == ""
    assert _told(log.read_text().splitlines(), "ALL-USE runs")


@pytest.mark.servers
def test_demo_that_ends_well_leaves_nothing_among_the_temporary_files(tmp_path: Path, monkeypatch):
    """Its log is for whoever watches it; `--log-file` names one that stays."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with _started("demo", "--port", "0", "--control-port", "0", "--seconds", "0.5") as process:
        out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (0, "")
    assert re.search(rf"log in {tmp_path}/alluse-\w+/alluse\.log; Ctrl-C", out)
    assert not list(tmp_path.iterdir())


def test_demo_that_fails_says_where_its_log_stays(tmp_path: Path, monkeypatch, capfd):
    """What it had to say may be the reason; one without a line goes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def failing(said: str | None) -> None:
        with demo._new_log() as log:
            if said is not None:
                log.write_text(said)
            raise ZeroDivisionError

    for nothing in (None, ""):
        with pytest.raises(ZeroDivisionError):
            failing(nothing)
        assert not list(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError):
        failing("a line\n")
    (folder,) = tmp_path.iterdir()
    assert (folder / "alluse.log").read_text() == "a line\n"
    assert capfd.readouterr().err == f"alluse: the log stays in {folder}\n"


@pytest.mark.servers
def test_crash_ends_the_process_at_once_and_its_table_too(tmp_path: Path):
    """With a status of its own, and the book whole."""
    book = f"sqlite:///{tmp_path / 'book.sqlite'}"
    arguments = ("--port", "0", "--control-port", "0", "--log-file", str(tmp_path / "log"), "--book", book)
    with _started("demo", "--fault", "crash=0.1", *arguments) as process:
        _, err = process.communicate(timeout=DEADLINE)  # which ends when the last holder of the pipes has
    assert process.returncode == 70
    assert "Traceback" not in err
    kept = Book(book)
    assert kept.audit() == []
    kept.close()


@pytest.mark.servers
def test_reader_that_goes_does_not_spoil_the_end():
    """As with `| head -1`: the lines go to standard error, and the exit is clean."""
    with _started("run", "--port", "0", "--control-port", "0") as process:
        assert process.stdout is not None
        told = _told(process.stdout, "ALL-USE runs")
        process.stdout.close()
        process.stdout = None
        _until_placed(told["metrics"], 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert "cannot log to standard output: Broken pipe" in err
    assert "Exception ignored" not in err


@pytest.mark.servers
def test_warning_of_a_traced_workflow_names_its_trace():
    """So that the line leads to the spans that tell why; nobody need take them."""
    arguments = ("--port", "0", "--control-port", "0", "--otlp", "http://127.0.0.1:1")
    with _started("run", "--fault", "failing-broker", *arguments) as process:
        assert process.stdout is not None
        warning = next(line for line in map(json.loads, process.stdout) if line["event"].startswith("no orders for"))
    assert re.fullmatch("[0-9a-f]{32}", warning["trace_id"])
    assert re.fullmatch("[0-9a-f]{16}", warning["span_id"])


@pytest.mark.servers
def test_time_is_up():
    """After its seconds it ends by itself."""
    with _started("run", "--port", "0", "--control-port", "0", "--seconds", "0.5") as process:
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


@pytest.mark.servers
def test_demo_goes_on_without_its_table(tmp_path: Path):
    """A table that dies is told of once; the engine still serves, and ends well."""
    arguments = ("--port", "0", "--control-port", "0", "--log-file", str(tmp_path / "log"))
    with _started("demo", *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        metrics = process.stdout.readline().split()[4].rstrip(",")
        os.kill(_child(process.pid), signal.SIGKILL)
        assert "the table ended with status -9; the engine goes on" in process.stderr.readline()
        _until_placed(metrics, 1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
