"""The run of kills and faults finds what it is to find, in a short form; `make survival` is the long one."""

import os
import tempfile
from pathlib import Path

import pytest

from ports import reserved_port


@pytest.fixture
def account(benchmark, tmp_path):
    """Opens the account of a worker."""
    return lambda: benchmark("account").Account(tmp_path / "0.account")


def test_an_account_is_the_same_to_whoever_opens_it(account):
    """As to the process that looks on, after the worker was killed."""
    mine, others = account(), account()
    mine.add(1.5)
    mine.add(2.5)
    mine.written = 1
    assert (others.counted, others.written, others.time_of(0), others.time_of(1)) == (2, 1, 1.5, 2.5)


def test_a_total_that_falls_is_noticed(benchmark):
    """A series that is gone has fallen too."""
    watch = benchmark("watching").Watch("http://127.0.0.1:1")
    watch._compare({0: 5, 1: 7})
    watch._compare({0: 6, 1: 6})
    watch._compare({1: 6})
    assert watch.falls == ["worker 1: 7 to 6", "worker 0: 6 to None"]


@pytest.mark.parametrize(
    ("shown", "was_killed", "wrong"),
    [
        (3, False, []),
        (2, True, []),
        (2, False, ["worker 0 ended well, and 2 of its 3 events are shown"]),
        (1, True, ["worker 0 knew 2 events to be written, and 1 are shown"]),
        (4, True, ["worker 0 has 3 events, and 4 are shown"]),
    ],
)
def test_what_no_kill_may_cost_is_noticed(benchmark, account, shown, was_killed, wrong):
    """A kill may cost what was not written; the end of a worker costs nothing."""
    counted = account()
    for _ in range(3):
        counted.add(0.0)
    counted.written = 2
    worker = benchmark("watching").Worker(0, None, counted, "")
    assert [*benchmark("kills")._wrong(worker, {0: shown}, was_killed)] == wrong


@pytest.mark.servers
def test_kills_cost_no_event_that_was_written(benchmark, tmp_path):
    """Neither of workers nor of the exporter; no total falls."""
    with reserved_port() as port:
        found = benchmark("kills").killed(tmp_path, port, seed=1, times=6)
    assert (found["falls"], found["wrong"]) == ([], [])
    assert (found["kills"], found["exporter_kills"]) == (6, 1)


@pytest.mark.servers
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_directory_that_was_taken_away_for_a_while_costs_nothing(benchmark):
    """What was counted meanwhile is written when it is there again."""
    with tempfile.TemporaryDirectory() as folder:  # which the other user reaches, unlike pytest's
        found = benchmark("faults").unwritable(Path(folder))
    assert (found["lost"], found["falls"], found["wrong"]) == (0, [], [])
    assert found["events"] > 0
