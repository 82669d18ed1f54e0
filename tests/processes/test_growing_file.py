"""A process's file grows by what changed; a reader finds a state that was told, whole, at any moment."""

import os
import threading
from itertools import pairwise

import pytest

from manometer.meters.family import Family, Group
from manometer.meters.readings import CounterReading
from manometer.processes.file_reading import decode
from manometer.processes.growing_file import GrowingFile
from manometer.processes.locked_file import OwnFile
from manometer.processes.snapshot import Process
from waiting import joined


class Own:
    """A file of this process, with a hundred counters."""

    def __init__(self, path):
        self.place = OwnFile(path)
        self.growing = GrowingFile(self.place)

    def write(self, total, changed=1, process=Process(1)):  # noqa: B008
        """Have so many of the counters come to that total."""
        series = [((str(each),), CounterReading(float(total if each < changed else 0))) for each in range(100)]
        update = self.growing.begin()
        update.tell([Family("c", "counter", "Help.", "", [Group(("l",), series, merge_mode="sum")])])
        self.growing.write(process, update)

    @property
    def totals(self):
        """What a reader finds, but for zeros."""
        return totals(decode(self.place.path.read_bytes()))

    @property
    def inode(self):
        """What tells one file from the next under its name."""
        return self.place.path.stat().st_ino


def totals(snapshot):
    """The totals in a snapshot that are not zero."""
    series = [each for family in snapshot.families for each in family.series]
    assert len(series) == 100
    return [reading.total for _, reading in series if reading.total]


@pytest.fixture
def own(tmp_path):
    """A file that has not been written."""
    made = Own(tmp_path / "f")
    yield made
    made.place.abandon()


def test_a_file_grows_by_what_changed(own):
    """Each time by little, and not at all where nothing changed."""
    own.write(1)
    inode, size = own.inode, own.place.path.stat().st_size
    own.write(2)
    assert own.totals == [2]
    assert own.inode == inode
    assert 0 < own.place.path.stat().st_size - size < 50
    before = own.place.path.stat()
    own.write(2)
    assert own.place.path.stat() == before


def test_whose_figures_they_are_may_change(own):
    """The last word counts."""
    own.write(1)
    inode = own.inode
    own.write(1, process=Process(1, only_forks=True))
    found = decode(own.place.path.read_bytes())
    assert (found.process, totals(found), own.inode) == (Process(1, only_forks=True), [1], inode)


def test_a_file_is_written_whole_when_it_has_grown_by_half(own):
    """So it stays within bounds, however long its process runs; and each whole writing pays for as much growth."""
    own.write(1)
    whole, sizes, inodes = own.place.path.stat().st_size, [], []
    for total in range(2, 400):
        own.write(total)
        assert own.totals == [total]
        sizes.append(own.place.path.stat().st_size)
        inodes.append(own.inode)
    assert 1.4 * whole < max(sizes) < 1.7 * whole
    assert 2 <= sum(one != other for one, other in pairwise(inodes)) <= 20


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("aside")),
        lambda path: os.truncate(path, 30),
        lambda path: path.write_bytes(b"odd"),
        lambda path: path.write_bytes(path.read_bytes().replace(b"counter", b"gauge", 1)),
    ],
)
def test_a_file_that_someone_did_something_to_is_written_whole_again(own, harm):
    """Within a second it is what it was."""
    own.write(1)
    harm(own.place.path)
    own.write(1)
    assert own.totals == [1]


def test_a_write_that_fails_leaves_what_was_there(own, monkeypatch):
    """Wherever it does, and the next one makes up for it."""
    own.write(1)
    for call in ("pwrite", "pwrite", "write"):
        plain, calls = getattr(os, call), []

        def full(*given, plain=plain, calls=calls):
            calls.append(given)
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            return plain(given[0], bytes(given[1])[:5], *given[2:])

        before = own.totals
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            if call == "write":
                own.place.path.unlink()
            with pytest.raises(OSError, match="No space left"):
                own.write(before[0] + 1)
        if call == "pwrite":
            assert own.totals == before
        own.write(before[0] + 1)
        assert own.totals == [before[0] + 1]


def test_a_process_may_be_killed_at_any_write(own, monkeypatch):
    """What a reader finds is the state before or the one after."""
    own.write(1)
    plain, seen = os.pwrite, []

    def watched(descriptor, data, place):
        for end in range(len(data) + 1):
            plain(descriptor, data[:end], place)
            if place:
                seen.append(own.totals)
        return len(data)

    monkeypatch.setattr(os, "pwrite", watched)
    own.write(2)
    assert seen
    assert all(each == [1] for each in seen)
    assert own.totals == [2]


def test_a_reader_amid_the_writing_finds_a_whole_state(own):
    """All counters have the same total, and none that is lower than what was read before."""
    own.write(1, changed=100)
    stopped = threading.Event()
    found = []

    def read():
        while not stopped.is_set():
            data = own.place.path.read_bytes()
            try:
                snapshot = decode(data)
            except ValueError:  # half of each head, which a reader reads again
                snapshot = decode(own.place.path.read_bytes())
            found.append(totals(snapshot))

    reader = threading.Thread(target=read)
    reader.start()
    for total in range(2, 300):
        own.write(total, changed=100)
    stopped.set()
    joined(reader)
    assert all(len(set(each)) == 1 for each in found)
    highest = [each[0] for each in found]
    assert highest == sorted(highest)
