"""The files of a group: whole or not there, one of each live process and one of all that ended."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.exporter.multiprocess.directory import Directory
from manometer.exporter.multiprocess.files import OwnFile
from manometer.exporter.multiprocess.snapshot import Snapshot, UnreadableError, decode, encode, family
from manometer.exporter.multiprocess.totals import Totals
from manometer.exporter.multiprocess.ways import Way
from waiting import joined


def counted(total, mode="sum"):
    """The content of a file of one counter."""
    metric = Metric("c", "Help.", "counter")
    metric.samples = [Sample("c_total", {}, float(total))]
    return encode(Snapshot(os.getpid(), [family(metric, Way(mode), 1.0)]))


class Group:
    """A directory, its complaints, and files as of several processes."""

    def __init__(self, path):
        self.complaints = []
        self.directory = Directory(path, lambda path, error: self.complaints.append((path.name, str(error))))

    def process(self, total):
        """The file of a process that has counted so far."""
        file = self.directory.own_file()
        file.write(counted(total))
        return file

    @property
    def total(self):
        """What all come to."""
        totals = Totals()
        for snapshot in self.directory.read():
            totals.add(snapshot)
        return sum(sample.value for metric in totals.metrics() for sample in metric.samples)

    @property
    def files(self):
        """The names of all files."""
        return sorted(path.name for path in self.directory.path.iterdir())


@pytest.fixture
def group(tmp_path):
    """An empty directory."""
    return Group(tmp_path)


def test_a_process_that_ended_is_added_to_those_before(group):
    """Its file goes, its total stays, and the file of the ended stays one."""
    alive = group.process(1)
    for total in (10, 100, 1000):
        group.process(total).abandon()
    assert group.total == 1111
    group.directory.settle()
    assert group.files == [alive.path.name, "ended.manometer"]
    assert group.total == 1111
    group.process(10_000).abandon()
    group.directory.settle()
    assert group.files == [alive.path.name, "ended.manometer"]
    assert group.total == 11_111
    assert [each.alive for each in group.directory.read()] == [True, False]
    assert group.complaints == []


def test_a_process_that_is_killed_has_ended(group):
    """The lock is the system's to take off; an id that another process has by now is no matter."""
    program = """
import pathlib, signal, sys
from manometer.exporter.multiprocess.directory import Directory
file = Directory(pathlib.Path(sys.argv[1]), None).own_file()
file.write(open(sys.argv[2], "rb").read())
print("written", flush=True)
signal.pause()
"""
    content = group.directory.path.parent / "content"
    content.write_bytes(counted(5))
    command = [sys.executable, "-c", program, str(group.directory.path), str(content)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        (own,) = group.directory.path.iterdir()
        group.directory.settle()
        assert group.files == [own.name]
        process.send_signal(signal.SIGKILL)
    # Its process id is now, as far as anyone can tell from the name, that of a live process: this one.
    own.rename(own.with_name(f"{os.getpid()}-{own.name.partition('-')[2]}"))
    group.directory.settle()
    assert group.files == ["ended.manometer"]
    assert group.total == 5


@pytest.mark.parametrize("crash_in", ["write", "rename", "unlink", "second unlink"])
def test_a_crash_on_the_way_neither_loses_nor_doubles(group, monkeypatch, crash_in):
    """Whoever comes next finds the same total, and finishes the work."""
    for total in (1, 10):
        group.process(total).abandon()
    group.directory.settle()
    for total in (100, 1000):
        group.process(total).abandon()

    class CrashError(BaseException):
        pass

    calls = []

    def crash(*arguments, **options):
        calls.append(arguments)
        if len(calls) == (2 if crash_in == "second unlink" else 1):
            raise CrashError
        return plain(*arguments, **options)

    place, name = (os, "write") if crash_in == "write" else (type(group.directory.path), crash_in.split()[-1])
    plain = getattr(place, name)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, crash)
        with pytest.raises(CrashError):
            group.directory.settle()
    assert group.total == 1111
    group.directory.settle()
    assert group.total == 1111
    assert [name for name in group.files if name.endswith(".manometer")] == ["ended.manometer"]
    assert group.complaints == []


def test_a_reading_that_is_overtaken_by_a_settling_is_made_again(group, monkeypatch):
    """A process whose figures move while they are read is counted once, not twice and not never."""
    for total in (1, 10, 100):
        group.process(total).abandon()
    paths = group.directory._paths
    moved = []

    def settled_after_listing():
        found = paths()
        if not moved:
            moved.append(True)
            Directory(group.directory.path, None).settle()
        return found

    monkeypatch.setattr(group.directory, "_paths", settled_after_listing)
    assert group.total == 111
    assert group.files == ["ended.manometer"]


def test_readers_never_see_the_total_fall(group):
    """Four readers, while processes write, end and are settled by two at once."""
    stop, falls = threading.Event(), []

    def read():
        shown = 0
        while not stop.is_set():
            total = group.total
            falls.extend([(shown, total)] if total < shown else [])
            shown = total

    def live():
        for _ in range(15):
            file = group.directory.own_file()
            for total in range(1, 6):
                file.write(counted(total))
            file.abandon()
            group.directory.settle()

    readers = [threading.Thread(target=read) for _ in range(4)]
    with ThreadPoolExecutor(2) as lives:
        for reader in readers:
            reader.start()
        ended = [lives.submit(live) for _ in range(2)]
    stop.set()
    joined(*readers)
    assert [each.result() for each in ended] == [None, None]
    group.directory.settle()
    assert (falls, group.complaints) == ([], [])
    assert group.total == 2 * 15 * 5
    assert group.files == ["ended.manometer"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_never_taken_for_a_whole_one(data):
    """Cut short anywhere, or with any byte changed."""
    content = bytearray(counted(12))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnreadableError):
        decode(bytes(content))


@pytest.mark.parametrize(
    ("content", "complaint", "stays"),
    [
        (b"", "Manometer did not write it", True),
        (b"SQLite format 3\0", "Manometer did not write it", True),
        (b"manometer-processes 2 new things\n", "another version of Manometer wrote it", True),
        (counted(5)[:-3], "it is cut short or damaged", False),
    ],
)
def test_a_file_that_makes_no_sense_is_left_out(group, content, complaint, stays):
    """The others are shown; what is another's stays where it is, what was ours goes with its process."""
    group.process(3)
    bad = group.directory.path / "1-1.manometer"
    bad.write_bytes(content)
    assert group.total == 3
    assert group.complaints == [("1-1.manometer", complaint)]
    group.directory.settle()
    assert bad.exists() == stays
    assert group.total == 3


def test_the_ended_of_another_version_are_not_overwritten(group):
    """Until that version settles them, the files of those that end just stay."""
    ended = group.directory.path / "ended.manometer"
    ended.write_bytes(b"manometer-processes 2 new things\n")
    group.process(3).abandon()
    group.directory.settle()
    assert ended.read_bytes() == b"manometer-processes 2 new things\n"
    assert group.total == 3
    ended.write_bytes(counted(3)[:-1])
    group.directory.settle()
    assert group.total == 3
    assert group.files == ["ended.manometer"]


def test_a_file_that_was_never_finished_is_removed_in_the_end(group):
    """Not at once: its process may be at it."""
    group.process(1).abandon()
    half = group.directory.path / "1-1.manometer.tmp"
    half.write_bytes(b"manometer-pro")
    group.directory.settle()
    assert half.exists()
    os.utime(half, (0, 0))
    group.directory.settle()
    assert not half.exists()


def open_files():
    """How many this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    """The old content, no half file, and no open one."""
    file = OwnFile(tmp_path / "f")
    file.write(b"old")
    before = open_files()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            file.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"
    assert open_files() == before
    assert file.stands
    file.write(b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
