"""What systemd is told, over a real datagram socket, and when its watchdog is fed."""

import os
import signal
import socket
import threading
import time
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry

from forking import in_child
from manometer import Life, Settings, check
from manometer.health import Checks
from manometer.life.systemd import Systemd
from waiting import DEADLINE, joined, readable, until


class Receiver:
    """systemd's end of the socket."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(DEADLINE)

    def next(self):
        """The next message, as its lines by name."""
        lines = self.socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def is_silent(self):
        """Whether nothing came so far."""
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(DEADLINE)

    def close(self):
        self.socket.close()


@pytest.fixture(params=["path", "abstract"])
def told(request, tmp_path, monkeypatch):
    """What NOTIFY_SOCKET names: a file, or a name in Linux's abstract namespace."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@manometer-test-{os.getpid()}-{id(tmp_path)}"
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    for variable in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(variable, raising=False)
    with closing(Receiver(f"\0{name[1:]}" if name.startswith("@") else name)) as receiver:
        yield receiver


@pytest.fixture
def life():
    """Makes a life that takes no signals."""
    return lambda registry=None, **given: Life(
        Settings(), registry=registry or CollectorRegistry(), signals=False, **given
    )


def test_the_parts_of_a_life_are_told(told, life):
    """READY=1 when all has started, and not before; STOPPING=1 as soon as the end is asked for."""
    with life() as running:
        assert told.is_silent()
        running.ready()
        assert told.next() == {"READY": "1", "STATUS": "ready"}
        running.stop("enough\nREADY=1")
        assert told.next() == {"STOPPING": "1", "STATUS": "stopping: enough READY=1"}
    assert told.is_silent()


def test_a_reload_is_told_with_its_time(told, life):
    """RELOADING=1 with the monotonic clock's microseconds, as Type=notify-reload wants it; then READY=1."""
    before = time.monotonic_ns() // 1000
    with life() as running:
        running.on_reload(lambda: None)
        running.ready()
        told.next()
        signal.raise_signal(signal.SIGHUP)
        message = told.next()
        assert message["RELOADING"] == "1"
        assert before <= int(message["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert told.next()["READY"] == "1"


def test_a_reload_that_the_end_overtakes_makes_nothing_ready(told, life):
    """systemd would take the program for one that runs on."""
    held, may, ended = threading.Event(), threading.Event(), threading.Event()

    def reload():
        held.set()
        assert may.wait(DEADLINE)
        ended.set()

    with life() as running:
        running.on_reload(reload)
        running.ready()
        told.next()
        signal.raise_signal(signal.SIGHUP)
        assert held.wait(DEADLINE)
        assert "RELOADING" in told.next()
        running.stop()
        assert "STOPPING" in told.next()
        may.set()
        assert ended.wait(DEADLINE)
    until(lambda: "manometer-reload" not in [each.name for each in threading.enumerate()])
    assert told.is_silent()


@pytest.mark.parametrize("name", ["", "relative/path", "vsock:2:1234"])
def test_where_nobody_wants_to_be_told_nothing_is(name, monkeypatch, caplog):
    """No variable, or one that names no socket of this machine."""
    systemd = Systemd({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"})
    systemd.ready()
    assert systemd.patience is None
    assert caplog.messages == []


def test_a_socket_that_is_gone_is_one_line_in_the_log(tmp_path, caplog):
    """The program goes on; it is told again once it is there."""
    path = tmp_path / "notify"
    systemd = Systemd({"NOTIFY_SOCKET": str(path)})
    systemd.ready()
    systemd.alive()
    (message,) = caplog.messages
    assert message.startswith("systemd cannot be told 'READY=1': ")
    with closing(Receiver(str(path))) as receiver:
        systemd.alive()
        assert receiver.next() == {"WATCHDOG": "1"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_tells_nothing(told):
    """It is not the service."""
    systemd = Systemd()
    in_child(systemd.ready)
    assert told.is_silent()


@pytest.mark.parametrize(
    ("usec", "pid", "patience"),
    [
        ("30000000", "", 30.0),
        ("500000", "own", 0.5),
        ("30000000", "1", None),  # another process is watched
        ("0", "", None),
        ("-5", "", None),
        ("soon", "", None),
        ("", "", None),
    ],
)
def test_the_watchdog_s_patience_is_as_systemd_says(usec, pid, patience):
    """In microseconds, and for this process alone."""
    watched = str(os.getpid()) if pid == "own" else pid
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": usec, "WATCHDOG_PID": watched}
    assert Systemd(environ).patience == patience


class Clock:
    """Stands still until a test moves it."""

    now = 0.0

    def __call__(self):
        return self.now


def test_the_watchdog_is_fed_by_the_main_loop_and_by_nothing_else(told, life, monkeypatch):
    """Each look feeds it where it is due; between looks nothing does, and no other thread's wait counts."""
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    clock = Clock()
    with life(clock=clock) as running:
        running.ready()
        told.next()
        assert not running.wait(0)
        assert told.next() == {"WATCHDOG": "1"}
        assert not running.wait(0)
        assert told.is_silent()
        clock.now += 2
        other = threading.Thread(target=running.wait, args=(0,))
        other.start()
        joined(other)
        assert told.is_silent()
        assert not running.wait(0)
        assert told.next() == {"WATCHDOG": "1"}


def test_a_wait_feeds_the_watchdog_as_often_as_it_must(told, life, monkeypatch):
    """Also while it drains."""
    monkeypatch.setenv("WATCHDOG_USEC", "50000")
    with life() as running:
        running.ready()
        told.next()
        ender = threading.Thread(target=lambda: (readable(told.socket.fileno()), running.stop()))
        ender.start()
        assert running.wait()
        assert told.next() == {"WATCHDOG": "1"}
    joined(ender)


def test_the_watchdog_is_not_fed_while_a_live_check_fails(told, life, monkeypatch, caplog):
    """systemd then restarts the program; its status says why, and the log once."""
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    clock, registry, problems = Clock(), CollectorRegistry(), ["the loop hangs"]
    watched = check("loop", lambda: problems[-1] if problems else None, groups=("live",), registry=registry)
    check("database", lambda: "away", registry=registry)  # which a restart would not mend
    checks = Checks.on(registry)
    checks.start(0.01)
    try:
        until(lambda: watched.problem == "the loop hangs")
        with life(registry, clock=clock) as running:
            running.ready()
            told.next()
            for _ in range(2):
                assert not running.wait(0)
                assert told.next() == {"STATUS": "health check 'loop' fails: the loop hangs"}
                assert sum("watchdog" in each for each in caplog.messages) == 1
                clock.now += 2
            problems.clear()
            until(lambda: watched.problem is None)
            assert not running.wait(0)
            assert told.next() == {"WATCHDOG": "1"}
    finally:
        checks.stop()
    assert [each for each in caplog.messages if "watchdog" in each] == [
        "systemd's watchdog is not fed: health check 'loop' fails: the loop hangs"
    ]
