"""A contract notices an adapter that does not keep to it."""

import queue
import signal

import cachetools
import pybreaker
import pytest
import tenacity

from manometer import instrument_cache, instrument_queue
from manometer.adapter import Bind, CacheAdapter, CacheState, MappingMethods
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.subject import Subject
from manometer.testing import BreakerContract, CacheContract, QueueContract, RetryContract


class Kept(CacheContract):
    """A contract that the adapter of cachetools keeps to."""

    tells = ("lookups", "hits", "entries", "limit", "evictions")

    def make(self):
        return cachetools.LRUCache(2)

    def look_up(self, cache, key):
        value = cache.get(key)
        if value is None:
            cache[key] = value = key * 10
        return value


def broken(contract):
    """The tests of a contract that fail."""
    failed = set()
    for name in dir(contract):
        if name.startswith("test_"):
            try:
                getattr(contract(), name)()
            except AssertionError:
                failed.add(name)
    return failed


def test_a_contract_that_is_kept_fails_nowhere():
    """With whatever runs its methods."""
    assert broken(Kept) == set()


@pytest.mark.parametrize("tells", [("lookups",), (*Kept.tells, "loads"), ("entrees",)])
def test_figures_that_are_made_up_or_missing_are_noticed(tells):
    """One that is not declared has series, or one that is has none; or the word is no word of the contract's."""
    contract = type("Contract", (Kept,), {"tells": tells})
    assert "test_what_is_told_has_series_and_nothing_else_has" in broken(contract)


class Miscounting(Kept):
    """Looks each key up twice."""

    def look_up(self, cache, key):
        cache.get(key)
        return super().look_up(cache, key)


def test_wrong_figures_are_noticed():
    """Of what is used and what is told."""
    assert broken(Miscounting) == {"test_lookups_loads_entries_and_evictions_are_told"}


class Keeping(Kept):
    """Is held by something for ever, and stays measured after closing."""

    held = []  # noqa: RUF012 - shared on purpose

    def instrument(self, target, name, figures):
        measured = instrument_cache(target, name=name, registry=figures.registry)
        self.held.append(measured)
        Binding.of(measured)._tie.undo.clear()
        return measured


def test_what_is_left_behind_is_noticed(monkeypatch):
    """An object that does not die, and a class that is not given back."""
    monkeypatch.setattr("manometer.testing.contract.DEADLINE", 0.05)
    assert broken(Keeping) == {
        "test_an_object_that_dies_takes_its_series_with_it",
        "test_closing_removes_the_series_and_gives_the_object_back",
    }


def test_an_object_that_does_not_die_is_told_with_its_holder(monkeypatch):
    """A library may keep whatever it has made."""
    monkeypatch.setattr("manometer.testing.contract.DEADLINE", 0.05)
    monkeypatch.setattr(Keeping, "held", [])  # one that was made before a `gc.freeze` is not found
    with pytest.raises(AssertionError, match=r"it is held by list$"):
        Keeping().test_an_object_that_dies_takes_its_series_with_it()


def test_a_wait_within_a_scenario_hears_ctrl_c(monkeypatch):
    """The first one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr("manometer.testing.contract.gc.collect", lambda: signal.raise_signal(signal.SIGINT) or 0)
    try:
        with pytest.raises(KeyboardInterrupt):
            Keeping().test_an_object_that_dies_takes_its_series_with_it()
    finally:
        signal.signal(signal.SIGINT, before)


class Emptied(Kept):
    """Its adapter tells of entries that were cleared, and not of those that made room."""

    tells = ("lookups", "hits", "entries", "evictions")
    makes_room = False

    def instrument(self, target, name, figures):
        adapter = CacheAdapter(
            takes=cachetools.Cache,
            read=lambda cache: CacheState(entries=len(cache)),
            methods=MappingMethods(library=cachetools.Cache),  # without `evict`
        )
        return adapter(target, Bind(Subject.on(figures.registry, "cache"), {"cache.name": name}))


class Overfull(Emptied):
    """The same, with a contract that expects to be told."""

    makes_room = True


def test_an_adapter_need_not_tell_what_made_room():
    """It says so; one that does not is held to it."""
    assert broken(Emptied) == set()
    assert broken(Overfull) == {"test_lookups_loads_entries_and_evictions_are_told"}


class Untimed(QueueContract):
    """Is measured by another clock than the contract's."""

    tells = ("items", "limit", "rejections")

    def make(self):
        return queue.Queue(2)

    def instrument(self, target, name, figures):
        from manometer.instrumentation.clock import measure_by

        measure_by(figures.registry, lambda: 0.0)
        return instrument_queue(target, name=name, registry=figures.registry)


def test_waits_that_are_not_timed_are_noticed():
    """By the sum of their seconds."""
    assert broken(Untimed) == {"test_depth_comings_goings_and_waits_are_told"}


class Patient(QueueContract):
    """Declares a refusal, and puts the item in where there is a place for it."""

    tells = ("items", "limit", "rejections")
    refusal = queue.Full

    def make(self):
        return queue.Queue(3)

    def put_in_vain(self, target, item):
        target.put_nowait(item)


def test_a_refusal_that_does_not_come_is_noticed():
    """The queue has a place left, or the exception is another one."""
    assert "test_an_item_that_is_refused_is_told" in broken(Patient)


class Tireless(RetryContract):
    """Makes one attempt more than the contract allows."""

    def make(self):
        return tenacity.Retrying(stop=tenacity.stop_after_attempt(3))

    def call(self, retry, function):
        return retry(function)


def test_retries_that_do_not_end_when_they_should_are_noticed():
    """By the attempts that were made."""
    assert broken(Tireless) == {"test_attempts_are_told_by_what_follows"}


class Lenient(BreakerContract):
    """Opens at the third failure, and not at the second."""

    tells = ("calls", "changes")
    refusal = pybreaker.CircuitBreakerError

    def make(self):
        return pybreaker.CircuitBreaker(fail_max=3)

    def call(self, breaker, function):
        return breaker.call(function)

    def let_try(self, breaker):
        breaker.half_open()


def test_a_breaker_that_does_not_open_is_noticed():
    """By its state; and a figure that is not declared, by its series."""
    assert broken(Lenient) == {"test_states_calls_and_changes_are_told"}
    silent = type("Silent", (Lenient,), {"tells": ()})
    assert "test_what_is_told_has_series_and_nothing_else_has" in broken(silent)
