"""Calls that keep the interpreter's lock: they do what those of Python do, and let no other thread in."""

import importlib
import socket
import sys
import threading
from contextlib import closing, suppress

import pytest

from manometer.serving import at_once
from waiting import DEADLINE, readable

linux = pytest.mark.skipif(at_once._c is None, reason="the C library is called on Linux alone")


@pytest.fixture(params=["C library", "Python"])
def way(request, monkeypatch):
    """Both ways to call the system."""
    if request.param == "Python":
        monkeypatch.setattr(at_once, "_c", None)
    elif at_once._c is None:
        pytest.skip("the C library is called on Linux alone")


@pytest.fixture
def pair():
    """Two ends of a connection that do not block."""
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    with closing(one), closing(other):
        yield one, other


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("family", "address", "peer"),
    [
        (socket.AF_INET, ("127.0.0.1", 0), "127.0.0.1"),
        (socket.AF_INET6, ("::1", 0), "::1"),
        (socket.AF_UNIX, None, None),
    ],
)
def test_a_connection_is_accepted_with_its_address(family, address, peer, tmp_path):
    """It does not block, and no program that is started gets it."""
    with closing(socket.socket(family, socket.SOCK_STREAM)) as listening:
        listening.bind(address or str(tmp_path / "socket"))
        listening.listen()
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            at_once.accept(listening)
        with closing(socket.socket(family, socket.SOCK_STREAM)) as client:
            client.connect(listening.getsockname())
            assert readable(listening)
            accepted, host = at_once.accept(listening)
            with closing(accepted):
                assert host == peer
                assert not accepted.get_inheritable()
                with pytest.raises(BlockingIOError):
                    accepted.recv(1)


@pytest.mark.usefixtures("way")
def test_bytes_come_and_go(pair):
    """Those there are, from where it was said; none is an error, and the end is empty."""
    one, other = pair
    with pytest.raises(BlockingIOError):
        at_once.receive(other, 10)
    assert at_once.send(one, b"\0hello", 1) == 5
    assert at_once.receive(other, 4) == b"hell"
    assert at_once.receive(other, 4) == b"o"
    at_once.close(one)
    assert one.fileno() == -1
    assert at_once.receive(other, 4) == b""
    at_once.close(one)


@pytest.mark.usefixtures("way")
def test_what_the_other_does_not_take_is_not_sent(pair):
    """So much at once, until no more goes out; and nobody is there to take it."""
    one, other = pair
    data, sent = b"x" * 10_000_000, 0
    with suppress(BlockingIOError):
        while sent < len(data):
            sent += at_once.send(one, data, sent)
    assert 0 < sent < len(data)
    other.close()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        at_once.send(one, data)


@linux
def test_no_other_thread_runs_meanwhile(pair, monkeypatch):
    """One that computes would keep the lock for as long as the interpreter lets it: here, for ever."""
    one, other = pair
    before, runs, ends = sys.getswitchinterval(), threading.Event(), threading.Event()
    steps = 0

    def compute():
        nonlocal steps
        runs.set()
        while not ends.is_set():
            steps += 1

    beside = threading.Thread(target=compute)
    beside.start()
    try:
        assert runs.wait(DEADLINE)
        sys.setswitchinterval(1e6)
        steps_before = steps
        for _ in range(100):
            at_once.send(one, b"x")
            at_once.receive(other, 1)
        steps_meanwhile = steps - steps_before
    finally:
        sys.setswitchinterval(before)
        ends.set()
        beside.join(DEADLINE)
    assert steps_meanwhile == 0


@linux
@pytest.mark.parametrize("missing", [AttributeError, MemoryError])
def test_without_a_c_library_python_does_it(missing, monkeypatch):
    """Whatever keeps its functions away, such as a policy of the system, or a library that lacks one."""

    class Library:
        """Has not all."""

        @property
        def accept4(self):
            raise missing

    monkeypatch.setattr("ctypes.PyDLL", lambda *_, **__: Library())
    try:
        assert importlib.reload(at_once)._c is None
    finally:
        monkeypatch.undo()
        assert importlib.reload(at_once)._c is not None
