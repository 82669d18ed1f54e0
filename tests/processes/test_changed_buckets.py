"""Readings of a histogram whose buckets were changed, over the buckets of all."""

import pytest
from prometheus_client.samples import Exemplar

from manometer.meters.family import Group
from manometer.meters.readings import HistogramReading
from manometer.processes.changed_buckets import Head, over_all_buckets


def over_all(*parts):
    """The parts, each bounds and running counts, over the buckets of all."""
    heads = [Head(bounds, limit, len(running)) for limit, (bounds, running) in enumerate(parts)]
    head, readings = over_all_buckets(heads, [HistogramReading(running) for _, running in parts])
    assert head.native_limit == len(parts) - 1
    assert {len(reading.running) for reading in readings} == {head.counts}
    return head.bounds, [reading.running for reading in readings]


@pytest.mark.parametrize(
    ("parts", "bounds", "expected"),
    [
        (
            [(("1", "10", "+Inf"), (1, 2, 3)), (("2", "+Inf"), (4, 5))],
            ("1", "2", "10", "+Inf"),
            [(1, 1, 2, 3), (0, 4, 4, 5)],
        ),
        ([(("1", "+Inf"), (1, 3)), (("1",), (2, 5))], ("1", "+Inf"), [(1, 3, 3), (2, 5, 5)]),
        ([(("1",), (1, 3)), (("2",), (2, 5))], ("1", "2"), [(1, 1, 3), (0, 2, 5)]),
        ([((), (3,)), ((), ())], (), [(3,), (0,)]),
        ([((), (3,)), (("1", "+Inf"), (1, 2))], ("1", "+Inf"), [(0, 3, 3), (1, 2, 2)]),
        ([(("1", "+Inf"), (0.5, 3.0)), (("2", "+Inf"), (1, 2))], ("1", "2", "+Inf"), [(0.5, 0.5, 3.0), (0, 1, 2)]),
    ],
)
def test_a_bucket_that_a_reading_lacks_holds_what_is_known_of_it(parts, bounds, expected):
    """What the one below holds; the last one holds all. All events stand apart where one part tells them so."""
    assert over_all(*parts) == (bounds, expected)


def test_broken_counts_are_broken_throughout():
    """Whoever writes a reading looks at its last count alone."""
    _, readings = over_all((("1", "+Inf"), (0.5, 3.0)), (("2", "+Inf"), (1, 2)))
    assert [{type(count) for count in running} for running in readings] == [{float}, {int}]


def test_an_exemplar_stays_in_its_bucket():
    """By its bound."""
    exemplar = Exemplar({"a": "b"}, 1.5, 2.0)
    _, (reading, _) = over_all_buckets(
        [Head(("2", "+Inf"), 0, 2), Head(("1", "+Inf"), 0, 2)],
        [HistogramReading((1, 1), exemplars={0: exemplar}), HistogramReading((0, 0))],
    )
    assert reading.exemplars == {1: exemplar}


@pytest.mark.parametrize("running", [(), (1,), (1, 2, 3, 4)])
def test_other_counts_than_buckets_are_refused(running):
    """They could not be told apart."""
    head = Head.of(Group((), [((), HistogramReading(running))], ("1", "+Inf")))
    with pytest.raises(ValueError, match="a histogram of 2 buckets and"):
        over_all_buckets([head, head], [HistogramReading(running)] * 2)
