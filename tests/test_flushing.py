"""flush: everything that the kit has in memory leaves the process, and nothing that hangs holds up the rest."""

import inspect
import subprocess
import sys
from threading import Event

import pytest

from manometer import flush, flushing
from manometer.flushing import flushed_by
from waiting import DEADLINE


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr(flushing, "_parts", [])
    monkeypatch.setattr(flushing, "_elsewhere", [])


def test_nothing_to_flush_is_all_out():
    """As in a program that only counts."""
    assert flush()


def test_each_part_is_called_until_it_ends():
    """By each flush, and not after its undo."""
    called = []
    undo = flushed_by(lambda: called.append("a") or True)
    flushed_by(lambda: called.append("b") or True)
    assert flush()
    assert sorted(called) == ["a", "b"]
    undo()
    undo()
    assert flush()
    assert sorted(called) == ["a", "b", "b"]


def test_one_part_that_fails_is_told():
    """The others have done theirs."""
    called = []
    flushed_by(lambda: False)
    flushed_by(lambda: called.append("b") or True)
    assert not flush()
    assert called == ["b"]


def test_one_part_that_hangs_holds_up_no_other():
    """It is not waited for past the time."""
    go_on, was_called = Event(), Event()
    flushed_by(lambda: go_on.wait(DEADLINE))
    flushed_by(lambda: was_called.set() or True)
    try:
        assert not flush(timeout=0.05)
        assert was_called.wait(DEADLINE)
    finally:
        go_on.set()


def test_a_flush_may_wait_without_end():
    """Where the program says so; ten seconds where nobody says."""
    go_on = Event()
    flushed_by(lambda: go_on.set() or True)
    assert flush(timeout=None)
    assert inspect.signature(flush).parameters["timeout"].default == 10.0


def test_where_no_thread_can_be_had_the_caller_does_it(monkeypatch):
    """As at the end of the interpreter."""

    def none(*_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(flushing, "in_background", none)
    called = []
    flushed_by(lambda: called.append("a") or True)
    assert flush()
    assert called == ["a"]


def test_a_flush_loads_nothing_of_what_is_not_used():
    """It may be called from a signal handler amid an import."""
    script = "import sys, manometer; manometer.flush(); print('manometer.processes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=DEADLINE)
    assert done.stdout == b"False\n"


def test_a_brief_flush_waits_less_for_others_than_for_what_is_written_here(monkeypatch):
    """A receiver that does not answer costs no figure of the directory, and soon nobody waits for it."""
    go_on, written = Event(), []
    flushed_by(lambda: go_on.wait(DEADLINE), elsewhere=True)
    flushed_by(lambda: written.append("figures") or True)
    try:
        assert not flushing.flush_briefly(DEADLINE, 0.01)
        assert written == ["figures"]
    finally:
        go_on.set()
    assert flushing.flush_briefly(DEADLINE, DEADLINE)


def test_a_part_that_is_undone_is_not_flushed():
    """Wherever it went."""
    flushed_by(lambda: False, elsewhere=True)()
    assert flushing.flush_briefly(DEADLINE, DEADLINE)
    assert flushing._elsewhere == []
