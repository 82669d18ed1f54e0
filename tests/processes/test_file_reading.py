"""The form of a snapshot in a file: what was written is read."""

from math import inf

import pytest
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.meters.family import Family, Group
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading
from manometer.processes.file_head import AlienError, UnreadableError
from manometer.processes.file_reading import decode
from manometer.processes.file_writing import encode
from manometer.processes.snapshot import Process, Snapshot


def test_what_was_written_is_read():
    """Down to whose it is; a large family comes in parts, so that no other thread waits for all of it."""
    head = {"name": "c", "kind": "counter", "help": 'Of "ü"\n.', "unit": "m"}
    series = [((f"\n{number}",), CounterReading(number + 0.1, 5.0)) for number in range(601)]
    process = Process(5, 2, "5.2-1.manometer", True)
    group = Group(("l",), series, merge_mode="sum")
    snapshot = Snapshot(process, [Family(**head, groups=[group])], includes=["a", "b"])
    found = decode(encode(snapshot))
    assert (found.process, found.includes, found.alive) == (process, ["a", "b"], True)
    assert {each[:-1] for each in found.families} == {tuple(head.values())}
    groups = [group for family in found.families for group in family.groups]
    assert {each._replace(series=()) for each in groups} == {group._replace(series=())}
    assert [each for group in groups for each in group.series] == series
    assert [len(group.series) for group in groups] == [250, 250, 101]


READINGS = {
    "counter": CounterReading(1e300, 5.5, Exemplar({"a": "b"}, 1.0, 2.0)),
    "gauge": GaugeReading(-0.5, 7.0),
    "unknown": GaugeReading(inf),
    "summary": HistogramReading((2**60 + 1,), -1.5, 5.0),
    "gaugehistogram": HistogramReading((0.5, 2.0), exemplars={1: Exemplar({}, 1.0, None)}),
    "histogram": HistogramReading(
        (1, 3),
        native=NativeHistogram(3, 1.5, 3, 0.0, 0, [BucketSpan(0, 2)], [], [1, 1], [], [Exemplar({}, 1.0, 2.0)]),
    ),
}


@pytest.mark.parametrize("kind", READINGS)
def test_a_reading_of_any_kind_is_read_as_it_was_written(kind):
    """To the last digit of a count, and to the exemplar."""
    bounds = ("1.0", "+Inf") if "histogram" in kind else ()
    group = Group((), [((), READINGS[kind])], bounds, 160, None, "sum")
    (found,) = decode(encode(Snapshot(Process(1), [Family("m", kind, "Help.", "", [group])]))).families
    assert found == Family("m", kind, "Help.", "", [group])
    assert type(found.series[0][1]) is type(READINGS[kind])


def test_text_that_no_exposition_could_hold_is_written_as_far_as_it_can_be():
    """Half a surrogate pair is no character."""
    group = Group((), [((), GaugeReading(1.0))], merge_mode="sum")
    found = decode(encode(Snapshot(Process(1), [Family("g", "gauge", "a\ud800b", "", [group])])))
    assert found.families[0].help == "a?b"


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"manometer-processes 2 new things", AlienError),
        (b"manometer-processes 10 things", AlienError),
        (b"manometer-processes 1 things", UnreadableError),
        (b"manometer-processes x things", UnreadableError),
        (b"manometer-processes 2", UnreadableError),
        (b"manometer-processes\t2 things", UnreadableError),
        (b"someone-else 2 things", UnreadableError),
    ],
)
def test_a_file_of_another_version_is_told_from_a_damaged_one(head, error):
    """It is not ours to replace."""
    with pytest.raises(UnreadableError) as raised:
        decode(head + b"\n[]")
    assert type(raised.value) is error
