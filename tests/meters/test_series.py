"""The series of a family: found, made, capped and removed."""

import threading
from enum import Enum
from itertools import cycle, product

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry

from manometer import Counter, Gauge, Histogram
from waiting import DEADLINE, joined


def samples_of(meter):
    """What a collection of the meter says."""
    return meter.collect()[0].samples


def test_removals_remove_what_they_name():
    """One series, those that have some label values, or all."""
    counter = Counter("c", "Help.", ["a", "b"], registry=None)

    def left():
        return sorted("".join(values) for values, _ in counter.read())

    for a, b in product("123", "xyz"):
        counter.labels(a, b)
    counter.remove(1, "x")
    counter.remove(1, "x")
    assert left() == ["1y", "1z", "2x", "2y", "2z", "3x", "3y", "3z"]
    counter.remove_by_labels({"b": "y", "a": 2})
    assert left() == ["1y", "1z", "2x", "2z", "3x", "3y", "3z"]
    counter.remove_by_labels({"a": 3})
    counter.remove_by_labels({})
    assert left() == ["1y", "1z", "2x", "2z"]
    counter.remove_by_labels({"b": "z"})
    assert left() == ["1y", "2x"]
    counter.clear()
    assert left() == []


def test_a_meter_without_labels_cannot_be_cleared():
    """It goes on as it was, as in prometheus-client."""
    counter = Counter("c", "Help.", registry=None)
    counter.inc()
    counter.clear()
    assert counter.value == 1


@pytest.mark.parametrize("kind", [Counter, Gauge, Histogram])
@pytest.mark.parametrize("make", [lambda: None, CollectorRegistry])
def test_each_kind_has_a_cap_and_tells_of_folds(kind, make):
    """To whom it is asked to, on a registry too; to nobody where nobody is there to hear."""
    folded, registry = [], make()
    meter = kind("m", "Help.", ["l"], registry=registry, max_series=1, on_fold=folded.append)
    silent = kind("silent", "Help.", ["l"], registry=None, max_series=1)
    for each in (meter, silent):
        for value in range(3):
            each.labels(value)
        assert [values for values, _ in each.read()] == [("0",), ("other",)]
    assert folded == ["m"] * 2
    folded = {"manometer_family_name": "m"}
    assert registry is None or registry.get_sample_value("manometer_label_folds_total", folded) is None


def test_label_values_past_the_cap_fold_and_are_counted():
    """A flood of label values ends in `other`; what was there before goes on as it was."""
    folded = []
    counter = Counter("c", "Help.", ["user", "path"], registry=None, max_series=3, on_fold=folded.append)
    for user in range(10):
        counter.labels(user, "/").inc()
    counter.labels(0, "/").inc()
    found = {tuple(s.labels.values()): s.value for s in samples_of(counter) if s.name == "c_total"}
    assert found == {("0", "/"): 2, ("1", "/"): 1, ("2", "/"): 1, ("other", "other"): 7}
    assert folded == ["c"] * 7
    for values, folds in ((("0", "/"), False), (("0", "new"), True), (("other", "other"), False)):
        apart = counter.apart(values)
        assert (counter.expose(apart) is not apart) is folds
    counter.labels("new", "/").inc()
    assert counter.expose(counter.apart(("newer", "/"))) is counter.labels("other", "other")
    found = {tuple(s.labels.values()): s.value for s in samples_of(counter) if s.name == "c_total"}
    assert found == {("0", "/"): 0, ("1", "/"): 1, ("2", "/"): 1, ("other", "other"): 1}


def test_a_fold_is_counted_where_nobody_asked_for_it(caplog):
    """The registry tells of it by itself, and the log once."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["user"], registry=registry, max_series=3)
    for user in range(10):
        counter.labels(user).inc()
    assert registry.get_sample_value("manometer_label_folds_total", {"manometer_family_name": "c"}) == 7
    assert caplog.messages == [
        "c is at its cap of series, or a label value has over 2,048 characters: such are counted as 'other'"
    ]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_long_label_values_are_counted_as_other(figures, count):
    """They would take memory without end, whoever chooses them; one at the limit stays as it is."""
    names = [f"l{at}" for at in range(count)]
    counter = Counter("c", "Help.", names, registry=figures.registry)
    for number in range(3):
        for length in (2_048, 2_049, 100_000):
            counter.labels(*["y"] * (count - 1), str(number).rjust(length, "x")).inc()
    other = ("other",) * count
    found = {values: reading.total for values, reading in counter.read()}
    assert found.pop(other) == 6
    assert [len(values[-1]) for values in found] == [2_048] * 3
    assert figures("manometer_label_folds_total", manometer_family_name="c") == 6


def test_a_series_that_is_there_is_found_while_another_is_made():
    """No thread waits for a lock there."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    series, found = counter.labels("x"), []
    with counter._all._lock:
        finding = threading.Thread(target=lambda: found.append(counter.labels("x")))
        finding.start()
        joined(finding)
    assert found == [series]


def test_two_threads_get_the_same_new_series():
    """The one that came later does not put another in its place."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    asked, found = threading.Semaphore(0), []

    class Watched(dict):
        def __getitem__(self, values):
            asked.release()
            return super().__getitem__(values)

    counter._of_one = counter._all.lookup.of_one = Watched()
    threads = [threading.Thread(target=lambda: found.append(counter.labels("x"))) for _ in range(2)]
    with counter._all._lock:
        for thread in threads:
            thread.start()
        for _ in threads:
            assert asked.acquire(timeout=DEADLINE)
    joined(*threads)
    assert found == [counter.labels("x")] * 2


def test_a_child_is_shared():
    """The same label values, by position or name, are the same series."""
    counter = Counter("c", "Help.", ["a", "b"], registry=None)
    assert counter.labels("x", 1) is counter.labels(b="1", a="x")


class Colour(str, Enum):  # noqa: UP042 - a StrEnum is written as what it is equal to
    """A text that is written in another way than what it is equal to."""

    RED = "red"


class Moody:
    """Equal to all of its kind, of no hash, and of another text each time."""

    texts = iter("abc")

    def __eq__(self, other):
        return True

    def __str__(self):
        return next(self.texts)


@pytest.mark.parametrize(
    "values", [(1, True, 1.0), (Colour.RED, "red", str(Colour.RED)), (Moody(), Moody(), Moody()), (None, "None", b"")]
)
def test_a_value_is_its_text_whatever_it_is_equal_to(values):
    """By position and by name, of one label or of several, new and known."""
    for count in range(1, 6):
        names = [f"l{at}" for at in range(count)]
        ours = Counter("c", "Help.", names, registry=None)
        theirs = prometheus_client.Counter("c", "Help.", names, registry=None)
        Moody.texts = cycle("abc")
        for each in [*values, *values]:
            for kit in (ours, theirs):
                kit.labels(*[each] * count).inc()
                kit.labels(**dict.fromkeys(names, each)).inc()
        found = [
            {tuple(s.labels.values()): s.value for s in samples_of(each) if s.name == "c_total"}
            for each in (ours, theirs)
        ]
        assert found[0] == found[1]


def test_a_value_is_asked_for_its_text_once():
    """The text that is looked for is the one that a new series gets."""
    for count in range(1, 6):
        names = [f"l{at}" for at in range(count)]
        counter = Counter("c", "Help.", names, registry=None)
        Moody.texts = iter(map(str, range(2 * count)))
        counter.labels(*[Moody()] * count)
        counter.labels(**dict.fromkeys(names, Moody()))
        texts = list(map(str, range(2 * count)))
        assert [values for values, _ in counter.read()] == [tuple(texts[:count]), tuple(texts[count:])]


def test_a_text_that_cannot_be_made_reaches_the_caller():
    """It is no new series."""

    class Broken:
        def __str__(self):
            raise KeyError("mine")

    counter = Counter("c", "Help.", ["l"], registry=None)
    with pytest.raises(KeyError, match="mine"):
        counter.labels(Broken())
    assert counter.read() == []
