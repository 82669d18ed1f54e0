"""Bindings made, replaced, closed and orphaned at random, against an account that is kept apart."""

from collections import Counter as Tally

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from collected import collect
from manometer import Binding, BindingError
from manometer.catalogue import cache as rows
from manometer.instrumentation import subject_meters, ties
from manometer.instrumentation.subject import Subject

CAP = 4
names = st.sampled_from([f"c{number}" for number in range(2 * CAP)])


class Thing:
    """An object with entries; `events` is what its binding counts with."""

    def __init__(self, entries):
        self.entries = entries


class Bindings(RuleBasedStateMachine):
    """The account: who is bound under which name, who is folded, and what is counted of each."""

    def __init__(self):
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        for module in (subject_meters, ties):
            self.patched.setattr(module, "SERIES_CAP", CAP)
        self.registry = CollectorRegistry()
        self.subject = Subject.on(self.registry, "cache")
        self.things = []
        self.named = {}  # the number of the object that has the name
        self.folded = set()
        self.counted, self.other, self.folds = Tally(), 0, 0
        self.last = 0

    def teardown(self):
        self.patched.undo()

    @rule(name=names)
    def bind(self, name):
        self.last += 1
        thing = Thing(self.last)
        with self.subject.binding(thing, {"cache.name": name}) as binding:
            thing.events = binding.counter("cache.evictions", {"cache.eviction.cause": "capacity"})
            binding.pulls(lambda thing: [(rows.ENTRIES, {}, thing.entries)])
        self.things.append(thing)
        if name in self.named or len(self.named) < CAP:
            self.counted[name] = 0
            self.named[name] = thing.entries
        else:
            self.folded.add(thing.entries)
            self.folds += 1

    @rule(name=names)
    def fail_to_bind(self, name):
        free = name in self.named or len(self.named) < CAP
        with pytest.raises(ZeroDivisionError), self.subject.binding(Thing(0), {"cache.name": name}) as binding:
            1 / 0  # noqa: B018
        assert binding.closed
        self.folds += not free

    def any_thing(self, data):
        return data.draw(st.integers(0, len(self.things) - 1))

    def name_of(self, thing):
        return next((name for name, number in self.named.items() if number == thing.entries), None)

    @precondition(lambda self: self.things)
    @rule(data=st.data(), events=st.integers(1, 300))
    def count(self, data, events):
        thing = self.things[self.any_thing(data)]
        for _ in range(events):
            thing.events.inc()
        name = self.name_of(thing)
        if name is not None:
            self.counted[name] += events
        elif thing.entries in self.folded:
            self.other += events

    @precondition(lambda self: self.things)
    @rule(data=st.data(), name=names)
    def bind_again(self, data, name):
        thing = self.things[self.any_thing(data)]
        if self.name_of(thing) is not None or thing.entries in self.folded:
            with (
                pytest.raises(BindingError, match="already bound"),
                self.subject.binding(thing, {"cache.name": name}),
            ):
                pass

    @precondition(lambda self: self.things)
    @rule(data=st.data())
    def close(self, data):
        thing = self.things.pop(self.any_thing(data))
        self.forget(thing)
        try:
            Binding.of(thing).close()
        except BindingError:
            assert thing.entries not in self.folded  # it was replaced

    @precondition(lambda self: self.things)
    @rule(data=st.data())
    def die(self, data):
        self.forget(self.things.pop(self.any_thing(data)))

    def forget(self, thing):
        name = self.name_of(thing)
        if name is not None:
            del self.named[name], self.counted[name]

    @rule()
    def collect(self):
        self.check()

    @invariant()
    def all_is_told_often_enough(self):
        if self.last % 3:  # most of the time, nobody looks
            return
        self.check()

    def check(self):
        told = {}
        for family in collect(self.registry):
            for sample in family.samples:
                told.setdefault(sample.name, {})[sample.labels.get("cache_name", "")] = sample.value
        counted = dict(self.counted) | ({"other": self.other} if self.folded else {})
        assert told.get("cache_entries", {}) == self.named
        assert told.get("cache_evictions_total", {}) == counted
        assert told.get("manometer_label_folds_total", {}).get("", 0) == self.folds


TestBindings = Bindings.TestCase
TestBindings.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
