"""A child that nobody tells of its fork notices by its process id; seen without a fork."""

import os
import sys
import threading
from types import SimpleNamespace
from weakref import WeakSet

import pytest

from manometer.meters import fork, uwsgi
from manometer.meters.fork import Forked
from waiting import DEADLINE, joined, until


@pytest.fixture
def child(monkeypatch):
    """This process takes itself for a child of another, and has nothing yet to renew."""
    for name in ("_pid", "_beginning", "_aside"):
        monkeypatch.setattr(fork, name, 0)
    monkeypatch.setattr(fork, "_locks", WeakSet())
    monkeypatch.setattr(fork, "_renewables", WeakSet())
    monkeypatch.setattr(fork, "_steps", [])
    monkeypatch.setattr(fork, "_noticing", threading.RLock())


class Figures:
    """Says what it was told of."""

    def __init__(self, told=None):
        self.told = [] if told is None else told
        fork.renewed_in_child(self)

    def renew(self, forked):
        """It is renewed."""
        self.told.append(forked)


@pytest.fixture
def server(monkeypatch):
    """uWSGI's module."""
    server = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "uwsgi", server)
    monkeypatch.setattr(uwsgi, "_hooks", {})
    monkeypatch.setattr(uwsgi, "is_heir", lambda: False)
    return server


def held(lock):
    """Have another thread take the lock; returns what has the thread give it back and end."""
    taken, over = threading.Event(), threading.Event()

    def hold():
        with lock:
            taken.set()
            over.wait(DEADLINE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(DEADLINE)

    def let_go():
        over.set()
        joined(holder)

    return let_go


@pytest.mark.usefixtures("child")
def test_everything_is_renewed_once_and_then_the_steps_are_taken():
    """They hear that the fork was noticed late."""
    told = []
    fork.called_in_child(lambda forked: told.append(("step", forked)))
    figures = Figures(told)
    for _ in range(2):
        fork.notice()
    assert figures.told == [Forked.LATE, ("step", Forked.LATE)]


def test_a_process_that_is_no_child_renews_nothing(child, monkeypatch, server):
    """Whoever asks, and however."""
    monkeypatch.setattr(fork, "_pid", os.getpid())
    monkeypatch.setattr(fork, "start_new_thread", lambda *_: pytest.fail("a thread"))
    figures = Figures()
    fork.notice()
    fork.notice_aside()
    fork.follow_uwsgi()
    server.post_fork_hook()
    assert figures.told == []


@pytest.mark.usefixtures("child")
def test_what_is_renewed_may_notice_too():
    """It is not renewed again amid that."""
    told = []

    def renew(forked):
        told.append(forked)
        fork.notice()

    figures = Figures()
    figures.renew = renew
    fork.notice()
    assert told == [Forked.LATE]


@pytest.mark.usefixtures("child")
def test_one_that_fails_costs_no_other(caplog):
    """The log has the failure, and what failed."""
    broken, figures, steps = Figures(), Figures(), []
    broken.renew = lambda forked: 1 / 0
    fork.called_in_child(broken.renew)
    fork.called_in_child(steps.append)
    fork.notice()
    assert (figures.told, steps) == ([Forked.LATE], [Forked.LATE])
    assert [record.getMessage() for record in caplog.records] == [
        f"{broken.renew!r} failed in a forked child, which goes on with what its parent had"
    ] * 2
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.usefixtures("child")
def test_a_caller_that_may_hold_any_lock_waits_for_nothing():
    """A thread of its own does the work, and there is one for however many calls."""
    figures = Figures()
    let_go = held(fork._noticing)
    for _ in range(3):
        fork.notice_aside()
    assert figures.told == []
    let_go()
    until(lambda: figures.told)
    fork.notice_aside()
    assert figures.told == [Forked.LATE]


def test_a_caller_that_gets_no_thread_goes_on(child, monkeypatch):
    """The next one that may wait does the work."""
    calls = []

    def start_new_thread(*args):
        calls.append(args)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(fork, "start_new_thread", start_new_thread)
    figures = Figures()
    for _ in range(2):
        fork.notice_aside()
    assert calls == [(fork.notice, ())]
    fork.notice()
    assert figures.told == [Forked.LATE]


class Watched:
    """A lock, and whether it was freed by force."""

    def __init__(self, lock):
        self._lock = lock
        self.acquire, self.release = lock.acquire, lock.release
        self.is_forced = False

    def _at_fork_reinit(self):
        self._lock._at_fork_reinit()
        self.is_forced = True


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock])
def test_a_lock_that_no_thread_gives_back_is_freed(child, monkeypatch, kind):
    """One that is free is left alone."""
    monkeypatch.setattr(fork, "_GRACE", 0.01)
    free, lost = Watched(kind()), Watched(kind())
    for lock in (free, lost):
        assert fork.freed_in_child(lock) is lock
    holder = threading.Thread(target=lost.acquire)
    holder.start()
    joined(holder)
    fork.notice()
    assert (free.is_forced, lost.is_forced) == (False, True)
    for lock in (free, lost):
        taking = []
        taker = threading.Thread(target=lambda lock=lock, taking=taking: taking.append(lock.acquire(blocking=False)))
        taker.start()
        joined(taker)
        assert taking == [True]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_lock_is_not_a_new_thread_s_own(child, monkeypatch, is_new):
    """It may have the number of a thread of the parent that held the lock. The thread that forked holds its own."""
    process = os.getpid()
    monkeypatch.setattr(fork, "get_native_id", lambda: process + is_new)
    lock = fork.freed_in_child(threading.RLock())
    lock.acquire()
    fork.notice()
    assert lock._is_owned() is not is_new


def test_a_lock_that_is_given_back_in_time_is_left_to_its_thread(child, monkeypatch):
    """To free it under the thread would raise there."""
    monkeypatch.setattr(fork, "_GRACE", DEADLINE)
    lock = fork.freed_in_child(Watched(threading.Lock()))
    lock.acquire()
    timer = threading.Timer(0.05, lock.release)
    timer.start()
    fork.notice()
    joined(timer)
    assert not lock.is_forced
    assert lock.acquire(blocking=False)


@pytest.mark.parametrize(("is_heir", "forked"), [(False, Forked.AT_ONCE), (True, Forked.HEIR)])
def test_a_worker_of_uwsgi_begins_at_once(child, server, monkeypatch, is_heir, forked):
    """Its hook comes before any other code of the child: no thread is there to give a lock back."""
    monkeypatch.setattr(uwsgi, "is_heir", lambda: is_heir)
    monkeypatch.setattr(fork, "_GRACE", 10 * DEADLINE)
    lock, figures = fork.freed_in_child(threading.Lock()), Figures()
    monkeypatch.setattr(fork, "_noticing", noticing := threading.RLock())
    for each in (lock, noticing):
        holder = threading.Thread(target=each.acquire)
        holder.start()
        joined(holder)
    fork.follow_uwsgi()
    worker = threading.Thread(target=server.post_fork_hook, daemon=True)
    worker.start()
    joined(worker)
    assert figures.told == [forked]
    assert not lock.locked()
