"""The files of a group: whole or not there, one of each live process and one of all that ended."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import FileIO
from math import inf, nan
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.errors import IncompleteError
from manometer.processes.directory import Directory
from manometer.processes.file_head import Extent, UnreadableError
from manometer.processes.file_reading import decode
from manometer.processes.file_writing import encode
from manometer.processes.locked_file import OwnFile, put_aside
from manometer.processes.merge import Merge
from manometer.processes.snapshot import Process, Snapshot, shared
from waiting import joined

ENDED = ["ended-copy.manometer", "ended.manometer"]
"""The files of those that ended."""


def counted(total, mode="sum"):
    """The content of a file of one counter."""
    metric = Metric("c", "Help.", "counter")
    metric.samples = [Sample("c_total", {}, float(total))]
    return encode(Snapshot(Process(os.getpid()), [shared(metric, mode, 1.0)]))


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
        totals = Merge()
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
    assert group.files == [alive.path.name, *ENDED]
    assert group.total == 1111
    group.process(10_000).abandon()
    group.directory.settle()
    assert group.files == [alive.path.name, *ENDED]
    assert group.total == 11_111
    assert [each.alive for each in group.directory.read()] == [True, False]
    assert group.complaints == []


def test_files_that_someone_removed_are_awaited_until_their_processes_write_again(group):
    """Without them, totals would fall, and jump when they come."""
    one, other = group.process(1), group.process(20)
    assert group.total == 21
    for path in group.directory.path.iterdir():
        path.unlink()
    one.write(counted(2))
    for _ in range(2):
        with pytest.raises(IncompleteError, match=f"{other.path.name} are missing: it was removed"):
            group.directory.read()
    other.write(counted(20))
    assert group.total == 22


def test_who_only_writes_knows_of_the_files_of_others_too(group):
    """The process that is scraped after the removal may not have been scraped before."""
    one, other = group.process(1), group.process(20)
    group.directory.settle()
    for path in group.directory.path.iterdir():
        path.unlink()
    one.write(counted(2))
    group.directory.settle()
    with pytest.raises(IncompleteError, match=other.path.name):
        group.directory.read()


def test_a_removed_file_of_a_process_that_has_ended_is_not_awaited(group, monkeypatch):
    """Its figures are lost, also where its parent has not asked how it ended.

    Neither is one for which its process takes longer than it can.
    """
    child, unreaped = (subprocess.Popen([sys.executable, "-c", ""]) for _ in range(2))
    child.wait()
    os.waitid(os.P_PID, unreaped.pid, os.WEXITED | os.WNOWAIT)
    for pid, patience in ((child.pid, 60.0), (unreaped.pid, 60.0), (os.getpid(), 0.0)):
        monkeypatch.setattr("manometer.processes.vanished._PATIENCE", patience)
        file = OwnFile(group.directory.path / f"{pid}-7.manometer")
        file.write(counted(5))
        assert group.total == 5
        file.path.unlink()
        assert group.total == 0
        file.abandon()
    unreaped.wait()


def test_a_file_that_others_have_added_to_the_ended_is_not_awaited(group):
    """However often they did since it was seen here."""
    file, others = group.process(1), Directory(group.directory.path, lambda *_: None)
    assert group.total == 1
    for _ in range(2):
        file.abandon()
        others.settle()
        file = group.process(10)
    assert group.total == 21


def test_what_is_of_a_live_process_alone_is_not_kept_of_one_that_ended(group):
    """The file of the ended would grow with all that ever were."""
    file = group.directory.own_file()
    file.write(counted(5, mode="livesum"))
    file.abandon()
    group.directory.settle()
    assert decode((group.directory.path / "ended.manometer").read_bytes()).families == []


def test_a_file_that_someone_removed_amid_a_settling_is_no_fault(group, monkeypatch):
    """Its figures have been read."""
    file = group.process(5)
    file.abandon()

    def encoded(snapshot):
        file.path.unlink()
        return encode(snapshot)

    monkeypatch.setattr("manometer.processes.directory.encode", encoded)
    group.directory.settle()
    assert group.total == 5
    assert group.files == ENDED


def test_the_ended_have_a_bounded_number_of_series(tmp_path, monkeypatch):
    """Further ones are added to `other`, which whoever asks hears of."""
    monkeypatch.setattr("manometer.processes.directory.SERIES_CAP", 2)
    folded = []
    directory = Directory(tmp_path, None, folded.append)
    for number in range(5):
        metric = Metric("c", "Help.", "counter")
        metric.samples = [Sample("c_total", {"l": str(number)}, 1.0)]
        file = directory.own_file()
        file.write(encode(Snapshot(Process(number), [shared(metric, "sum", 1.0)])))
        file.abandon()
    directory.settle()
    (ended,) = directory.read()
    found = {label: reading.total for each in ended.families for (label,), reading in each.series}
    assert found == {"0": 1, "1": 1, "other": 3}
    assert folded == ["c"] * 3


def test_no_series_falls_as_a_process_ends_that_has_more_than_the_cap(tmp_path, monkeypatch):
    """Each process may have more by its program's own word; those that ended then have room for as many."""
    monkeypatch.setattr("manometer.processes.directory.SERIES_CAP", 2)
    directory = Directory(tmp_path, None, lambda _: None)

    def ended(labels):
        metric = Metric("c", "Help.", "counter")
        metric.samples = [Sample("c_total", {"l": label}, 0.1) for label in labels]
        file = directory.own_file()
        file.write(encode(Snapshot(Process(1), [shared(metric, "sum", 1.0)])))
        file.abandon()
        directory.settle()
        totals = Merge()
        for each in directory.read():
            totals.add(each)
        ((c),) = totals.metrics()
        return {sample.labels["l"]: round(sample.value, 6) for sample in c.samples}

    assert ended("abcd") == {"a": 0.1, "b": 0.1, "c": 0.1, "d": 0.1}
    assert ended("dcba") == {"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2}
    for times in range(1, 4):
        assert ended("efgh") == {"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2, "other": round(0.4 * times, 6)}


def test_the_name_of_a_file_says_whose_it_is(group):
    """Which process, and which interpreter in it, for whoever looks into the directory."""
    mine = os.getpid()
    names = [group.directory.own_file(*interpreter).path.name for interpreter in ((), (), (3,))]
    for name, begins in zip(names, (rf"{mine}-", rf"{mine}-", rf"{mine}\.3-"), strict=True):
        assert re.fullmatch(rf"{begins}\d+\.manometer", name)
    assert len(set(names)) == 3


def test_a_process_that_is_killed_has_ended(group):
    """The lock is the system's to take off; an id that another process has by now is no matter."""
    program = """
import pathlib, signal, sys
from manometer.processes.directory import Directory
signal.alarm(100)
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
    assert group.files == ENDED
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
    assert [name for name in group.files if name.endswith(".manometer")] == ENDED
    assert group.complaints == []


def test_a_reading_that_is_overtaken_by_a_settling_is_made_again(group, monkeypatch):
    """A process whose figures move while they are read is counted once, not twice and not never."""
    for total in (1, 10, 100):
        group.process(total).abandon()
    paths = group.directory._paths
    moved = []

    def settled_after_listing():
        found = paths()
        moved.append(True)
        if len(moved) == 1:
            Directory(group.directory.path, None).settle()
        return found

    monkeypatch.setattr(group.directory, "_paths", settled_after_listing)
    assert group.total == 111
    assert group.files == ENDED
    assert len(moved) == 2
    assert group.total == 111
    assert len(moved) == 3


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
    assert group.files == ENDED


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_what_follows_behind_what_counts_is_left_out():
    """It is not there whole yet, or never will be."""
    content = counted(12)
    assert decode(content + b"[[0,[5.0") == decode(content)


def bare(body):
    """A file whose head says that it is whole, whatever is in it."""
    return Extent().extended(body).head + body


DAMAGE = "it is cut short or damaged, or Manometer did not write it"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", DAMAGE),
        (b"SQLite format 3\0", DAMAGE),
        (b"manometer-processes x new things\n", DAMAGE),
        (counted(5)[:-3], DAMAGE),
        (counted(5).replace(b" ", b"\t", 1), DAMAGE),
        (bare(b"[]"), "it makes no sense (ValueError: not enough values to unpack (expected 2, got 0))"),
    ],
)
@pytest.mark.parametrize("finder", ["a reader", "whoever settles"])
def test_a_file_that_makes_no_sense_is_put_aside(group, content, complaint, finder):
    """Once it is known that its process has ended: the others are shown, and it is told of once."""
    group.process(3)
    bad = group.directory.path / "1-1.manometer"
    bad.write_bytes(content)
    if finder == "whoever settles":
        group.directory.settle()
    assert [group.total for _ in range(3)] == [3] * 3
    assert group.complaints == [("1-1.manometer", complaint)]
    assert not bad.exists()
    assert (group.directory.path / "1-1.manometer.damaged").read_bytes() == content


def test_a_file_whose_head_is_being_written_is_read_again(group, monkeypatch):
    """A reader amid that may see half of each head. It is damaged only where it is so once more."""
    living = group.process(3)
    torn = living.path.read_bytes().replace(b" ", b"\t", 1)
    plain, readings = FileIO.read, []

    def read(file, *size):
        readings.append(file)
        return torn if len(readings) == 1 else plain(file, *size)

    monkeypatch.setattr("manometer.processes.trust.FileIO", type("Torn", (FileIO,), {"read": read}))
    assert group.total == 3
    assert group.complaints == []
    assert len(readings) == 2
    living.abandon()


def test_a_file_of_another_version_stays(group):
    """It is left out, and told of each time."""
    group.process(3)
    other = group.directory.path / "1-1.manometer"
    other.write_bytes(b"manometer-processes 2 new things\n")
    for _ in range(2):
        assert group.total == 3
        group.directory.settle()
    assert group.complaints == [("1-1.manometer", "another version of Manometer wrote it")] * 4
    assert other.exists()


def test_no_total_falls_while_the_file_of_a_live_process_is_damaged(group):
    """What is left is withheld until the process has written again, as it does when its file is gone."""
    group.process(3)
    file = group.process(4)
    with file.path.open("r+b") as damaged:
        damaged.seek(-2, os.SEEK_END)
        damaged.write(b"x")
    missing = f"figures of {file.path} are missing: "
    with pytest.raises(IncompleteError, match=f"{missing}it is cut short or damaged"):
        group.directory.read()
    assert not file.stands
    for _ in range(2):
        with pytest.raises(IncompleteError, match=f"{missing}it was damaged, and its process has not written again"):
            group.directory.read()
        group.directory.settle()
    file.write(counted(4))
    assert group.total == 7
    assert [name for name, _ in group.complaints] == [file.path.name] * 3


def test_what_a_process_loses_by_damage_before_its_end_is_lost(group):
    """The others are shown again from then on."""
    group.process(3)
    file = group.process(4)
    file.path.write_bytes(b"damaged")
    for _ in range(2):
        with pytest.raises(IncompleteError):
            group.directory.read()
    file.abandon()
    assert group.total == 3
    group.directory.settle()
    assert group.total == 3


def test_no_total_falls_while_another_reader_puts_a_file_aside(group, monkeypatch):
    """Between the listing of the files and the reading of that one."""
    group.process(3)
    file = group.process(4)
    listed = group.directory._paths()
    file.path.write_bytes(b"damaged")
    with pytest.raises(IncompleteError):
        Group(group.directory.path).directory.read()
    monkeypatch.setattr(group.directory, "_paths", lambda: listed)
    with pytest.raises(IncompleteError):
        group.directory.read()


def test_no_total_falls_while_a_file_cannot_be_read(group, monkeypatch):
    """The system's word, as on a file of another user: whoever is asked says so, and shows nothing."""
    group.process(3)
    file = group.process(4)
    plain = FileIO

    def refused(path, **opener):
        if path == file.path:
            raise PermissionError(13, "Permission denied")
        return plain(path, **opener)

    with monkeypatch.context() as patch:
        patch.setattr("manometer.processes.trust.FileIO", refused)
        with pytest.raises(IncompleteError, match=r"are missing: .*Permission denied"):
            group.directory.read()
    assert [name for name, _ in group.complaints] == [file.path.name]
    assert group.total == 7


def test_each_file_that_is_left_out_is_told_of(group):
    """By whoever reads it, each time: a damaged file of the ended, its copy, or one of another version."""
    group.process(5).abandon()
    group.directory.settle()
    copy, ended = (group.directory.path / name for name in ENDED)
    whole = ended.read_bytes()
    ended.write_bytes(whole[:-1])
    assert group.total == 5
    assert group.complaints == [("ended.manometer", DAMAGE)]
    copy.write_bytes(whole[:-1])
    assert group.total == 0
    assert group.complaints[1:] == [("ended.manometer", DAMAGE), ("ended-copy.manometer", DAMAGE)]
    ended.write_bytes(b"manometer-processes 2 new things\n")
    assert group.total == 0
    assert group.complaints[3:] == [("ended.manometer", "another version of Manometer wrote it")]


@pytest.mark.parametrize("gone", [False, True])
def test_no_total_falls_while_the_file_of_the_ended_cannot_be_read(group, gone):
    """As a directory in its place: the system refuses, and it may be back. So with its copy, where that counts."""
    group.process(3)
    copy, ended = (group.directory.path / name for name in ENDED)
    (copy if gone else ended).mkdir()
    with pytest.raises(IncompleteError, match=r"are missing: .*Is a directory"):
        group.directory.read()
    assert {name for name, _ in group.complaints} == {copy.name if gone else ended.name}


def test_the_copy_counts_where_the_system_refuses_the_file_of_the_ended(group):
    """It is told of, and nothing is missing."""
    group.process(5).abandon()
    group.directory.settle()
    ended = group.directory.path / "ended.manometer"
    ended.unlink()
    ended.mkdir()
    assert group.total == 5
    assert [name for name, _ in group.complaints] == ["ended.manometer"]


def test_live_processes_come_before_the_ended(group):
    """Of a family whose kind was changed, theirs is the one that is shown."""
    group.process(1).abandon()
    group.process(2)
    group.process(3).abandon()
    assert [each.alive for each in group.directory.read()] == [True, False, False]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", ["a bit", "gone", "cut"])
def test_the_totals_of_the_ended_outlast_damage_to_their_file(group, which, damage):
    """Or to its copy: whoever finds it makes both anew, and the damaged one is kept aside."""
    for total in (1, 10):
        group.process(total).abandon()
    group.directory.settle()
    place = group.directory.path / ENDED[which]
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 4
    if damage == "gone":
        place.unlink()
    else:
        place.write_bytes(content[: None if damage == "a bit" else 20])
    assert [group.total, group.total] == [11, 11]
    group.process(100).abandon()
    for _ in range(2):
        group.directory.settle()
        assert group.total == 111
    assert [decode((group.directory.path / name).read_bytes()).includes for name in ENDED] != [[], []]
    if which == 1 and damage != "gone":
        assert {name for name, _ in group.complaints} == {"ended.manometer"}
        assert (group.directory.path / "ended.manometer.damaged").exists()
    assert [name for name in group.files if name.endswith(".manometer")] == ENDED


def test_the_file_of_the_ended_is_mended_without_another_end(group):
    """By the next that looks whether any process has ended."""
    group.process(5).abandon()
    group.directory.settle()
    ended = group.directory.path / "ended.manometer"
    whole = ended.read_bytes()
    ended.write_bytes(whole[:-1])
    assert group.total == 5
    group.directory.settle()
    assert decode(ended.read_bytes()).families == decode(whole).families


def test_totals_of_which_nothing_is_whole_begin_anew(group):
    """What is damaged is kept for who wants to look, and new ends are counted."""
    group.process(5).abandon()
    group.directory.settle()
    for name in ENDED:
        (group.directory.path / name).write_bytes(b"?")
    group.process(3).abandon()
    group.directory.settle()
    assert group.total == 3
    assert group.files == sorted([*ENDED, *(f"{name}.damaged" for name in ENDED)])


def test_the_ended_of_another_version_are_not_overwritten(group):
    """Until that version settles them, the files of those that end just stay."""
    ended = group.directory.path / "ended.manometer"
    ended.write_bytes(b"manometer-processes 2 new things\n")
    group.process(3).abandon()
    group.directory.settle()
    assert ended.read_bytes() == b"manometer-processes 2 new things\n"
    assert group.total == 3
    assert {error for _, error in group.complaints} == {"another version of Manometer wrote it"}


def test_a_file_that_was_put_in_place_meanwhile_is_not_put_aside(group, monkeypatch):
    """Its process may have written again between the reading and the renaming."""
    file = group.process(4)
    with file.path.open("rb") as old:
        file.write(counted(5))
        put_aside(file.path, old.fileno())
        assert group.total == 5
        samestat = os.path.samestat
        answers = [True]  # it is written a moment after the comparison
        monkeypatch.setattr(os.path, "samestat", lambda *stats: answers.pop() if answers else samestat(*stats))
        put_aside(file.path, old.fileno())
    assert group.total == 5
    assert file.stands
    assert group.files == [file.path.name]


def of_group(kind, rows, *, name="other", mode="sum", labels=(), bounds=(), limit=0, suffix=None):
    """A file of a family of one group."""
    return [[1, 0, "", False], []], [name, kind, "Help.", "", [mode, labels, bounds, limit, suffix, rows]]


def of_counter(*row):
    """A file of a counter with a label, which has one row: its label values and its reading."""
    return of_group("counter", [row], labels=["l"])


def of_gauge(*row):
    """A file of a gauge, which has one row."""
    return of_group("gauge", [row])


def of_histogram(running=(1, 2), total=4.0, created=None, exemplars=(), native=None, **head):
    """A file of a histogram with two buckets."""
    row = [], running, total, created, exemplars, native
    return of_group("histogram", [row], **{"bounds": ["1.0", "+Inf"], **head})


def of_native(limit=160, **changes):
    """A file of a native histogram, of which these fields are otherwise."""
    fields = [4, 4.0, 3, 0.0, 0, [[0, 2]], [], [1, 2], [], []]
    for at, value in changes.items():
        fields[int(at[1:])] = value
    return of_histogram((), None, native=fields, bounds=[], limit=limit)


def of_kind(name, kind, mode="sum", labels=(), bound=None):
    """A file of a family without series."""
    return of_group(kind, [], name=name, mode=mode, labels=labels, bounds=[] if bound is None else [bound])


LABELS = "ValueError: a row of other labels"
BUCKETS = "ValueError: other buckets than there are"
BOUND = "ValueError: a bucket without a bound, or of no histogram"
COUNT = "TypeError: a count that is no number"
FAMILY = "ValueError: a family of no name, kind or mode, or two labels of one name"
SPANS = "ValueError: spans of other buckets than there are"
WIDTH = "ValueError: buckets of no known width"
ENDLESS = "ValueError: a count without end"
NOWHERE = "ValueError: an exemplar of no bucket"
NONSENSE = {
    "a field too few": (of_counter(["x"], 1.0, None), "TypeError: .*"),
    "a field too many": (of_counter(["x"], 1.0, None, None, None), "TypeError: .*"),
    "rows of differing fields": (of_group("gauge", [[[], 1.0, None], [[], 1.0]]), "ValueError: .*"),
    "rows without fields": (of_group("gauge", [[], []]), "ValueError: .*"),
    "a row that is none": (of_group("gauge", [[[], 1.0, None], {}]), "TypeError: a row that is no list"),
    "too many labels": (of_counter(["x", "y"], 1.0, None, None), LABELS),
    "too few labels": (of_counter([], 1.0, None, None), LABELS),
    "a label that is no text": (of_counter([1], 1.0, None, None), "TypeError: .*"),
    "labels that are one text": (of_counter("x", 1.0, None, None), LABELS),
    "text for a total": (of_counter(["x"], "1", None, None), "TypeError: '1' is no number"),
    "true for a total": (of_counter(["x"], True, None, None), "TypeError: True is no number"),
    "no total": (of_counter(["x"], None, None, None), "TypeError: None is no number"),
    "a total too large": (of_counter(["x"], 10**400, None, None), "OverflowError: .*"),
    "text for a value": (of_gauge([], "1", None), "TypeError: '1' is no number"),
    "true for a value": (of_gauge([], True, None), "TypeError: True is no number"),
    "text for a sum": (of_histogram(total="1"), "TypeError: '1' is no number"),
    "text for a count": (of_histogram([1, "2"]), COUNT),
    "true for a count": (of_histogram([True, 2]), COUNT),
    "a count too large": (of_histogram([1, 10**400]), "OverflowError: .*"),
    "counts that are none": (of_histogram({}), "TypeError: counts that are no list"),
    "fewer counts than buckets": (of_histogram([1]), BUCKETS),
    "no counts for buckets": (of_histogram([]), BUCKETS),
    "more counts than buckets": (of_histogram([1, 2, 3, 4]), BUCKETS),
    "series of differing counts": (
        of_group("summary", [[[], [1], 1.0, None, [], None], [[], [], 1.0, None, [], None]]),
        BUCKETS,
    ),
    "no exponential buckets": (of_histogram(native=0), "TypeError: .*"),
    "no exemplar": (of_counter(["x"], 1.0, None, 0), "TypeError: .*"),
    "an exemplar of nothing": (of_histogram(exemplars=[[2, [{}, 1.0, None]]]), NOWHERE),
    "an exemplar before the first bucket": (of_histogram(exemplars=[[-1, [{}, 1.0, None]]]), NOWHERE),
    "an exemplar of no place": (of_histogram(exemplars=[["0", [{}, 1.0, None]]]), "TypeError: '0' is no int"),
    "an exemplar without labels": (of_counter(["x"], 1.0, None, [None, 1.0, None]), "TypeError: None is no dict"),
    "an exemplar's label that is no text": (
        of_histogram(exemplars=[[0, [{"a": 1}, 1.0, None]]]),
        "TypeError: .*",
    ),
    "an exemplar of no time": (of_counter(["x"], 1.0, None, [{}, 1.0, 1e999]), ENDLESS),
    "half a surrogate": (of_counter(["\ud800"], 1.0, None, None), "UnicodeEncodeError: .*"),
    "unknown kind": (of_kind("other", "meter"), FAMILY),
    "unknown mode": (of_kind("other", "gauge", "mean"), FAMILY),
    "a name that is no text": (of_kind(3, "gauge"), "TypeError: 3 is no str"),
    "a name with half a surrogate": (of_kind("\ud800", "gauge"), "UnicodeEncodeError: .*"),
    "a long name that is no text": (of_kind([10**50], "gauge"), r"TypeError: \[10{38} is no str"),
    "no name": (of_kind("", "gauge"), FAMILY),
    "a bucket of no bound": (of_kind("other", "histogram", bound="nan"), BOUND),
    "a bucket of a bound that is no number": (of_kind("other", "histogram", bound="x"), "ValueError: .*"),
    "a bucket of a bound that is no text": (of_kind("other", "histogram", bound=1.0), "TypeError: .*"),
    "a gauge of buckets": (of_group("gauge", [[[], 1.0, None]], bounds=["1.0"]), BOUND),
    "a stray of a histogram, of buckets": (
        of_group("histogram", [[[], 1.0, None]], bounds=["1.0"], suffix=""),
        BOUND,
    ),
    "two labels of one name": (of_kind("other", "gauge", labels=["l", "l"]), FAMILY),
    "no process": ([[["1", 0, "", False], []]], "TypeError: '1' is no int"),
    "no interpreter": ([[[1, "0", "", False], []]], "TypeError: '0' is no int"),
    "no parent": ([[[1, 0, None, False], []]], "TypeError: None is no str"),
    "only forks, or what": ([[[1, 0, "", 0], []]], "TypeError: 0 is no bool"),
    "includes no names": ([[[1, 0, "", False], [1]]], "TypeError: .*"),
    "another family's sample": (of_group("gauge", [], suffix="s"), "ValueError: a sample of another family"),
    "a suffix that is no text": (of_group("gauge", [], suffix=1), "TypeError: 1 is no str"),
    "rows that are none": (of_group("gauge", {}), r"TypeError: \{\} is no list"),
    "no number of events": (of_histogram([nan, 2]), ENDLESS),
    "events without end in a summary": (of_group("summary", [[[], [inf], 1.0, None, [], None]]), ENDLESS),
    "events without end in a gauge histogram": (
        of_group("gaugehistogram", [[[], [1, -inf], 1.0, None, [], None]], bounds=["1.0", "+Inf"]),
        ENDLESS,
    ),
    "no beginning": (of_counter(["x"], 1.0, nan, None), ENDLESS),
    "a beginning that is no number": (of_histogram(created="1"), "TypeError: '1' is no number"),
    "set after all time": (of_gauge([], 1.0, inf), ENDLESS),
    "set at no time": (of_gauge([], 1.0, "1"), "TypeError: '1' is no number"),
    "spans without end": (of_native(_5=[[0, 10**12]]), SPANS),
    "spans of less than nothing": (of_native(_5=[[0, 3], [0, -1]]), SPANS),
    "spans far away": (of_native(_5=[[2**20 + 1, 2]]), SPANS),
    "spans far below": (of_native(_6=[[-(2**20) - 1, 1]], _8=[1]), SPANS),
    "too narrow buckets": (of_native(_2=9), WIDTH),
    "too wide buckets": (of_native(_2=-5), WIDTH),
    "room for no bucket": (of_native(limit=0), WIDTH),
    "room for less than none": (of_group("gauge", [], limit=-1), WIDTH),
    "counts without end": (of_native(_7=[1e999, 2]), ENDLESS),
    "zeros without end": (of_native(_4=1e999), ENDLESS),
    "a threshold without end": (of_native(_3=1e999), ENDLESS),
    "events without end": (of_native(_0=1e999), ENDLESS),
    "too few counts": (of_native(_7=[1]), SPANS),
    "too few counts below": (of_native(_6=[[0, 1]]), SPANS),
}


@pytest.mark.parametrize(("lines", "complaint"), [pytest.param(*each, id=name) for name, each in NONSENSE.items()])
def test_a_well_formed_file_of_nonsense_is_put_aside(group, lines, complaint):
    """Nothing of it is merged, nobody else's figures are lost, and it is said what is wrong with it."""
    group.process(3)
    bad = group.directory.path / "1-1.manometer"
    bad.write_bytes(bare(b"\n".join(json.dumps(line).encode() for line in lines)))
    assert group.total == 3
    assert not bad.exists()
    ((name, error),) = group.complaints
    assert name == "1-1.manometer"
    assert re.fullmatch(rf"it makes no sense \({complaint}\)", error)


def test_json_too_deep_for_a_reader_is_put_aside(group):
    """It raises no error of JSON's."""
    group.process(3)
    (group.directory.path / "1-1.manometer").write_bytes(bare(b"[" * 100_000))
    assert group.total == 3
    assert len(group.complaints) == 1


@pytest.mark.parametrize(
    "lines",
    [
        of_counter(["x"], 1.0, None, [{"a": "b"}, 1.0, 2.0]),
        of_counter(["x"], 1, 0, None),
        of_counter(["x"], inf, inf, None),
        of_gauge([], inf, 0.0),
        of_gauge([], -inf, None),
        of_histogram(),
        of_histogram([0.5, 2], exemplars=[[1, [{"a": "b"}, 1.0, None]]]),
        of_histogram([1, 2, 3]),
        of_native(),
        of_native(_2=-4),
        of_native(_2=8),
        of_native(limit=1),
        of_native(_5=[[2**20, 0], [-(2**20), 2]]),
        of_native(_6=[[0, 1]], _8=[3], _9=[[{"a": "b"}, 1.0, 2.0]]),
        of_native(_5=None, _6=None, _7=None, _8=None, _9=None),
        of_group("summary", [[[], [3], -inf, None, [], None]]),
        of_group("summary", [[["0.5"], inf, None]], labels=["quantile"], suffix=""),
        of_group("unknown", [[["1.0"], inf, None]], labels=["le"], suffix="_bucket"),
        of_group("info", [[["x"], 1, None]], labels=["version"]),
        of_group("gauge", [[[], 1.0, None], [[], 2.0, 5.0]]),
    ],
)
def test_the_files_of_these_tests_make_sense_but_for_what_is_wrong_with_each(lines):
    """Else the tests above would prove nothing. What was read is written the same again."""
    found = decode(bare(b"\n".join(json.dumps(line).encode() for line in lines)))
    assert len(found.families) == 1
    assert decode(encode(found)) == found


texts = st.sampled_from(
    ["", "other", "other_total", "x", "sum", "liveall", "mostrecent", "counter", "histogram", "1", "+Inf"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3))


def mostly(*usual):
    """One of these, or now and then anything else."""
    return st.sampled_from([*range(20)]).flatmap(lambda drawn: anything if drawn == 13 else st.one_of(*usual))


native_of = st.lists(
    mostly(st.integers(-2, 9), st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2))),
    min_size=10,
    max_size=10,
)
exemplar_of = st.tuples(st.just({}), st.floats(), st.none())
numbers = st.floats() | st.integers()
COUNTED = (
    st.lists(numbers, max_size=3),
    st.none() | st.floats(),
    st.none() | st.floats(),
    st.lists(st.tuples(st.integers(0, 1), exemplar_of), max_size=1),
    st.none() | native_of,
)
FIELDS = {
    "counter": (numbers, st.none() | st.floats(), st.none() | exemplar_of),
    "gauge": (numbers, st.none() | st.floats()),
    "info": (numbers, st.none() | st.floats()),
    **dict.fromkeys(("histogram", "gaugehistogram", "summary"), COUNTED),
}


def group_of(kind):
    """A group, mostly with the fields of its kind, in which anything may be wrong."""
    row = st.tuples(mostly(st.just([])), *map(mostly, FIELDS[kind]))
    return st.tuples(
        mostly(st.sampled_from(["sum", "min", "mostrecent", "livemax", "all"])),
        mostly(st.just([])),
        st.just([]) | st.lists(st.sampled_from(["1", "2.5", "+Inf"]), max_size=3),
        mostly(st.integers(0, 9)),
        mostly(st.none(), st.sampled_from(["", "_sum", "_x"])),
        mostly(st.lists(mostly(row), max_size=2)),
    )


family_of = st.sampled_from([*FIELDS]).flatmap(
    lambda kind: st.tuples(
        mostly(st.just("other")), mostly(st.just(kind)), mostly(texts), mostly(st.just("")), mostly(group_of(kind))
    )
)
head_of = st.just([[1, 0, "", False], []])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=mostly(head_of, head_of), families=st.lists(mostly(family_of, family_of), max_size=3), alive=st.booleans()
)
def test_no_json_in_a_file_raises_or_costs_another_process_its_figures(tmp_path_factory, head, families, alive):
    """Whatever stands in it, and whether its process is alive: the figures of the others are exact."""
    group = Group(tmp_path_factory.mktemp("group"))
    living = group.process(3)
    group.process(4).abandon()
    content = bare(b"\n".join(json.dumps(line).encode() for line in [head, *families]))
    file = group.directory.own_file()
    file.write(content)
    if not alive:
        file.abandon()
    with suppress(IncompleteError):  # of the live process, until it ends
        group.directory.read()
    file.abandon()

    for _ in range(2):
        failed = []
        totals = Merge()
        for snapshot in group.directory.read():
            totals.add(snapshot)
        metrics = totals.metrics(failed.append)
        (found,) = [sample.value for metric in metrics for sample in metric.samples if sample.name == "c_total"]
        assert found == 7
        assert failed == []
        group.directory.settle()
    living.abandon()


def test_a_file_that_was_never_finished_is_removed_in_the_end(group):
    """Not at once: its process may be at it."""
    group.process(1).abandon()
    half = group.directory.path / "1-1.manometer.tmp"
    half.write_bytes(b"manometer-pro")
    group.directory.settle()
    assert half.exists()
    os.utime(half, (0, 0))
    with half.open("rb") as open_half:
        fcntl.flock(open_half, fcntl.LOCK_EX)
        group.directory.settle()
        assert half.exists()
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
