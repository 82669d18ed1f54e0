"""What a file lacks of a collection is written, and nothing else; what is read is the collection."""

import json
from collections import Counter as Tally

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manometer.meters.family import Family, Group
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading
from manometer.processes.file_head import Extent
from manometer.processes.file_reading import decode
from manometer.processes.file_writing import start
from manometer.processes.snapshot import Process
from manometer.processes.written import Update, Written


class File:
    """The lines of a file, and what it says."""

    def __init__(self):
        self.body, self.written = start(Process(1)), Written({})

    def update(self, *families):
        """Bring it up to date, and return the lines that this took."""
        update = Update(self.written)
        for family in families:
            update.tell([family])
        lines, self.written = update.done()
        self.body += b"".join(lines)
        return [json.loads(line) for line in lines]

    @property
    def series(self):
        """All series that a reader finds, and how often."""
        return rows(decode(Extent().extended(self.body).head + self.body).families)


def rows(families):
    """The series of the families with all that tells them apart, and how often each is there."""
    return Tally(
        repr((family[:-1], group._replace(series=()), each))
        for family in families
        for group in family.groups
        for each in group.series
    )


def counters(*series, name="c"):
    """A family of these totals, by the value of its label."""
    told = [((label,), CounterReading(total, 5.0)) for label, total in series]
    return Family(name, "counter", "Help.", "", [Group(("l",), told, merge_mode="sum")])


def test_a_series_that_changed_is_written_and_no_other():
    """By the number of its row."""
    file = File()
    (line,) = file.update(counters(("a", 1.0), ("b", 2.0), ("c", 3.0)))
    assert line[0] == "c"
    assert file.update(counters(("a", 1.0), ("b", 2.0), ("c", 3.0))) == []
    assert file.update(counters(("a", 1.0), ("b", 4.0), ("c", 3.0))) == [[None, [[1, 4.0, 5.0, None]]]]
    assert file.series == rows([counters(("a", 1.0), ("b", 4.0), ("c", 3.0))])


def test_a_new_series_is_written_as_one_and_a_series_that_is_gone_is_taken_back():
    """Wherever in its family it is; the others keep their rows."""
    file = File()
    file.update(counters(("a", 1.0), ("b", 2.0)))
    (line,) = file.update(counters(("a", 1.0), ("b", 2.0), ("c", 3.0)))
    assert line[-1][-1] == [[["c"], 3.0, 5.0, None]]
    assert file.update(counters(("b", 2.0), ("c", 4.0))) == [[None, [[2, 4.0, 5.0, None], [0]]]]
    assert file.series == rows([counters(("b", 2.0), ("c", 4.0))])
    assert file.update() == [[None, [[1], [2]]]]
    assert file.series == Tally()
    file.update(counters(("b", 7.0)))
    assert file.series == rows([counters(("b", 7.0))])


@pytest.mark.parametrize("before", [0.0, -0.0])
def test_a_zero_that_changed_its_sign_is_written(before):
    """As every scrape of the process itself shows it."""
    file = File()
    told = [
        Family("g", "gauge", "Help.", "", [Group((), [((), GaugeReading(value))], merge_mode="all")])
        for value in (before, -before)
    ]
    for family in told:
        file.update(family)
        assert file.series == rows([family])


def test_a_series_may_stand_in_several_rows():
    """As one that adds up with what it had come to before."""
    file = File()
    file.update(counters(("a", 1.0), ("a", 2.0)), counters(("a", 3.0)))
    told = counters(("b", 0.0), ("a", 1.0), ("a", 5.0)), counters(("a", 3.0))
    assert [line for line in file.update(*told) if line[0] is None] == [[None, [[1, 5.0, 5.0, None]]]]
    assert file.series == rows(told)


def test_what_cannot_be_written_leaves_no_trace():
    """Of all that is told of together: none of it, and the rest is written."""
    file, bad = File(), counters(("a", object()), name="bad")
    file.update(counters(("a", 1.0)))
    update = Update(file.written)
    update.tell([counters(("a", 2.0))])
    with pytest.raises(TypeError):
        update.tell([counters(("a", 3.0), name="d"), bad])
    update.tell([counters(("a", 4.0), name="e")])
    lines, file.written = update.done()
    file.body += b"".join(lines)
    assert file.series == rows([counters(("a", 2.0)), counters(("a", 4.0), name="e")])


values = st.sampled_from(["a", "b", "c"])
histograms = st.integers(0, 3).map(lambda count: HistogramReading((count, count + 1), 1.0))
wide = st.integers(0, 3).map(lambda count: HistogramReading((count, 3, 5), 1.0))
READINGS = {
    "counter": st.integers(0, 3).map(lambda total: CounterReading(float(total))),
    "gauge": st.floats(0, 2).map(GaugeReading),
    "histogram": st.one_of(histograms, wide),
}


@st.composite
def family(draw):
    """A family of one group, whose series may come again."""
    kind = draw(st.sampled_from([*READINGS]))
    series = draw(st.lists(st.tuples(st.tuples(values), READINGS[kind]), max_size=5))
    if kind == "histogram":
        width = {len(reading.running) for _, reading in series[:1]}
        series = [each for each in series if {len(each[1].running)} == width]
    bounds = ("1.0", "+Inf") if kind == "histogram" else ()
    return Family(draw(st.sampled_from("mn")), kind, "Help.", "", [Group(("l",), series, bounds, merge_mode="sum")])


@given(st.lists(st.lists(family(), max_size=4), max_size=8))
def test_a_file_says_what_the_last_collection_said(collections):
    """Whatever came, changed, went and came back."""
    file = File()
    for families in collections:
        file.update(*families)
        assert file.series == rows(families)
        assert file.update(*families) == []
