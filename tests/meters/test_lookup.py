"""Series are found by their label values alone, and the right ones, whatever came and went before."""

import sys
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from interrupting import interrupted
from manometer import Counter
from manometer.meters.lookup import Lookup

ONE = st.tuples(st.sampled_from("abc"))
TWO = st.tuples(st.integers(0, 40).map(str), st.sampled_from("ab")) | st.tuples(
    st.sampled_from("ab"), st.integers(0, 40).map(str)
)


def found(lookup, values):
    """What `labels` finds."""
    try:
        if len(values) == 1:
            return lookup.of_one[values[0]]
        first, second = values
        return lookup.by_first[first][second] if lookup.by_first else lookup.by_second[second][first]
    except KeyError:
        return None


def dictionaries(lookup):
    """How many there are for the sake of series of two label values."""
    return len(lookup.by_first) + len(lookup.by_second)


@given(st.lists(st.tuples(st.booleans(), ONE | TWO), max_size=200))
def test_what_is_found_is_what_is_there(steps):
    """However the dictionaries were turned in between."""
    lookup, there = Lookup(), {}
    for comes, values in steps:
        lookup.drop(values)
        there.pop(values, None)
        if comes:
            there[values] = object()
            lookup.put(values, there[values])
    assert all(found(lookup, values) is child for values, child in there.items())
    assert [values for _, values in steps if values not in there and found(lookup, values) is not None] == []


@pytest.mark.parametrize("step", [1, -1])
def test_a_label_of_many_values_has_no_dictionary_for_each(step):
    """Whichever of the two it is, and whichever was used before."""
    lookup = Lookup()
    for method in ("GET", "PUT"):
        for path in range(1000):
            lookup.put((f"/{path}", method)[::step], (path, method))
    assert dictionaries(lookup) == 2
    for path in range(990):
        lookup.drop((f"/{path}", "GET")[::step])
        lookup.drop((f"/{path}", "PUT")[::step])
    for method in range(100):
        lookup.put(("/999", f"M{method}")[::step], method)
    assert dictionaries(lookup) < 40
    assert found(lookup, ("/999", "M99")[::step]) == 99
    assert found(lookup, ("/5", "GET")[::step]) is None


@pytest.mark.parametrize("labels", [("a",), ("a", "b")])
def test_labels_of_another_number_find_nothing(labels):
    """No dictionary is taken for a series."""
    counter = Counter("c", "Help.", labels, registry=CollectorRegistry())
    counter.labels(*labels).inc()
    for wrong in ((), ("a",), ("a", "b"), ("a", "b", "c")):
        if len(wrong) != len(labels):
            with pytest.raises(ValueError, match="label"):
                counter.labels(*wrong)


def struck(at):
    """A lookup, and what there is, after steps of which a signal ended one at that line; and whether it did."""
    lookup, there, seen, traced = Lookup(), {}, 0, sys.gettrace()

    def strike(frame, event, _argument):
        nonlocal seen
        if frame.f_globals["__name__"] != "manometer.meters.lookup":
            return None
        seen += event == "line"
        if event == "line" and seen == at:
            raise KeyboardInterrupt
        return strike

    sys.settrace(strike)
    for number in [*range(40), *range(40)]:
        values = (str(number), "x") if number % 2 else ("x", str(number))
        try:
            lookup.drop(values)
            there.pop(values, None)
            there[values] = number
            lookup.put(values, number)
        except KeyboardInterrupt:
            continue
    sys.settrace(traced)
    return lookup, there, seen >= at


def test_a_signal_may_end_any_step_midway():
    """Whoever looks then finds the right series, or none and asks the family."""
    for at in count(1):
        lookup, there, ended = struck(at)
        assert all(found(lookup, values) in (number, None) for values, number in there.items())
        for values in there:
            lookup.drop(values)
            assert found(lookup, values) is None
        if not ended:
            break


USES = {
    "count": lambda counter, labels: counter.labels(*labels).inc(),
    "remove": lambda counter, labels: counter.remove(*labels),
    "replace": lambda counter, labels: counter.expose(counter.apart(labels)),
    "clear": lambda counter, _: counter.clear(),
}


@pytest.mark.parametrize("handler", USES)
@pytest.mark.parametrize("step", USES)
@pytest.mark.parametrize("labels", [("p",), ("p", "q"), ("p", "q", "r")])
def test_a_handler_may_use_the_family_amid_any_step(labels, step, handler):
    """What is found afterwards is what is shown: no event goes to a series that was removed."""
    for known in (True, False):
        for at in count(1):
            counter = Counter("c", "Help.", ["l", "k", "m"][: len(labels)], registry=None)
            counter.labels(*"xyz"[: len(labels)])
            if known:
                counter.labels(*labels)
            has_line = interrupted(
                lambda counter=counter: USES[step](counter, labels),
                lambda counter=counter: USES[handler](counter, labels),
                at,
            )
            counter.labels(*labels).inc(100)
            assert dict(counter.read())[labels].total >= 100
            if not has_line:
                break


@pytest.mark.parametrize("handler", ["remove", "replace", "count", "clear"])
def test_a_handler_may_use_the_family_amid_a_turn(handler):
    """The series that it removes is not found afterwards, and the others are."""
    for at in count(1):
        counter = Counter("c", "Help.", ["l", "k"], registry=None)
        for number in range(16):
            counter.labels("GET", number)
        assert counter._by_second
        has_line = interrupted(
            lambda counter=counter: counter.labels("GET", "16"),
            lambda counter=counter: USES[handler](counter, ("GET", "3")),
            at,
        )
        for number in range(17):
            counter.labels("GET", number).inc()
        assert [reading.total for _, reading in counter.read() if reading.total < 1] == []
        assert len(counter.read()) == 17
        if not has_line:
            break
