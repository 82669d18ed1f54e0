"""Tests of alluse.load."""

import threading

import pytest

from alluse.errors import SettingsError
from alluse.load import Load
from waiting import DEADLINE, until


def test_runs_go_on_whatever_one_of_them_raises(caplog: pytest.LogCaptureFixture):
    """An unexpected error is logged and ends nothing else."""
    turns, enough = iter(range(1_000_000)), threading.Event()

    def run() -> None:
        turn = next(turns)
        if turn == 5:
            enough.set()
        raise ZeroDivisionError

    load = Load(run, lambda: None, workers=2)
    load.start(1_000)
    assert enough.wait(DEADLINE)
    load.close()
    assert "a workflow ended in an error" in caplog.text


def test_close_waits_for_what_is_under_way_and_in_the_queue():
    """Every run that was queued has ended."""
    begun, go = threading.Event(), threading.Event()
    submitted, ended = [], []

    def run() -> None:
        begun.set()
        go.wait(DEADLINE)
        ended.append(1)

    load = Load(run, lambda: None, workers=2)
    submit = load.executor.submit
    load.executor.submit = lambda task: submitted.append(1) or submit(task)
    load.start(1_000)
    assert begun.wait(DEADLINE)
    closing = threading.Thread(target=load.close)
    closing.start()
    go.set()
    closing.join(DEADLINE)
    assert not closing.is_alive()
    assert len(ended) == len(submitted) > 0


def test_what_does_not_fit_the_queue_is_shed():
    """An engine that hangs lets no hour of old work pile up."""
    go, shed = threading.Event(), threading.Event()
    load = Load(lambda: go.wait(DEADLINE), shed.set, workers=1)
    load.start(50_000)
    assert shed.wait(DEADLINE)
    assert load.executor._work_queue.qsize() <= 500
    go.set()
    load.close()


@pytest.mark.parametrize("rate", [0, -1, 1e9, float("nan"), float("inf")])
def test_rate_that_is_none_is_refused(rate: float):
    """The error says what a rate is."""
    load = Load(lambda: None, lambda: None, workers=1)
    with pytest.raises(SettingsError, match=r"a number of workflows a second from 0\.001 to 100,000"):
        load.start(rate)
    load.close()


def test_load_that_never_began_closes():
    """There is nothing to wait for."""
    Load(lambda: None, lambda: None, workers=1).close()


def test_rate_changes_while_the_load_runs():
    """A run that was far off comes soon; a rate that is none changes nothing."""
    runs: list[int] = []
    load = Load(lambda: runs.append(1), lambda: None, workers=1)
    load.start(0.001)
    until(lambda: runs)
    with pytest.raises(SettingsError, match="rate is 0; it must be"):
        load.change(0)
    load.change(1000)
    until(lambda: len(runs) > 5)
    load.close()
