"""What uWSGI tells of its processes, through the module that it puts into the interpreter."""

import os
import sys
from types import SimpleNamespace

import pytest

from manometer.meters import uwsgi


@pytest.fixture
def server(monkeypatch):
    """uWSGI's module, as of a worker whose master is this process's parent."""
    server = SimpleNamespace(worker_id=lambda: 1, masterpid=os.getppid)
    ends = os.pipe()
    monkeypatch.setitem(sys.modules, "uwsgi", server)
    monkeypatch.setattr(uwsgi, "_hooks", {})
    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", lambda: ends)
        token = uwsgi._one_byte()
    monkeypatch.setattr(uwsgi, "_token", token, raising=False)
    monkeypatch.setattr(uwsgi, "_pipe", os.fstat(token), raising=False)
    yield server
    for end in ends:
        os.close(end)


def test_without_uwsgi_there_is_nothing_to_do(monkeypatch):
    """No process is a worker's heir, and none forks workers later."""
    monkeypatch.delitem(sys.modules, "uwsgi", raising=False)
    uwsgi.call_in_workers(pytest.fail)
    assert (uwsgi.forks_later(), uwsgi.is_heir()) == (False, False)


def test_a_function_is_called_in_each_worker(server):
    """However often it is asked for, it is called once, where there was no hook."""
    called = []
    first = lambda: called.append("first")  # noqa: E731 - two functions that are told apart
    for _ in range(3):
        uwsgi.call_in_workers(first)
    server.post_fork_hook()
    assert called == ["first"]
    uwsgi.call_in_workers(lambda: called.append("second"))
    server.post_fork_hook()
    assert called == ["first", "second", "first"]


def test_a_hook_that_is_there_is_called_afterwards(server):
    """A program's own, and one that the program sets later in the place of ours."""
    called = []
    server.post_fork_hook = lambda: called.append("the program's")
    ours = lambda: called.append("ours")  # noqa: E731 - asked for twice
    uwsgi.call_in_workers(ours)
    server.post_fork_hook()
    assert called == ["ours", "the program's"]
    server.post_fork_hook = lambda: called.append("the program's other")
    uwsgi.call_in_workers(ours)
    called.clear()
    server.post_fork_hook()
    assert called == ["ours", "the program's other"]


@pytest.mark.parametrize(
    ("worker", "master", "later"),
    [(0, 0, True), (0, os.getpid(), True), (0, os.getppid(), False), (1, 0, False), (1, os.getpid(), False)],
    ids=["no master yet", "the master", "a mule", "a worker without a master", "a worker that is the master"],
)
def test_workers_are_still_to_come_in_the_process_that_loads_the_application(server, worker, master, later):
    """With a master or without; a worker has been forked."""
    server.worker_id = lambda: worker
    server.masterpid = lambda: master
    assert uwsgi.forks_later() is later


def test_one_child_of_the_master_is_its_heir(server):
    """The first that asks, and no other after it; whoever asks later is answered at once."""
    assert [uwsgi.is_heir() for _ in range(3)] == [True, False, False]


def test_a_process_that_is_no_child_of_the_master_is_no_heir(server):
    """It leaves the figures to a child of the master's."""
    server.masterpid = os.getpid
    assert not uwsgi.is_heir()
    server.masterpid = os.getppid
    assert uwsgi.is_heir()


def test_a_file_that_has_the_number_by_now_is_left_alone(server):
    """A server may close what it does not know, and open something else."""
    read, write = os.pipe()
    os.write(write, b"not ours")
    os.dup2(read, uwsgi._token)
    assert not uwsgi.is_heir()
    assert os.read(read, 100) == b"not ours"
    os.close(read)
    os.close(write)


def test_a_number_that_is_no_file_any_more_is_no_error(server, monkeypatch):
    """Nobody is the heir then."""
    monkeypatch.setattr(uwsgi, "_token", -1)
    assert not uwsgi.is_heir()
