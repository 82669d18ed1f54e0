"""Threads beside the program, in the main interpreter and in others."""

import sys
import threading
from types import SimpleNamespace

import pytest

from manometer import background
from manometer.background import in_background
from waiting import DEADLINE, joined, until


@pytest.fixture
def daemonless(monkeypatch):
    """A subinterpreter: it waits for all its threads."""
    monkeypatch.setattr(background, "DAEMONS", False)
    monkeypatch.setattr(background, "_stops", {})
    monkeypatch.setattr(background, "_ends", False)


def test_a_daemon_thread_runs_the_function_under_its_name():
    """The interpreter does not wait for it, and calls nothing to stop it."""
    ran, go_on = [], threading.Event()

    def run():
        ran.append(threading.current_thread())
        go_on.wait(DEADLINE)

    thread = in_background(run, "a-name", pytest.fail)
    assert background._stops == {}
    assert (thread.name, thread.daemon) == ("a-name", True)
    go_on.set()
    joined(thread)
    assert ran == [thread]


@pytest.mark.usefixtures("daemonless")
def test_a_subinterpreter_stops_its_threads_at_its_end():
    """One that has ended is left alone, one that nothing stops runs on, and none begins after that."""
    stopped, ended = threading.Event(), threading.Event()
    stops = in_background(lambda: stopped.wait(DEADLINE), "stops", stopped.set)
    over = in_background(lambda: None, "over", pytest.fail)
    returns = in_background(lambda: ended.wait(DEADLINE), "returns")
    joined(over)
    assert [each.daemon for each in (stops, over, returns)] == [False] * 3
    background._stop_all()
    joined(stops)
    assert returns.is_alive()
    ended.set()
    joined(returns)
    until(lambda: not background._stops)
    with pytest.raises(RuntimeError, match="the interpreter is about to end"):
        in_background(pytest.fail, "late")


@pytest.mark.usefixtures("daemonless")
def test_a_thread_that_cannot_start_is_not_stopped(monkeypatch):
    """Whoever wanted it hears why."""

    def start(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        in_background(lambda: None, "a-name", pytest.fail)
    background._stop_all()


def interpreter(current):
    """What a module of interpreters has to say."""
    return SimpleNamespace(get_current=lambda: current)


@pytest.mark.parametrize(
    ("modules", "number"),
    [
        ({"_interpreters": interpreter((3, 0)), "_xxsubinterpreters": interpreter(4)}, 3),
        ({"_interpreters": None, "_xxsubinterpreters": interpreter(4)}, 4),
        ({"_interpreters": None, "_xxsubinterpreters": None}, 0),
    ],
)
def test_an_interpreter_has_a_number_in_each_version_of_python(monkeypatch, modules, number):
    """The only one of a process, and the first, is 0, as it is where Python has no others."""
    for name, each in modules.items():
        monkeypatch.setitem(sys.modules, name, each)
    assert background._number() == number
