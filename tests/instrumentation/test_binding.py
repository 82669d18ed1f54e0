"""Bindings own their series, whatever the subject."""

import functools
import gc
import logging
import threading
from contextlib import ExitStack
from functools import partial
from itertools import count
from unittest.mock import Mock

import pytest
from cachetools import LRUCache
from prometheus_client import CollectorRegistry

from interrupting import interrupted
from manometer import (
    Binding,
    BindingError,
    Counter,
    Gauge,
    MetricError,
    UnsupportedError,
    instrument_cache,
    instrument_retry,
)
from manometer.catalogue import cache as rows
from manometer.instrumentation import subject as module
from manometer.instrumentation.subject import Subject
from manometer.meters.labels import SERIES_CAP
from manometer.testing import Figures
from waiting import DEADLINE, joined


class Thing:
    """An object to bind."""


class Slotted:
    """An object that nothing can refer to weakly."""

    __slots__ = ()


def test_closing_removes_exactly_the_bindings_own_series(figures):
    """A sibling's series and the sibling's instrumentation stay."""
    one = instrument_cache(LRUCache(1), name="one", registry=figures.registry)
    two = instrument_cache(LRUCache(1), name="two", registry=figures.registry)
    Binding.of(one).close()
    two.get("x")
    one.get("x")
    assert figures("cache_requests_total", cache_name="two", cache_request_type="miss") == 1
    assert figures.all("cache_entries", "cache_name") == {"two": 0}
    assert figures("cache_requests_total", cache_name="one", cache_request_type="miss") is None


def test_closing_twice_and_leaving_a_block_are_fine(figures):
    """A Binding is a context manager, and its end is final."""
    cache = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    with Binding.of(cache) as binding:
        assert repr(binding) == "<Binding cache/c open>"
    binding.close()
    assert binding.closed
    assert repr(binding) == "<Binding cache/c closed>"
    with pytest.raises(BindingError, match=f"LRUCache at {id(cache):#x} is not bound; pass what instrument_cache"):
        Binding.of(cache)


def test_an_object_that_cannot_be_referred_to_weakly_is_bound_until_its_binding_closes(figures):
    """Its figures are read, though nobody else holds it."""
    with Subject.on(figures.registry, "cache").binding(Slotted(), {"cache.name": "c"}) as binding:
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 7)])
    assert figures("cache_entries", cache_name="c") == 7
    binding.close()
    assert figures("cache_entries", cache_name="c") is None


def test_the_binding_that_is_found_equals_the_one_that_was_made(figures):
    """So that a program can keep bindings in a set."""
    one, two = Thing(), Thing()
    subject = Subject.on(figures.registry, "cache")
    with subject.binding(one, {"cache.name": "one"}) as first, subject.binding(two, {"cache.name": "two"}):
        pass
    assert {first, Binding.of(one)} == {first}
    assert Binding.of(two) != first


def test_a_second_object_under_a_name_replaces_the_first(figures):
    """The series start again from zero, and the first object writes to nowhere."""
    first = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    first.get("x")
    second = instrument_cache(LRUCache(9), name="c", registry=figures.registry)
    first.get("x")
    assert figures("cache_requests_total", cache_name="c", cache_request_type="miss") == 0
    assert figures("cache_entry_limit", cache_name="c") == 9
    assert not Binding.of(second).closed


def test_one_object_is_not_bound_twice(figures):
    """Its hooks would count each event twice."""
    cache = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    with pytest.raises(BindingError, match="already bound; close its Binding first"):
        instrument_cache(cache, name="again", registry=figures.registry)
    Binding.of(cache).close()
    instrument_cache(cache, name="again", registry=figures.registry)


def test_the_series_of_a_dead_object_go_with_the_next_collection(figures):
    """A binding does not keep its object alive, and shows no NaN for it."""
    cache = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    assert figures("cache_entries", cache_name="c") == 0
    del cache
    gc.collect()
    figures("cache_entries")
    assert figures("cache_entries", cache_name="c") is None
    assert figures("cache_requests_total", cache_name="c", cache_request_type="hit") is None


def test_a_reading_that_raises_loses_only_its_own_object(figures, caplog):
    """The failure is counted under the object's path, and its siblings are read."""
    subject = Subject.on(figures.registry, "cache")
    bad, good = Thing(), Thing()
    with subject.binding(bad, {"cache.name": "bad"}) as binding:
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 1 / 0)])
    with subject.binding(good, {"cache.name": "good"}) as binding:
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 7)])
    with caplog.at_level(logging.ERROR):
        assert figures.all("cache_entries", "cache_name") == {"good": 7}
    assert figures("manometer_collect_failures_total", manometer_collector_name="cache/bad") == 2
    assert caplog.text.count("the reading of 'cache/bad' failed") == 1


def test_an_object_that_dies_amid_a_collection_loses_only_its_own_figures(figures):
    """Those that are read after it are told."""
    subject = Subject.on(figures.registry, "cache")
    killer, dying, last = Thing(), [Thing()], Thing()
    with subject.binding(killer, {"cache.name": "killer"}) as binding:
        binding.pulls(lambda _: dying.clear() or [(rows.ENTRIES, {}, 1)])
    with subject.binding(dying[0], {"cache.name": "dying"}) as binding:
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 2)])
    with subject.binding(last, {"cache.name": "last"}) as binding:
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 3)])
    assert figures.all("cache_entries", "cache_name") == {"killer": 1, "last": 3}


def test_what_is_pulled_is_told_after_what_was_pushed_has_gone(figures):
    """They share a family, which stays for as long as either has a series."""
    pushed = instrument_cache(LRUCache(1), name="pushed", registry=figures.registry)
    pulled = instrument_cache(functools.lru_cache(abs), name="pulled", registry=figures.registry)
    pulled(1)
    Binding.of(pushed).close()
    assert figures("cache_requests_total", cache_request_type="miss") == 1
    Binding.of(pulled).close()
    assert figures("cache_requests_total", cache_request_type="miss") is None


def test_events_that_a_library_hides_are_pushed_through_the_binding(figures):
    """The catalogue's other figures are reached by their OpenTelemetry names."""
    cache = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    used = Binding.of(cache).counter("cache.prefetches", {"cache.prefetch.outcome": "used"})
    used.inc(3)
    assert Binding.of(cache).counter("cache.prefetches", {"cache.prefetch.outcome": "used"}) is used
    assert figures("cache_prefetches_total", cache_name="c", cache_prefetch_outcome="used") == 3


def test_a_state_may_be_pushed_through_the_binding(figures):
    """For a library that tells of each change and cannot be asked."""
    thing = Thing()
    with Subject.on(figures.registry, "cache").binding(thing, {"cache.name": "c"}) as binding:
        binding.gauge("cache.entries").set(7)
    assert figures("cache_entries", cache_name="c") == 7
    binding.close()
    assert figures("cache_entries", cache_name="c") is None


@pytest.mark.parametrize(
    ("ask", "part"),
    [
        (lambda b: b.counter("cache.nonsense"), "no metric of a cache; it has cache.requests, cache.evictions, "),
        (lambda b: b.counter("cache.requests"), "has the attributes"),
        (lambda b: b.counter("cache.requests", {"cache.request.type": "perhaps"}), "one of hit, miss"),
        (lambda b: b.histogram("cache.requests", {"cache.request.type": "hit"}), "is a counter"),
    ],
)
def test_a_wrong_name_or_attribute_is_refused(figures, ask, part):
    """The message names what there is."""
    cache = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    with pytest.raises((BindingError, MetricError), match=part):
        ask(Binding.of(cache))


@pytest.mark.parametrize("name", ["", None, 7])
def test_a_name_is_text(figures, name):
    """An object without a proper name is refused before anything is registered for it."""
    with pytest.raises(
        BindingError, match=f"the cache.name of a LRUCache is {name!r}; give it a short name, as text"
    ):
        instrument_cache(LRUCache(1), name=name, registry=figures.registry)


def test_a_name_can_be_written(figures):
    """Half of a surrogate pair would fail every scrape."""
    with pytest.raises(BindingError, match="is no text that UTF-8 can write"):
        instrument_cache(LRUCache(1), name="\ud800", registry=figures.registry)


@pytest.mark.parametrize("instrument", [
    lambda registry: instrument_cache(object(), name="c", registry=registry),
    lambda registry: instrument_cache({}, name="c", registry=registry),
    lambda registry: instrument_retry(len, operation="o", registry=registry),
])  # fmt: skip
def test_a_strange_object_is_refused_with_what_is_taken(figures, instrument):
    """The message says what to pass."""
    with pytest.raises(UnsupportedError, match=r"pass|decorate"):
        instrument(figures.registry)


def test_a_flood_of_names_folds_into_other(figures):
    """What is pushed of the excess goes to `other`, by cause; nothing of it is pulled, and the fold is counted."""
    subject, causes = Subject.on(figures.registry, "cache"), rows.EVICTIONS.values["cache.eviction.cause"]
    kept = []
    for number in range(SERIES_CAP + 5):
        thing = Thing()
        kept.append(thing)
        with subject.binding(thing, {"cache.name": str(number)}) as binding:
            for cause in causes:
                binding.counter("cache.evictions", {"cache.eviction.cause": cause}).inc()
            binding.pulls(lambda _: [(rows.ENTRIES, {}, 1)])
    assert len(figures.all("cache_evictions_total", "cache_name")) == SERIES_CAP + 1
    assert len(figures.all("cache_entries", "cache_name")) == SERIES_CAP
    assert figures.all("manometer_label_folds_total", "manometer_family_name") == {"cache": 5}
    Binding.of(kept[-1]).close()
    for cause in causes:
        assert figures("cache_evictions_total", cache_name="other", cache_eviction_cause=cause) == 5


def test_two_threads_that_make_a_series_at_once_share_it(figures, monkeypatch):
    """The first event of a kind, on two threads in one moment, is counted by both of them."""
    subject, thing = Subject.on(figures.registry, "cache"), Thing()
    with subject.binding(thing, {"cache.name": "c"}) as binding:
        pass
    lock, both = subject.meters.lock, threading.Barrier(2)

    class Met:
        """The lock, which a thread takes only when the other one is about to take it too."""

        def __enter__(self):
            both.wait(DEADLINE)
            return lock.__enter__()

        def __exit__(self, *exc):
            lock.__exit__(*exc)

    def count():
        binding.counter("cache.evictions", {"cache.eviction.cause": "cleared"}).inc()

    threads = [threading.Thread(target=count) for _ in range(2)]
    with monkeypatch.context() as patched:
        patched.setattr(subject.meters, "lock", Met())
        for thread in threads:
            thread.start()
        joined(*threads)
    assert figures("cache_evictions_total", cache_eviction_cause="cleared") == 2


def test_a_closed_binding_gives_out_no_series(figures):
    """It would take the place of those of the binding that came after it."""
    first = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    binding = Binding.of(first)
    second = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    second.get("x")
    with pytest.raises(BindingError, match="closed; instrument the object again"):
        binding.counter("cache.prefetches", {"cache.prefetch.outcome": "used"})
    assert figures("cache_requests_total", cache_request_type="miss") == 1


def test_replacing_a_binding_leaves_no_gap(figures):
    """Every collection amid replacements finds the series, of the one object or of the other."""
    caches = [LRUCache(1) for _ in range(300)]
    instrument_cache(LRUCache(1), name="c", registry=figures.registry)

    def replace():
        for cache in caches:
            instrument_cache(cache, name="c", registry=figures.registry)

    replacing = threading.Thread(target=replace)
    kept = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    replacing.start()
    while replacing.is_alive():
        assert figures("cache_requests_total", cache_name="c", cache_request_type="hit") is not None
        assert figures("cache_entries", cache_name="c") is not None
    joined(replacing)
    assert kept.maxsize == 1


def test_a_set_up_that_fails_leaves_nothing_behind(figures):
    """No series, no claim on the object, and what was done is undone."""
    subject = Subject.on(figures.registry, "cache")
    thing, undone = Thing(), []

    def set_up():
        with subject.binding(thing, {"cache.name": "c"}) as binding:
            binding.counter("cache.evictions", {"cache.eviction.cause": "expired"}).inc()
            binding.undoes(undone.append)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        set_up()
    assert undone == [thing]
    assert figures("cache_evictions_total") is None
    with subject.binding(thing, {"cache.name": "c"}):
        pass


def test_a_set_up_that_fails_leaves_the_earlier_object_under_its_name_measured(figures):
    """Its series are in no collection before the set-up is done."""
    earlier = instrument_cache(LRUCache(1), name="c", registry=figures.registry)
    earlier.get("x")

    def misses():
        return figures("cache_requests_total", cache_name="c", cache_request_type="miss")

    def set_up(thing):
        with Subject.on(figures.registry, "cache").binding(thing, {"cache.name": "c"}) as binding:
            binding.counter("cache.requests", {"cache.request.type": "miss"}).inc(7)
            assert misses() == 1
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            set_up(Thing())
    earlier.get("x")
    assert misses() == 2
    assert not Binding.of(earlier).closed


def test_a_binding_that_is_closed_within_its_set_up_shows_nothing(figures):
    """Its place is free for another."""
    subject = Subject.on(figures.registry, "cache")
    thing, other = Thing(), Thing()
    with subject.binding(thing, {"cache.name": "c"}) as binding:
        binding.counter("cache.requests", {"cache.request.type": "miss"}).inc()
        binding.close()
    assert figures("cache_requests_total") is None
    assert subject.bound({"cache.name": "c"}) is None
    with subject.binding(other, {"cache.name": "c"}):
        pass
    assert Binding.of(other) == subject.bound({"cache.name": "c"})


def test_objects_that_are_set_up_at_once_keep_their_events_at_the_cap(figures, monkeypatch):
    """There may be one too many of them, and none has nothing to count in."""
    for name in ("ties", "subject_meters"):
        monkeypatch.setattr(f"manometer.instrumentation.{name}.SERIES_CAP", 1)
    subject, things = Subject.on(figures.registry, "cache"), [Thing() for _ in range(4)]
    with ExitStack() as set_ups:
        for number, thing in enumerate(things):
            binding = set_ups.enter_context(subject.binding(thing, {"cache.name": f"c{number}"}))
            for kind in ("hit", "miss"):
                binding.counter("cache.requests", {"cache.request.type": kind}).inc(10)
    for number in range(4):
        for kind in ("hit", "miss"):
            assert figures("cache_requests_total", cache_name=f"c{number}", cache_request_type=kind) == 10


def test_a_set_up_that_an_exception_ends_at_last_is_undone(figures, monkeypatch):
    """Out of a signal handler, say, as its series are shown."""
    subject, thing, undone = Subject.on(figures.registry, "cache"), Thing(), []

    def set_up():
        with subject.binding(thing, {"cache.name": "c"}) as binding:
            binding.counter("cache.requests", {"cache.request.type": "miss"})
            binding.undoes(undone.append)

    with monkeypatch.context() as patch:
        patch.setattr(Counter, "expose", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            set_up()
    assert undone == [thing]
    with subject.binding(thing, {"cache.name": "c"}):
        pass


def test_an_event_may_come_amid_the_showing_of_the_series():
    """Of a finalizer on the same thread, say; it has a series of its own, which is shown too."""
    for at in count(1):
        figures, thing = Figures(CollectorRegistry()), Thing()
        with ExitStack() as set_up:
            binding = set_up.enter_context(Subject.on(figures.registry, "cache").binding(thing, {"cache.name": "c"}))
            binding.counter("cache.requests", {"cache.request.type": "miss"}).inc()
            hit = partial(binding.counter, "cache.requests", {"cache.request.type": "hit"})
            has_place = interrupted(set_up.close, lambda hit=hit: hit().inc(3), at)
        assert figures("cache_requests_total", cache_request_type="miss") == 1
        if not has_place:
            break
        assert figures("cache_requests_total", cache_request_type="hit") == 3


def test_a_second_set_up_of_an_object_that_fails_leaves_its_binding_to_be_found(figures):
    """Also where it changes another thing than the first did."""
    thing = Thing()
    subject = Subject.on(figures.registry, "cache")
    with subject.binding(thing, {"cache.name": "one"}) as binding:
        pass

    def set_up():
        with subject.binding(thing, {"cache.name": "two"}, owned=Thing()):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        set_up()
    assert Binding.of(thing) == binding


def test_a_failing_undo_reaches_nobody(figures, caplog):
    """Closing goes on with the next; the program hears of it in its log."""
    thing, undone = Thing(), []
    with Subject.on(figures.registry, "cache").binding(thing, {"cache.name": "c"}) as binding:
        binding.undoes(lambda _: 1 / 0)
        binding.undoes(undone.append)
    binding.close()
    assert undone == [thing]
    assert caplog.messages == [
        "<Binding cache/c closed> could not be taken off in full; what is left of it counts nothing"
    ]


def test_nothing_is_undone_on_an_object_that_died(figures):
    """There is nothing to take the instrumentation off."""
    thing, undone = Thing(), []
    with Subject.on(figures.registry, "cache").binding(thing, {"cache.name": "c"}) as binding:
        binding.undoes(undone.append)
    del thing
    gc.collect()
    binding.close()
    assert (undone, binding.closed) == ([], True)


def test_a_name_that_is_taken_by_a_metric_is_an_error_of_ours(figures):
    """It says what to do, in the place of prometheus-client's bare list."""
    Gauge("cache_entries", "The program's own.", registry=figures.registry)
    with pytest.raises(MetricError, match="give one of the two another name"):
        instrument_cache(LRUCache(1), name="c", registry=figures.registry)


def test_dead_objects_leave_room_at_once(figures):
    """Thousands that come and go, with no collection in between, fold nobody."""
    subject = Subject.on(figures.registry, "cache")
    for number in range(SERIES_CAP + 1_000):
        with subject.binding(Thing(), {"cache.name": f"gone {number}"}) as binding:
            binding.counter("cache.evictions", {"cache.eviction.cause": "capacity"}).inc()
    live = Thing()
    with subject.binding(live, {"cache.name": "live"}) as binding:
        binding.counter("cache.evictions", {"cache.eviction.cause": "capacity"}).inc()
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 7)])
    assert figures("cache_entries", cache_name="live") == 7
    assert figures.all("cache_evictions_total", "cache_name") == {"live": 1}
    assert figures("manometer_label_folds_total") is None


def test_folded_objects_make_room_when_those_before_them_die(figures):
    """The next object that is bound has series of its own; what is dead of the folded is forgotten."""
    subject = Subject.on(figures.registry, "cache")
    things = [Thing() for _ in range(SERIES_CAP + 3)]
    for number, thing in enumerate(things):
        with subject.binding(thing, {"cache.name": str(number)}):
            pass
    assert len(subject.ties._past_cap) == 3
    del thing, things
    live = Thing()
    with subject.binding(live, {"cache.name": "live"}) as binding:
        binding.pulls(lambda _: [(rows.ENTRIES, {}, 7)])
    assert figures.all("cache_entries", "cache_name") == {"live": 7}
    assert (len(subject.ties._past_cap), len(subject.ties._dead)) == (0, 0)


def test_an_object_may_die_amid_a_binding_or_a_collection(figures):
    """A finalizer takes no lock of ours, whichever one another thread holds."""
    subject = Subject.on(figures.registry, "cache")
    things = [Thing()]
    with subject.binding(things[0], {"cache.name": "c"}):
        pass
    with subject.meters.lock:
        dying = threading.Thread(target=things.clear)
        dying.start()
        dying.join(DEADLINE)
        assert not dying.is_alive()
    figures("cache_entries")
    assert not subject.ties._by_identity


def test_a_subject_that_is_there_is_found_whoever_makes_another(figures):
    """A finalizer asks for it amid anything, so it takes no lock."""
    subject, found = Subject.on(figures.registry, "cache"), []
    with module._subjects_lock:
        asking = threading.Thread(target=lambda: found.append(Subject.on(figures.registry, "cache")), daemon=True)
        asking.start()
        asking.join(DEADLINE)
        assert found == [subject]


def test_a_second_binding_without_a_name_is_refused(figures):
    """The first would be removed in silence."""
    subject = Subject.on(figures.registry, "host")
    first, second = Thing(), Thing()
    with subject.binding(first) as binding:
        pass
    with pytest.raises(BindingError, match="the host is already bound on this registry; close its Binding first"):
        subject.binding(second).__enter__()
    binding.close()
    with subject.binding(second):
        pass
    del second
    with subject.binding(first):
        pass
