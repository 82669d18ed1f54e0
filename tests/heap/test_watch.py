"""The setting `memory_report` has a program that leaks leave a report of what it leaks, and costs others nothing."""

import itertools
import os
import threading

import pytest

from forking import in_child
from manometer import ConfigError, Manometer, Settings, wsgi_app
from manometer.heap import watch
from waiting import until


@pytest.fixture
def leak(monkeypatch):
    """Memory that grows, in a time that goes fast."""
    sizes = itertools.count(100_000_000, 1_000_000)
    monkeypatch.setattr(watch, "PERIOD", 0.02)
    monkeypatch.setattr(watch, "MEASURED", 0.02)
    monkeypatch.setattr(watch, "resident", lambda: next(sizes))


def watchers():
    """The threads that watch."""
    return [thread for thread in threading.enumerate() if thread.name == "manometer-memory"]


def test_nobody_watches_unasked(registry):
    """A library does not look at memory by itself."""
    with Manometer(Settings(serve=False), registry=registry):
        assert watchers() == []


def test_a_program_that_leaks_leaves_a_report(registry, tmp_path, leak, caplog):
    """For its user alone; the log says where it is. Once, until it is worth looking again."""
    file = tmp_path / "memory.txt"
    with Manometer(Settings(serve=False, memory_report=str(file), service_name="shop"), registry=registry):
        until(lambda: caplog.messages)
    assert file.read_text().startswith("What takes more memory: shop, process ")
    assert file.stat().st_mode & 0o777 == 0o600
    (line,) = caplog.messages
    assert line.startswith("the memory has grown for two hours; what grows most is of ")
    assert line.endswith(f"; {file} has more")


def test_a_program_that_does_not_leak_leaves_none(registry, tmp_path, monkeypatch, leak):
    """However long it runs."""
    looks = itertools.count()
    monkeypatch.setattr(watch, "resident", lambda: next(looks) and 100_000_000)
    file = tmp_path / "memory.txt"
    with Manometer(Settings(serve=False, memory_report=str(file)), registry=registry):
        until(lambda: next(looks) > 400)
    assert not file.exists()


def test_a_report_that_cannot_be_written_is_told_of(registry, tmp_path, leak, caplog):
    """The line has the site all the same."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with Manometer(Settings(serve=False, memory_report=str(folder / "memory.txt")), registry=registry):
        folder.rmdir()
        until(lambda: caplog.messages)
    assert caplog.messages[0].endswith("memory.txt cannot be written: No such file or directory")


def test_a_forked_child_watches_itself(registry, tmp_path, leak):
    """It is the children that leak behind many a server."""
    file = tmp_path / "memory.txt"
    with Manometer(Settings(serve=False, memory_report=str(file)), registry=registry):

        def work():
            file.unlink(missing_ok=True)
            until(lambda: file.exists() and f"process {os.getpid()}," in file.read_text())

        in_child(work)


def test_the_watch_ends_with_its_manometer(registry, tmp_path):
    """And its thread."""
    with Manometer(Settings(serve=False, memory_report=str(tmp_path / "memory.txt")), registry=registry):
        assert len(watchers()) == 1
    until(lambda: watchers() == [])


def test_applications_watch_too_once_for_a_file(registry, tmp_path):
    """Nobody closes them."""
    file = tmp_path / "memory.txt"
    for _ in range(2):
        wsgi_app(registry, memory_report=str(file))
    assert len(watchers()) == 1
    watch._watches.pop(file).stop()
    until(lambda: watchers() == [])


@pytest.mark.parametrize("path", ["none/memory.txt", ""])
def test_a_file_that_cannot_be_is_refused_at_the_start(registry, tmp_path, path):
    """Not after two hours."""
    manometer = Manometer(Settings(serve=False, memory_report=str(tmp_path / path)), registry=registry)
    with pytest.raises(ConfigError, match=r"memory_report .* cannot be written; name a file"):
        manometer.start()
