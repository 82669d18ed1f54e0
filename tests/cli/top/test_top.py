"""`manometer top` against real programs: it waits for one, follows it, and ends when it should."""

import io
import os
import pty
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from threading import Thread
from types import SimpleNamespace

import pytest
from prometheus_client import Counter

from manometer.catalogue import cache
from manometer.cli import main, top
from manometer.cli.request import TIME_OUT, TargetError, WrongTargetError
from manometer.cli.top import run
from manometer.cli.top.plain import PlainView
from manometer.cli.top.scrape import Scrape
from manometer.serving.pages import Site
from manometer.serving.server import Server
from ports import reserved_port
from waiting import DEADLINE, joined, readable

GONE = TargetError("connection refused")
OUTSIDE = "is not over 0 and under a billion"
ENDS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def server(figures):
    """A program with a cache."""
    requests = Counter(cache.REQUESTS.family_name, "x", cache.REQUESTS.labels, registry=figures.registry)
    requests.labels("prices", "hit").inc(5)
    server = Server(Site(figures.registry), "127.0.0.1", 0).start()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _signals():
    """A child process ends by SIGINT, also where the tests run in the background, which ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.getsignal(signal.SIGTERM)
    yield
    for number, handler in zip(ENDS, before, strict=True):
        signal.signal(number, handler)


class Scripted:
    """A target that answers by script, on a clock that moves as somebody waits.

    answers: what each scrape gives: seconds that it takes, an error that it raises, or something to call first.
    asked: when each scrape was, and the seconds that it might take.
    """

    def __init__(self):
        self.now, self.url = 100.0, None
        self.answers, self.asked = [], []

    def fetch(self, url, seconds=TIME_OUT):
        self.url = url
        self.asked.append((round(self.now, 6), round(seconds, 6)))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer()
        else:
            self.now += answer
        return Scrape(self.now, {})

    def wait(self, until):
        self.now = max(self.now, until)


@pytest.fixture
def scripted(monkeypatch):
    """In the place of any target and of the clock."""
    scripted = Scripted()
    monkeypatch.setattr(top, "fetch", scripted.fetch)
    monkeypatch.setattr(top, "time", SimpleNamespace(monotonic=lambda: scripted.now))
    monkeypatch.setattr(top, "Notes", lambda _: scripted)
    return scripted


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


def test_scrapes_keep_their_pace(scripted):
    """An interval apart, however long each takes; a scrape that outlasts the interval delays those after it."""
    scripted.answers = [0, 0.5, 5, 0]
    assert run("host", interval=2.0, count=3) == 0
    assert [at for at, _ in scripted.asked] == [100, 102, 104, 109]


def test_what_is_not_given_has_its_default(scripted, capsys):
    """The port that a program serves on, each second, until Ctrl-C."""
    scripted.answers = [0, 0, 0, KeyboardInterrupt()]
    assert main(["top"]) == 0
    assert scripted.url == "http://127.0.0.1:9464/metrics"
    assert [at for at, _ in scripted.asked] == [100, 101, 102, 103]
    scripted.answers = [0, 0]
    assert main(["top", "host", "--interval", "0.5", "--count", "1"]) == 0
    assert scripted.asked[-1][0] - scripted.asked[-2][0] == 0.5
    scripted.answers = [0, 0]
    assert run("host", count=1) == 0
    assert scripted.asked[-1][0] - scripted.asked[-2][0] == 1
    assert capsys.readouterr().err == ""


def test_a_target_is_waited_for_as_long_as_it_may_take_to_appear(scripted, capsys):
    """It is tried five times a second, and the last try ends little after that time; waiting is said once."""
    scripted.answers = [GONE] * 7
    assert run("host", patience=1.1) == 1
    assert scripted.asked == [
        (100, 1.1),
        (100.2, 0.9),
        (100.4, 0.7),
        (100.6, 0.5),
        (100.8, 0.3),
        (101, 0.1),
        (101.1, 0.1),
    ]
    out, error = capsys.readouterr()
    assert [line[10:] for line in out.splitlines()] == ["waiting for http://host/metrics: connection refused"]
    assert error == (
        "manometer: http://host/metrics showed no figures in 1.1 s: connection refused; is the program running?\n"
    )


def test_a_scrape_may_take_as_long_as_any(scripted):
    """However much patience there is."""
    scripted.answers = [GONE, 0, 0]
    assert run("host", count=1) == 0
    assert [seconds for _, seconds in scripted.asked] == [TIME_OUT] * 3


def test_a_target_that_starts_up_is_waited_for(figures):
    """It says that it waits, once, and goes on when the target is there."""
    with reserved_port() as port:
        process = _start(f"http://127.0.0.1:{port}", "--count", "1", stdout=subprocess.PIPE)
        try:
            assert "waiting for" in process.stdout.readline()
            server = Server(Site(figures.registry), "127.0.0.1", port).start()
            try:
                out, error = process.communicate(timeout=DEADLINE)
            finally:
                server.close()
        finally:
            process.kill()
            process.communicate()
    assert (process.returncode, error) == (0, "")
    assert "waiting" not in out
    assert "process  memory —" in out


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("a..b", "http://a..b/metrics has no figures to show: there is no host"),
        ("{server}/nothing", "/nothing has no figures to show: it answered 404 Not Found"),
        ("{server}/a b", "/a b has no figures to show: that is no URL"),
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


def test_a_password_of_the_address_is_not_shown(scripted, capsys):
    """It is used, and the messages have asterisks in its place."""
    address = "http://alice:hush@host/metrics"
    scripted.answers = [GONE] * 2
    assert run(address, patience=0.1) == 1
    assert scripted.url == address
    scripted.answers = [WrongTargetError("it answered 401 Unauthorized")]
    assert run(address) == 1
    scripted.answers = [0, *[GONE] * top.GONE_TRIES]
    assert run(address) == 1
    out, error = capsys.readouterr()
    assert "hush" not in out + error
    assert "waiting for http://***@host/metrics: " in out
    assert [line.partition("metrics ")[::2] for line in error.splitlines()] == [
        ("manometer: http://***@host/", "showed no figures in 0.1 s: connection refused; is the program running?"),
        ("manometer: http://***@host/", "has no figures to show: it answered 401 Unauthorized"),
        ("manometer: http://***@host/", "is gone"),
    ]


def test_notes_stand_with_the_figures(server, monkeypatch, capsys):
    """Lines from standard input; their end is not the end of the figures."""
    theirs, ours = os.pipe()
    os.write(ours, b"no alert fires\n\n")
    os.close(ours)
    with os.fdopen(theirs) as given:
        monkeypatch.setattr(sys, "stdin", given)
        assert main(["top", server.url, "--interval", "0.01", "--notes", "--count", "3"]) == 0
    out, error = capsys.readouterr()
    assert error == ""
    assert out.count("note     no alert fires") == 1
    assert out.count("process  memory —") == 3


def test_a_target_that_goes_away_ends_it_after_some_tries(scripted, capsys):
    """Each try says so; one that succeeds starts the count again."""
    scripted.answers = [0, *[GONE] * (top.GONE_TRIES - 1), 0, *[GONE] * top.GONE_TRIES]
    assert run("host") == 1
    out, error = capsys.readouterr()
    gone = "target gone: connection refused"
    shown = [line[10:] if "gone" in line else "figures" for line in out.splitlines()]
    assert shown == [*[gone] * (top.GONE_TRIES - 1), "figures", *[gone] * top.GONE_TRIES]
    assert error == "manometer: http://host/metrics is gone\n"


@pytest.mark.parametrize("signum", ENDS)
def test_it_ends_quietly_when_interrupted(server, signum):
    """Ctrl-C, or what a supervisor sends: status 0, no traceback."""
    process = _start(server.url, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signum)
    _, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, error) == (0, "")


@pytest.mark.parametrize("signum", ENDS)
def test_a_signal_amid_the_end_does_not_spoil_it(scripted, monkeypatch, signum):
    """Whoever started it may send SIGTERM just after a Ctrl-C, also while the interpreter itself ends."""

    class Leaving(PlainView):
        def __exit__(self, *exc):
            os.kill(os.getpid(), signum)
            left.append(exc[0])

    left = []
    monkeypatch.setattr(top, "PlainView", Leaving)
    scripted.answers = [lambda: os.kill(os.getpid(), signal.SIGTERM)]
    assert run("host") == 0
    assert left == [KeyboardInterrupt]
    assert [signal.getsignal(each) for each in ENDS] == [signal.SIG_IGN] * 2


def test_where_no_signal_came_they_do_afterwards_what_they_did_before(scripted):
    """Whoever called it goes on."""
    before = [signal.getsignal(each) for each in ENDS]
    scripted.answers = [0, 0]
    assert run("host", count=1) == 0
    assert [signal.getsignal(each) for each in ENDS] == before


def test_a_signal_that_is_ignored_stays_so(scripted, capsys):
    """As of a program in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scripted.answers = [0, lambda: os.kill(os.getpid(), signal.SIGINT)]
    assert run("host", count=1) == 0
    assert "process  memory —" in capsys.readouterr().out


def test_it_runs_in_any_thread(scripted, capsys):
    """Though only the main one may say what signals do."""
    scripted.answers = [0, 0]
    thread = Thread(target=run, args=("host",), kwargs={"count": 1})
    thread.start()
    joined(thread)
    assert "process  memory —" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "number", "reason"),
    [
        *(("--interval", number, f"'{number}' {OUTSIDE}") for number in ("0", "-1", "nan", "inf", "1e9")),
        *(("--count", number, f"'{number}' {OUTSIDE}") for number in ("0", "-1", "1000000000")),
        ("--interval", "soon", "invalid number value: 'soon'"),
        *(("--count", number, f"invalid whole number value: '{number}'") for number in ("1.5", "nan", "soon")),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(capsys, option, number, reason):
    """It says what it takes."""
    with pytest.raises(SystemExit) as left:
        main(["top", f"{option}={number}"])
    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"manometer top: error: argument {option}: {reason}"


def test_the_table_is_headed_by_the_target(scripted, monkeypatch):
    """On standard output where that is a terminal."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    scripted.answers = [0, 0]
    with redirect_stdout(Terminal()) as out:
        assert run("alice:hush@host", count=1) == 0
    assert "hush" not in out.getvalue()
    assert "http://***@host/metrics" in out.getvalue().rpartition("\x1b[?1049l")[2]


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
