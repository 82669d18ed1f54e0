"""A process that cannot show its figures is known to its parent and its children, for as long as it lives."""

import os

import pytest

from forking import forked, in_child
from manometer.processes.unwritable import Unwritable
from waiting import readable


@pytest.fixture
def unseen():
    """Nobody is missing."""
    return Unwritable()


def test_a_process_is_missing_from_a_writing_that_failed_to_the_next_that_does_not(unseen):
    """At first none is."""
    assert unseen.pid is None
    unseen.wrote(failed=True)
    assert unseen.pid == os.getpid()
    unseen.wrote(failed=False)
    assert unseen.pid is None


def test_one_s_writing_does_not_bring_back_another(unseen):
    """Its end does, as nobody misses it then."""
    wrote, written = os.pipe()
    go_on, end = os.pipe()

    def child():
        os.close(end)
        unseen.wrote(failed=True)
        os.write(written, b"x")
        os.read(go_on, 1)

    with forked(child) as pid:
        assert readable(wrote)
        unseen.wrote(failed=False)
        assert unseen.pid == pid
        os.close(end)
    assert unseen.pid is None
    for each in (wrote, written, go_on):
        os.close(each)


def test_another_user_s_process_is_alive(unseen, monkeypatch):
    """The system knows it, and does not let this one send it anything."""
    in_child(lambda: unseen.wrote(failed=True))

    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert unseen.pid not in (None, os.getpid())
