"""In the process of an RQ job, what is in memory leaves when the job has ended; tests/processes has real workers."""

import sys
from types import SimpleNamespace

import pytest

from forking import in_child
from manometer import Manometer  # noqa: F401 - whose module has forked children know of RQ
from manometer.flushing import flushed_by


class _Base:
    is_horse = True

    def perform_job(self, job):
        return job()


class _Worker(_Base):
    pass


@pytest.fixture
def flushes(tmp_path):
    """A file with a letter for each flush, in whichever process."""
    file = tmp_path / "flushes"
    file.touch()

    def flush():
        with file.open("a") as out:
            out.write("f")
        return True

    undo = flushed_by(flush)
    yield file
    undo()


@pytest.fixture
def rq(monkeypatch):
    """RQ, as a forked child finds it."""
    module = SimpleNamespace(Worker=_Worker)
    monkeypatch.setitem(sys.modules, "rq.worker", module)
    return module


def test_a_job_is_followed_by_a_flush_in_its_own_process(rq, flushes):
    """What it returns comes through. The parent's worker stays as it is."""
    before = _Base.perform_job

    def work():
        assert _Worker().perform_job(lambda: "done") == "done"

    in_child(work)
    assert flushes.read_text() == "f"
    assert _Base.perform_job is before
    assert "perform_job" not in vars(_Worker)


def test_a_job_that_fails_is_followed_by_a_flush_too(rq, flushes):
    """And RQ sees its exception."""

    def work():
        with pytest.raises(ZeroDivisionError):
            _Worker().perform_job(lambda: 1 / 0)

    in_child(work)
    assert flushes.read_text() == "f"


def test_a_worker_that_works_by_itself_does_not_flush_after_each_job(rq, flushes, monkeypatch):
    """As of a pool of workers, each in a forked child: its process goes on. The children of its own do."""
    monkeypatch.setattr(_Base, "is_horse", False)

    def work():
        _Worker().perform_job(lambda: None)
        _Base.is_horse = True
        in_child(lambda: _Worker().perform_job(lambda: None))

    in_child(work)
    assert flushes.read_text() == "f"


@pytest.mark.parametrize("module", [None, SimpleNamespace(), SimpleNamespace(Worker=object)])
def test_a_child_without_such_a_worker_begins_as_ever(module, flushes, monkeypatch, capfd):
    """RQ is not there, or is another one than is known."""
    monkeypatch.setitem(sys.modules, "rq.worker", module)
    in_child(lambda: None)
    assert flushes.read_text() == ""
    assert capfd.readouterr().err == ""
