"""SIGHUP wakes a thread, and takes nothing away from the program."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from queue import Queue

import pytest

from forking import in_child
from manometer.errors import ConfigError
from manometer.life.hangup import on_hangup
from waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP on Windows")


@pytest.fixture
def handler():
    """Sets the program's handler; afterwards it is as it was."""
    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield lambda new: signal.signal(signal.SIGHUP, new)
    signal.signal(signal.SIGHUP, before)


def test_the_function_runs_in_another_thread(handler):
    """At each signal, for as long as nobody ends that; then the signal is as before."""
    ran = Queue()
    end = on_hangup(lambda: ran.put(threading.current_thread().name))
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGHUP)
        assert ran.get(timeout=DEADLINE) == "manometer-reload"
    end()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    end()
    until(lambda: "manometer-reload" not in [thread.name for thread in threading.enumerate()])


def test_many_signals_during_one_run_are_one_more(handler):
    """What they ask for is the same."""
    began, go_on, runs = Queue(), threading.Event(), []

    def run():
        runs.append(1)
        began.put(1)
        assert go_on.wait(DEADLINE)

    end = on_hangup(run)
    signal.raise_signal(signal.SIGHUP)
    began.get(timeout=DEADLINE)
    for _ in range(50):
        signal.raise_signal(signal.SIGHUP)
    go_on.set()
    began.get(timeout=DEADLINE)
    end()
    until(lambda: "manometer-reload" not in [thread.name for thread in threading.enumerate()])
    assert len(runs) == 2


def test_a_run_that_fails_is_logged_and_the_next_one_runs(handler, caplog):
    """The thread outlives it."""
    runs = Queue()

    def run():
        runs.put(1)
        raise ZeroDivisionError

    end = on_hangup(run)
    for _ in range(2):
        signal.raise_signal(signal.SIGHUP)
        runs.get(timeout=DEADLINE)
    until(lambda: len(caplog.records) == 2)
    end()
    assert {record.getMessage() for record in caplog.records} == {"what SIGHUP asks for failed"}


def test_the_program_s_own_handler_is_called_too(handler):
    """With its arguments; it has the signal alone again afterwards."""
    heard, ran = [], Queue()

    def own(number, frame):
        heard.append((number, frame is not None))

    handler(own)
    end = on_hangup(lambda: ran.put(1))
    signal.raise_signal(signal.SIGHUP)
    ran.get(timeout=DEADLINE)
    assert heard == [(signal.SIGHUP, True)]
    end()
    assert signal.getsignal(signal.SIGHUP) is own


def test_a_handler_that_the_program_sets_later_stays(handler):
    """It is the program's signal: the end gives back only what is still there."""
    end = on_hangup(lambda: None)
    handler(signal.SIG_IGN)
    end()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_an_ignored_signal_is_taken_and_ignored_again(handler):
    """As under nohup: who asks for a reload gets it, and a closed terminal ends nothing."""
    handler(signal.SIG_IGN)
    ran = Queue()
    end = on_hangup(lambda: ran.put(1))
    signal.raise_signal(signal.SIGHUP)
    ran.get(timeout=DEADLINE)
    end()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_forked_child_is_ended_by_the_signal_as_before(handler):
    """It has no thread that would hear of it, and must not outlive its terminal."""
    end = on_hangup(lambda: None)
    status = os.waitpid(_child(), 0)[1]
    end()
    assert os.WTERMSIG(status) == signal.SIGHUP


def _child():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # since Python 3.12 a fork beside threads warns
        pid = os.fork()
    if pid == 0:
        try:
            signal.raise_signal(signal.SIGHUP)
        finally:
            os._exit(1)
    return pid


def test_a_forked_child_keeps_the_program_s_handler(handler):
    """That one alone is called there."""
    heard = []
    handler(lambda number, _: heard.append(number))
    end = on_hangup(lambda: None)

    def child():
        signal.raise_signal(signal.SIGHUP)
        assert heard == [signal.SIGHUP]

    in_child(child)
    end()


def test_a_forked_child_may_take_the_signal_itself(handler):
    """As a worker of a server that has taken it too: the child's function runs, and nothing ends the child."""
    end = on_hangup(lambda: None)

    def child():
        ran = Queue()
        on_hangup(lambda: ran.put(1))
        signal.raise_signal(signal.SIGHUP)
        ran.get(timeout=DEADLINE)

    in_child(child)
    end()


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_two_share_the_signal_and_end_in_any_order(handler, order):
    """Each is told; one that has ended is not, and after the last the signal is as before."""
    ran = Queue()
    ends = [on_hangup(lambda: ran.put(0)), on_hangup(lambda: ran.put(1))]
    signal.raise_signal(signal.SIGHUP)
    assert {ran.get(timeout=DEADLINE), ran.get(timeout=DEADLINE)} == {0, 1}
    first, second = order
    ends[first]()
    signal.raise_signal(signal.SIGHUP)
    assert ran.get(timeout=DEADLINE) == second
    ends[second]()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_where_no_thread_can_be_started_the_signal_is_left_alone(handler, monkeypatch):
    """Else the program would not hear it any more."""

    def refused(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(RuntimeError):
        on_hangup(lambda: None)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_ended_from_another_thread_the_signal_does_what_it_did(handler):
    """Only the main thread can set a handler, so ours stays and stands aside."""
    heard, ran = [], []
    handler(lambda *_: heard.append(1))
    end = on_hangup(lambda: ran.append(1))
    ending = threading.Thread(target=end)
    ending.start()
    ending.join(DEADLINE)
    signal.raise_signal(signal.SIGHUP)
    assert (heard, ran) == ([1], [])


def test_in_a_thread_the_signal_cannot_be_taken(handler):
    """The error says what to do in its place."""
    failed = Queue()

    def take():
        try:
            on_hangup(lambda: None)
        except ConfigError as error:
            failed.put(str(error))

    threading.Thread(target=take).start()
    told = failed.get(timeout=DEADLINE)
    assert told.startswith("SIGHUP can be taken in the main thread alone; leave reload_on_sighup and Life.on_reload ")
    assert "manometer-reload" not in [thread.name for thread in threading.enumerate()]


def test_a_handler_of_another_language_is_left_alone(handler, monkeypatch):
    """There is no way to call it."""
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with pytest.raises(ConfigError, match="SIGHUP has a handler here that is not Python's"):
        on_hangup(lambda: None)


def test_a_system_without_the_signal_is_told(monkeypatch):
    """Windows; by simulation."""
    monkeypatch.delattr(signal, "SIGHUP")
    with pytest.raises(ConfigError, match=r"this system has no SIGHUP; leave .* call Manometer\.reload"):
        on_hangup(lambda: None)


STRUCK = """
import signal, sys, threading
from manometer.life.hangup import on_hangup
ran = threading.Semaphore(0)
on_hangup(ran.release)
for at in range(1, 200):
    seen = 0

    def trace(frame, event, argument):
        global seen
        seen += event == "line"
        if event == "line" and seen == at:
            signal.raise_signal(signal.SIGHUP)
        return trace

    lock = threading.Condition()
    sys.settrace(trace)
    with lock:
        lock.wait(0.001)
    sys.settrace(None)
signal.raise_signal(signal.SIGHUP)
assert ran.acquire(timeout=60)
print("ended")
"""


def test_the_signal_may_come_at_any_line():
    """Amid whatever the main thread does: the handler waits for no lock that it may hold."""
    done = subprocess.run(
        [sys.executable, "-c", STRUCK], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")
