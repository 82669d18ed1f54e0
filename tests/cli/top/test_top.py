"""`manometer top` against real programs: it waits for one, follows it, and ends when it should."""

import os
import pty
import re
import signal
import subprocess
import sys

import pytest
from prometheus_client import Counter

from manometer.catalogue import cache
from manometer.cli import main, top
from manometer.cli.top import run
from manometer.exporter.http import Site
from manometer.exporter.server import Server
from waiting import DEADLINE, readable


@pytest.fixture
def server(figures):
    """A program with a cache."""
    requests = Counter(cache.REQUESTS.family_name, "x", cache.REQUESTS.labels, registry=figures.registry)
    requests.labels("prices", "hit").inc(5)
    server = Server(Site(figures.registry), "127.0.0.1", 0).start()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _sigint():
    """A child process ends by SIGINT, also where the tests run in the background, which ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _start(url, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "manometer", "top", url, "--interval", "0.05", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_it_shows_so_many_intervals(server, capsys):
    """Two scrapes make the first."""
    assert run(server.url, interval=0.01, count=2) == 0
    out = capsys.readouterr().out
    assert out.count("process  memory —") == 2
    assert out.count("caches   prices  requests 0/s  hits —") == 2


def test_a_target_that_starts_up_is_waited_for(figures, capsys):
    """It says that it waits, once, and goes on when the target is there."""
    with_port = Server(Site(figures.registry), "127.0.0.1", 0).start()
    url, port = with_port.url, int(with_port.url.rpartition(":")[2])
    with_port.close()
    process = _start(url, "--count", "1", stdout=subprocess.PIPE)
    assert "waiting for" in process.stdout.readline()
    server = Server(Site(figures.registry), "127.0.0.1", port).start()
    try:
        out, error = process.communicate(timeout=DEADLINE)
    finally:
        server.close()
    assert (process.returncode, error) == (0, "")
    assert "waiting" not in out
    assert "process  memory —" in out


def test_a_target_that_never_comes_is_a_clear_line(server, capsys):
    """Exit status 1, after the time that it may take to start."""
    url = server.url
    server.close()
    assert run(url, patience=0.05) == 1
    captured = capsys.readouterr()
    # On a busy machine, the time is over before it could say that it waits, or learn that nobody listens.
    assert captured.out.count("\n") <= 1
    assert re.fullmatch(
        rf"manometer: {url}/metrics showed no figures in 0\.05 s: (connection refused|it did not answer in 0\.1 s);"
        r" is the program running\?\n",
        captured.err,
    )


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("a..b", "http://a..b/metrics has no figures to show: there is no host"),
        ("{server}/nothing", "/nothing has no figures to show: it answered 404 Not Found"),
        ("{server}/livez", "/livez has no figures to show: its answer is not in Prometheus's format"),
    ],
)
def test_a_wrong_address_is_not_waited_for(server, capsys, address, reason):
    """However long the patience is; one line, and exit status 1."""
    assert run(address.format(server=server.url), patience=1e6) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("manometer: ")
    assert reason in captured.err
    assert captured.err.count("\n") == 1


def test_notes_stand_with_the_figures(server):
    """Lines from standard input; their end is not the end of the figures."""
    process = _start(server.url, "--notes", "--count", "3", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, error = process.communicate("no alert fires\n\n", timeout=DEADLINE)
    assert (process.returncode, error) == (0, "")
    assert out.count("note     no alert fires") == 1
    assert out.count("process  memory —") == 3


def test_a_target_that_goes_away_ends_it_after_some_tries(server):
    """Each try says so."""
    process = _start(server.url, stdout=subprocess.PIPE)
    assert "process" in process.stdout.readline()
    server.close()
    out, error = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert out.count("target gone: ") == top.GONE_TRIES
    assert error == f"manometer: {server.url}/metrics is gone\n"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_when_interrupted(server, signum):
    """Ctrl-C, or what a supervisor sends: status 0, no traceback."""
    process = _start(server.url, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signum)
    _, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, error) == (0, "")


@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "1e9", "soon"])
@pytest.mark.parametrize("option", ["--interval", "--count"])
def test_a_number_that_makes_no_sense_is_refused(capsys, option, number):
    """It says what it takes."""
    with pytest.raises(SystemExit) as left:
        main(["top", f"{option}={number}"])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert re.search(
        f"argument {option}: ('{number}' is not over 0 and under a billion|invalid .*number value)", told
    )


def test_in_a_terminal_it_draws_a_table(server):
    """On the terminal's other screen; the last one stays when it ends, with the cursor given back."""
    ours, theirs = pty.openpty()
    process = _start(server.url, stdout=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "60", "LINES": "20"})
    os.close(theirs)
    try:
        drawn = _read_until(ours, b"prices")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)  # as from Ctrl-C on the same terminal: it does not spoil the end
        drawn, _, left = (drawn + _read_until(ours, b"\x1b[?1049l")).rpartition(b"\x1b[?1049l")
        if b"prices" not in left:
            left += _read_until(ours, b"prices")
        assert process.wait(DEADLINE) == 0
    finally:
        os.close(ours)
        process.stderr.close()
    assert b"requests" in drawn
    assert b"Traceback" not in drawn + left
    assert left.count(b"memory") == 1


def test_the_table_s_extra_is_named_where_it_is_missing():
    """On a terminal alone: plain lines need nothing."""
    program = "import sys; sys.modules['rich.console'] = None; from manometer.cli.top import live"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert "ConfigError: the live table needs an extra: pip install 'manometer[top]'" in done.stderr


def _read_until(terminal, wanted):
    read = b""
    while wanted not in read:
        assert readable(terminal), read
        read += os.read(terminal, 65536)
    return read
