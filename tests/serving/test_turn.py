"""A client's turn ends when it does, however many bytes it sends or takes meanwhile."""

import socket

import pytest

from manometer.serving import turn as module
from manometer.serving.turn import Turn


@pytest.fixture
def pair():
    """Both ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def clock(monkeypatch):
    """The time, which the test decides."""
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_a_byte_at_a_time_makes_no_turn_longer(pair, clock):
    """Each byte has what is left of the whole."""
    ours, theirs = pair
    turn = Turn(ours, 10)
    for second in range(10):
        clock[0] = second
        theirs.sendall(b"a")
        assert turn.read(1) == b"a"
        assert ours.gettimeout() == 10 - second
    clock[0] = 10
    theirs.sendall(b"a")
    with pytest.raises(TimeoutError):
        turn.read(1)
    turn.begin()
    assert turn.read(1) == b"a"


def test_all_is_written_within_one_turn(pair, clock):
    """In pieces, where the system takes no more at once."""
    ours, theirs = pair
    turn = Turn(ours, 10)
    assert turn.write(b"abc") == 3
    assert theirs.recv(10) == b"abc"
    clock[0] = 11
    with pytest.raises(TimeoutError):
        turn.write(b"abc")


def test_a_client_that_takes_nothing_in_is_given_up(pair):
    """When its buffers are full."""
    ours, _ = pair
    with pytest.raises(TimeoutError):
        Turn(ours, 0.05).write(b"a" * 100_000_000)
