"""Which connection makes room, for another or for its answer."""

import pytest

from manometer.serving import awaited
from manometer.serving.awaited import Awaited


@pytest.fixture
def clock(monkeypatch):
    """Time for the connections: a list with the second that it is."""
    now = [0.0]
    monkeypatch.setattr(awaited, "monotonic", lambda: now[0])
    return now


def test_the_one_that_has_been_silent_longest_makes_room(clock):
    """Whether it has sent a request before or not."""
    connections = Awaited()
    for name in "abc":
        connections.add(name)
        clock[0] += 0.1
    connections.took("a")
    connections.remove("b")
    assert [connections.pop_slowest() for _ in range(2)] == ["c", "a"]
    assert (len(connections), [*connections]) == (0, [])


def test_one_that_takes_in_an_answer_is_not_cut_off_by_the_next_who_comes(clock):
    """A crowd of scrapers would cut each other off; one that takes its time is no better than a silent one."""
    connections = Awaited()
    connections.add("taking in", b"figures")
    clock[0] += 0.5
    connections.add("new")
    assert connections.pop_slowest() == "new"
    clock[0] += 0.6
    connections.add("newer")
    assert connections.pop_slowest() == "taking in"
    connections.add("takes in again", b"figures")
    connections.took("takes in again")
    clock[0] += 0.1
    connections.add("newest", b"figures")
    assert connections.pop_slowest() == "newer"
    assert connections.pop_slowest() == "takes in again"


def test_answers_that_are_too_much_together_end_from_the_oldest(monkeypatch):
    """One that many take in counts once, one that was taken in no more, and the newest is not too much alone."""
    monkeypatch.setattr(awaited, "HELD", 15)
    connections, shared = Awaited(), bytes(10)
    connections.add("silent")
    connections.add("first", bytes(9))
    connections.add("second", shared)
    assert connections.pop_beyond(shared) == ["first"]
    connections.add("third", shared)
    assert connections.pop_beyond(shared) == []
    connections.took("third")
    connections.add("fourth", large := bytes(99))
    assert connections.pop_beyond(large) == ["second"]
    assert [*connections] == ["silent", "third", "fourth"]


def test_one_that_made_room_does_not_come_back(clock):
    """Its thread may tell that the answer was taken in, by the time that it knows."""
    connections = Awaited()
    connections.add("a", b"figures")
    assert connections.pop_slowest() == "a"
    connections.took("a")
    connections.remove("a")
    assert "a" not in connections
