"""Threads that answer: one for each connection at a time, and used again."""

import threading
from queue import Empty

import pytest

from manometer.serving import hands
from manometer.serving.hands import Hands
from waiting import DEADLINE, until


class Work:
    """What threads do: they say where they are, and wait until they may go on."""

    def __init__(self):
        self.threads, self.may = [], threading.Semaphore(0)

    def __call__(self, connection):
        self.threads.append(threading.current_thread())
        assert self.may.acquire(timeout=DEADLINE)


@pytest.fixture
def work():
    """No thread of a test is left."""
    made = Work()
    yield made
    until(lambda: not any(each.is_alive() for each in made.threads))


def test_each_has_a_thread_at_once(work):
    """However many are under way."""
    some = Hands(work)
    for number in range(3):
        some.begin(number)
    until(lambda: len(set(work.threads)) == 3)
    work.may.release(3)
    until(lambda: some._free == 3)
    some.end()


def test_a_thread_takes_up_the_next(work, monkeypatch):
    """One that is through with the last."""
    monkeypatch.setattr(hands, "_STAY", DEADLINE)
    some = Hands(work)
    for number in range(3):
        some.begin(number)
        work.may.release()
        until(lambda: some._free == 1)
    assert len(work.threads) == 3
    assert len(set(work.threads)) == 1
    some.end()


def test_none_stays_for_long(work, monkeypatch):
    """Where nothing comes."""
    monkeypatch.setattr(hands, "_STAY", 0.01)
    some = Hands(work)
    some.begin(1)
    work.may.release()
    until(lambda: work.threads and not work.threads[0].is_alive())
    assert some._free == 0


def test_what_is_given_at_the_last_moment_is_done():
    """A thread that has waited long enough takes it, since it counts as free."""
    done = []
    some = Hands(done.append)
    given = some._given

    class Queue:
        """Has nothing for a while, at the end of which something comes."""

        put = given.put

        def get(self, timeout=None):
            if timeout is None:
                return given.get()
            some.begin("the next") if done == ["the first"] else some.end()
            raise Empty

    some._given = Queue()
    some._run(["the first"])
    assert done == ["the first", "the next"]


def test_none_waits_after_the_end(work):
    """Nor one that was at work then."""
    some = Hands(work)
    some.begin(1)
    until(lambda: work.threads)
    some.end()
    work.may.release()
    until(lambda: not work.threads[0].is_alive())
