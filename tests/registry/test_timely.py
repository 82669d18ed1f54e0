"""A collector that hangs costs its own series, once the time that it has, and one thread."""

import gc
import itertools
import signal
import threading
import weakref
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from forking import in_child
from holding import Held, StillClock, collecting, released
from manometer import Counter, Gauge
from manometer.errors import IncompleteError
from manometer.registry import limits, rounds, timely
from manometer.registry.collection import as_metric, collect, to_read
from manometer.registry.limits import Limits
from manometer.registry.self_metrics import SelfMetrics
from manometer.registry.timely import collect_in_time
from waiting import DEADLINE, until

SHORT = Limits(each=0.5)
LONG = Limits(each=DEADLINE)


@pytest.fixture(autouse=True)
def _nothing_hangs_longer_than_its_test():
    yield
    released()


@pytest.fixture
def clock(monkeypatch):
    """Time for the collections, which stands still."""
    clock = StillClock()
    clock.stands_for(monkeypatch, rounds, limits)
    return clock


@pytest.fixture
def registry():
    """A registry with a counter at 1 on either side of what a test puts there."""
    found = CollectorRegistry()
    Counter("first", "Help.", registry=found).inc()
    return found


def values(found):
    """The samples of the program's own."""
    return {
        sample.name: sample.value
        for metric in map(as_metric, found)
        for sample in metric.samples
        if not sample.name.startswith("manometer_") and not sample.name.endswith("_created")
    }


def without(held, registry, clock, limits=SHORT):
    """What a collection finds in which that collector hangs, and all others answer."""
    others = len(to_read(registry, ())) - 1
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), limits)
        clock.pass_by(held, lambda: len(_rounds_of(registry)._current.told) == others)
        return values(found.result())


def _rounds_of(registry):
    return timely._rounds[registry]


def failures(registry, name):
    """How often the collector failed."""
    return registry.get_sample_value("manometer_collect_failures_total", {"manometer_collector_name": name})


def test_all_that_answer_are_told_as_by_collect(registry):
    """In the order in which they were registered, with what the kit measures of itself."""
    Held(registry, may=True)
    Counter("last", "Help.", registry=registry).inc()
    assert [each.name for each in collect_in_time(registry)] == [each.name for each in collect(registry)]
    assert next(each.name for each in collect_in_time(registry, ["last_total"])) == "last"
    until(lambda: collecting() == 0)


def test_one_that_hangs_loses_its_own_series(registry, caplog, clock):
    """It is counted at every collection, named once, and not read again until it has answered."""
    held = Held(registry)
    Counter("last", "Help.", registry=registry).inc()
    assert without(held, registry, clock) == {"first_total": 1, "last_total": 1}
    assert failures(registry, "Held") == 1
    for number in (2, 3):
        assert values(collect_in_time(registry, limits=SHORT)) == {"first_total": 1, "last_total": 1}
        assert failures(registry, "Held") == number
    assert (held.calls, collecting()) == (1, 1)
    (message,) = [record for record in caplog.records if "'Held' failed" in record.message]
    assert "it has not answered in time, and is at line " in str(message.exc_info[1])
    assert str(message.exc_info[1]).endswith("holding.py")  # and not threading.py, within which it is
    held.may.set()
    until(lambda: collecting() == 0)
    assert values(collect_in_time(registry, limits=SHORT))["held"] == 2
    assert failures(registry, "Held") == 3


def test_those_that_are_slow_are_slow_beside_each_other(registry):
    """Each has its time from its own beginning, and a quick one behind them waits for none."""
    slow = [Held(registry, f"slow{number}") for number in range(4)]
    quick = Held(registry, "quick", may=True)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), LONG)
        for each in [*slow, quick]:
            assert each.entered.acquire(timeout=DEADLINE)
        for each in slow:
            each.may.set()
        assert values(found.result()) == {"first_total": 1, "quick": 1} | {f"slow{number}": 1 for number in range(4)}


def test_whoever_asks_amid_a_collection_shares_the_next(registry):
    """So none is told what was before it asked, and there are never more than two."""
    held, counter = Held(registry), Counter("c", "Help.", registry=registry)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(collect_in_time, registry, (), LONG)
        assert held.entered.acquire(timeout=DEADLINE)
        counter.inc()
        others = [pool.submit(collect_in_time, registry, (), LONG) for _ in range(8)]
        until(lambda: _waiting(registry) == 8)
        held.may.set()
        assert values(first.result())["held"] == 1
        found = [each.result() for each in others]
    assert held.calls == 2
    assert [values(each) for each in found] == [{"first_total": 1, "held": 2, "c_total": 1}] * 8
    assert len({id(each) for each in found}) == 1


def _waiting(registry):
    """How many wait for the next collection."""
    upcoming = _rounds_of(registry)._next
    return upcoming.waiting if upcoming else 0


def test_who_cannot_wait_for_all_is_told_what_there_is(registry, clock):
    """By the time that it has itself."""
    held = Held(registry)
    late = Limits(each=DEADLINE, all=0.5)
    assert without(held, registry, clock, late) == {"first_total": 1}
    assert failures(registry, "Held") == 1
    held.may.set()
    until(lambda: collecting() == 0)
    assert values(collect_in_time(registry, limits=late)) == {"first_total": 1, "held": 2}


def test_who_cannot_wait_for_the_collection_before_is_told_so(registry):
    """Rather than that there is nothing."""
    held = Held(registry)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(collect_in_time, registry, (), LONG)
        assert held.entered.acquire(timeout=DEADLINE)
        with pytest.raises(IncompleteError, match="no collection could begin in time"):
            collect_in_time(registry, limits=Limits(all=0.1))
        held.may.set()
        assert values(first.result())["held"] == 1


class Incomplete:
    """A collector whose series must not be shown in part."""

    def __init__(self, registry):
        registry.register(self)

    def describe(self):
        return []

    def collect(self):
        raise IncompleteError("half is missing")


def test_what_is_incomplete_is_shown_to_nobody(registry):
    """As by collect."""
    Incomplete(registry)
    last = Held(registry, may=True)
    for _ in range(2):
        with pytest.raises(IncompleteError, match="half is missing"):
            collect_in_time(registry)
    assert last.calls == 0
    until(lambda: collecting() == 0)


class Ending:
    """A collector that ends the thread it is read in."""

    def __init__(self, registry):
        registry.register(self)

    def describe(self):
        return []

    def collect(self):
        raise SystemExit


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_collector_that_ends_its_thread_costs_its_own_series(registry):
    """Another thread goes on with the rest, at once."""
    Ending(registry)
    Counter("last", "Help.", registry=registry).inc()
    assert values(collect_in_time(registry, limits=LONG)) == {"first_total": 1, "last_total": 1}
    assert failures(registry, "Ending") == 1
    until(lambda: collecting() == 0)  # pytest is told of the exception when the thread ends


@contextmanager
def without_threads(monkeypatch):
    """As where the system allows for no more, or at the end of the interpreter."""
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "in_background", _refuse)
        yield


def _refuse(*_):
    raise RuntimeError("can't start new thread")


def test_without_a_thread_all_is_read_in_turn(registry, monkeypatch):
    """By the one who asks."""
    Held(registry, may=True)
    with without_threads(monkeypatch):
        assert values(collect_in_time(registry)) == {"first_total": 1, "held": 1}


def test_without_a_thread_an_interrupted_reading_is_none_under_way(registry, monkeypatch):
    """Ctrl-C ends it, and the next collection reads everything again."""

    def interrupt():
        monkeypatch.undo()
        raise KeyboardInterrupt

    Gauge("g", "Help.", registry=registry).set_function(interrupt)
    monkeypatch.setattr(rounds, "in_background", _refuse)
    with pytest.raises(KeyboardInterrupt):
        collect_in_time(registry, limits=LONG)
    registry.unregister(registry._names_to_collectors["g"])
    assert values(collect_in_time(registry)) == {"first_total": 1}
    assert (_rounds_of(registry)._current, _rounds_of(registry)._next) == (None, None)


def test_where_no_second_thread_is_to_be_had_the_first_is_waited_for(registry, monkeypatch):
    """However slow what it reads is."""
    held = Held(registry)
    Counter("last", "Help.", registry=registry).inc()
    plain, started = rounds.in_background, []

    def one(*args):
        if started:
            refused.set()
            _refuse()
        started.append(plain(*args))

    refused = threading.Event()
    monkeypatch.setattr(rounds, "in_background", one)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), LONG)
        assert refused.wait(DEADLINE)
        held.may.set()
        assert values(found.result()) == {"first_total": 1, "held": 1, "last_total": 1}


class Around:
    """A collector that shows another registry, as that of a group of processes does."""

    def __init__(self, registry, inner):
        self.inner = inner
        registry.register(self)

    def describe(self):
        return []

    def collect(self):
        return [as_metric(each) for each in collect_in_time(self.inner) if not each.name.startswith("manometer_")]


def test_one_that_hangs_within_another_collection_costs_no_more(registry, clock):
    """The outer collector has its time, of which the inner ones have a part."""
    held = Held(registry)
    outer = CollectorRegistry()
    Around(outer, registry)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, outer, (), Limits(each=1.0))
        assert held.entered.acquire(timeout=DEADLINE)
        until(lambda: len(_rounds_of(registry)._current.told) == 1)
        clock.now += 0.55  # of which half is for those within
        assert values(found.result()) == {"first_total": 1}
    held.may.set()
    assert failures(registry, "Held") == 1
    assert failures(outer, "Around") is None


def test_a_forked_child_waits_for_no_thread_of_its_parent(registry, clock):
    """The parent was amid a collection, and a collector hung there."""
    held = Held(registry)
    assert without(held, registry, clock) == {"first_total": 1}
    other = Held(registry, "other")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), SHORT)
        assert other.entered.acquire(timeout=DEADLINE)

        def child():
            held.may.set()
            other.may.set()
            assert values(collect_in_time(registry, limits=LONG)) == {"first_total": 0, "held": 2, "other": 2}

        in_child(child)
        held.may.set()
        other.may.set()
        found.result()


def test_nothing_is_kept_of_a_registry_that_is_gone(caplog, clock):
    """Though a collector of it hung."""
    caplog.set_level("CRITICAL", "manometer")  # the record's traceback would have all of it
    registry = CollectorRegistry()
    held = Held(registry)
    without(held, registry, clock)
    held.may.set()
    until(lambda: collecting() == 0)
    gone = weakref.ref(registry)
    del registry, held
    until(lambda: gc.collect() >= 0 and gone() is None)


def test_a_slow_collector_is_not_taken_for_one_that_hangs_by_who_has_more_time(registry, clock):
    """Somebody who waits less has given it up before; who waits long enough has it read once it has answered."""
    held = Held(registry)
    assert without(held, registry, clock, SHORT) == {"first_total": 1}
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), Limits(each=clock.now + 1000))
        until(lambda: (current := _rounds_of(registry)._current) and current._held_up)
        assert held.calls == 1
        held.may.set()
        assert values(found.result())["held"] == 2


def test_gauges_that_hang_are_told_apart(registry, caplog, clock):
    """Each by its name, and by the line of the program at which it is, if any is the program's."""
    may = threading.Event()

    def measured():
        return may.wait(DEADLINE)

    for name in ("depth", "height"):
        Gauge(name, "Help.", registry=registry).set_function(measured)
    Gauge("bare", "Help.", registry=registry).set_function(partial(may.wait, DEADLINE))
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), SHORT)
        try:
            for number in (1, 2, 3):
                until(lambda number=number: len(may._cond._waiters) == number)
                clock.now += 0.3
            clock.now += 100.0
            assert values(found.result()) == {"first_total": 1}
        finally:
            may.set()
    until(lambda: collecting() == 0)
    places = {record.args[1]: str(record.exc_info[1]) for record in caplog.records if "failed" in record.message}
    assert places.keys() == {"depth", "height", "bare"}
    assert all(places[name].endswith("test_timely.py") for name in ("depth", "height"))
    assert "threading.py" in places["bare"]
    assert [failures(registry, name) for name in ("depth", "height", "bare", "Gauge")] == [1, 1, 1, None]


def test_who_asks_for_other_names_starts_no_other_reading(registry, clock):
    """However many there are, a collector that hangs has one thread; and each is told of its own names."""
    held = Held(registry)
    wanted = [("held", f"{number}_total") for number in range(12)] + [("first_total",)]
    with ThreadPoolExecutor(1 + len(wanted)) as pool:
        found = [pool.submit(collect_in_time, registry, ("held",), SHORT)]
        assert held.entered.acquire(timeout=DEADLINE)
        found += [pool.submit(collect_in_time, registry, names, SHORT) for names in wanted]
        until(lambda: _waiting(registry) == len(wanted))
        assert (held.calls, collecting()) == (1, 1)
        clock.now += 100.0
        assert all(values(each.result()).get("held") is None for each in found)
        assert values(found[-1].result()) == {"first_total": 1}
        assert (held.calls, collecting()) == (1, 1)
        held.may.set()
    until(lambda: collecting() == 0)
    assert values(collect_in_time(registry, ("held",))) == {"held": 2}


def test_one_that_had_no_thread_in_its_time_is_read_again(registry, clock, monkeypatch):
    """The system took so long to say that there is no thread that the collector had been given up by then."""
    asked, may_refuse = threading.Event(), threading.Event()
    Held(registry, may=True)

    def refuse_late(*_):
        asked.set()
        assert may_refuse.wait(DEADLINE)
        _refuse()

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(rounds, "in_background", refuse_late)
        first = pool.submit(collect_in_time, registry, ("held",), SHORT)
        assert asked.wait(DEADLINE)
        patch.setattr(rounds, "in_background", _refuse)
        current = _rounds_of(registry)._current
        with _rounds_of(registry)._changed:
            current.give_up(100.0)
        may_refuse.set()
        assert values(first.result()) == {}
    assert values(collect_in_time(registry)) == {"first_total": 1, "held": 1}


@pytest.mark.parametrize("seconds", [1e10, 1e300])
def test_a_time_without_end_is_no_error(registry, seconds):
    """It is more than the system can wait at once."""
    held = Held(registry)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(collect_in_time, registry, (), Limits(seconds, seconds)) for _ in range(2)]
        assert held.entered.acquire(timeout=DEADLINE)
        held.may.set()
        assert {values(each.result())["held"] for each in found} <= {1, 2}


def test_those_who_share_a_collection_have_the_time_of_the_most_patient(registry):
    """However little the first of them has."""
    held = Held(registry)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(collect_in_time, registry, (), LONG)
        assert held.entered.acquire(timeout=DEADLINE)
        others = [pool.submit(collect_in_time, registry, (), Limits(each, DEADLINE)) for each in (0.01, DEADLINE)]
        until(lambda: _waiting(registry) == 2)
        held.may.set()
        assert values(first.result())["held"] == 1
        assert [values(each.result())["held"] for each in others] == [2, 2]


class Everything(Held):
    """A collector without which there is nothing to show."""

    tells_all = True


def test_one_that_tells_of_everything_is_not_left_out(registry, clock):
    """Rather than that nothing is shown; it has all of the time that there is."""
    held = Everything(registry)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, registry, (), Limits(each=1.0, all=9.0))
        assert held.entered.acquire(timeout=DEADLINE)
        clock.now += 8.0
        clock.now += 2.0
        with pytest.raises(IncompleteError, match="the figures of Everything could not be had in time"):
            found.result()
    for _ in range(2):
        with pytest.raises(IncompleteError, match="the figures of Everything could not be had in time"):
            collect_in_time(registry, limits=Limits(each=1.0, all=9.0))
    held.may.set()
    until(lambda: collecting() == 0)
    assert values(collect_in_time(registry)) == {"first_total": 1, "held": 2}


def test_one_that_tells_of_everything_and_fails_shows_nothing(registry, caplog):
    """As where it is late; a page with nothing but the kit's own figures would look as if all had ended."""

    class Broken(Everything):
        def collect(self):
            raise ZeroDivisionError

    Broken(registry, may=True)
    for read in (collect, collect_in_time):
        with pytest.raises(IncompleteError, match=r"the figures of .*Broken could not be read; the log says why"):
            read(registry)
    assert "Broken' failed" in caplog.text


def test_a_registry_that_cannot_be_read_fails_one_scrape_and_not_the_next(registry, monkeypatch):
    """Whatever it was: the program's own class, or a Ctrl-C."""
    kinds = (ZeroDivisionError, KeyboardInterrupt)
    plain, errors = rounds.to_read, [*kinds]

    def broken(*args):
        if errors:
            raise errors.pop(0)
        return plain(*args)

    monkeypatch.setattr(rounds, "to_read", broken)
    for error in kinds:
        with pytest.raises(error):
            collect_in_time(registry)
    assert values(collect_in_time(registry)) == {"first_total": 1}


def test_no_log_and_no_class_of_the_program_holds_a_collection_up(registry, clock, monkeypatch):
    """A handler that hangs costs whoever it is that logs; the others go on."""
    held, logs, may_log = Held(registry), threading.Semaphore(0), threading.Event()

    def hang(*_):
        logs.release()
        assert may_log.wait(DEADLINE)

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(SelfMetrics, "failed", hang)
        first = pool.submit(without, held, registry, clock)
        assert logs.acquire(timeout=DEADLINE)
        patch.setattr(SelfMetrics, "failed", lambda *_: None)
        assert values(pool.submit(collect_in_time, registry, (), SHORT).result()) == {"first_total": 1}
        may_log.set()
        assert first.result() == {"first_total": 1}


def test_a_program_rests_between_two_collections(registry, clock, monkeypatch):
    """Forty times as long as the last one kept a CPU busy: two who ask then share one, and nobody waits for ever."""
    ticks = itertools.count()
    monkeypatch.setattr(rounds, "thread_time", lambda: next(ticks) * 0.005)
    read = []
    Gauge("reads", "Help.", registry=registry).set_function(lambda: read.append(clock.now) or 0.0)
    resting = Limits(each=DEADLINE, rests=True)
    collect_in_time(registry, limits=resting)
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(collect_in_time, registry, (), resting) for _ in range(2)]
        until(lambda: _rounds_of(registry)._next is not None and _rounds_of(registry)._next.waiting == 2)
        assert read == [clock.now]
        clock.now += 1
        assert all(each.result(DEADLINE) for each in found)
        assert len(read) == 2
        patient = pool.submit(collect_in_time, registry, (), resting)
        until(lambda: _rounds_of(registry)._next is not None)
        collect_in_time(registry)  # it does not rest, and who waits has it too
        assert patient.result(DEADLINE)
    assert len(read) == 3


@pytest.mark.parametrize(
    ("resting", "took", "cost", "rest"),
    [
        (Limits(), 1.0, 1.0, 0.0),
        (Limits(rests=True), 0.002, 0.001, 0.04),
        (Limits(rests=True), 0.2, 0.001, 0.4),
        (Limits(rests=True), 5.0, 1.0, 1.0),
        (Limits(all=1.0, rests=True), 5.0, 1.0, 0.5),
    ],
)
def test_a_rest_is_short(resting, took, cost, rest):
    """At most a second, and half of the time that there is."""
    assert resting.rest_after(took, cost) == pytest.approx(rest)


class Gated(Held):
    """Has to be let through each time."""

    def __init__(self, registry):
        self.may_go_on = threading.Semaphore(0)
        super().__init__(registry, "gate", may=True)

    def collect(self):
        found = super().collect()
        assert self.may_go_on.acquire(timeout=DEADLINE)
        return found


def two_join(pool, registry, limits, already=0):
    """What two find who wait for the next collection, amid one; or as many less as wait for it already."""
    found = []
    for number in range(already + 1, 3):
        found.append(pool.submit(collect_in_time, registry, (), limits))
        until(lambda wanted=number: (following := _rounds_of(registry)._next) and following.waiting == wanted)
    return found


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the system sends no signal to a thread")
def test_a_signal_handler_may_collect_amid_a_collection(registry):
    """Also in the thread that takes care of it: another who waits does so then, and the handler has the next one."""
    gate, told = Gated(registry), []
    before = signal.signal(signal.SIGUSR1, lambda *_: told.append(values(collect_in_time(registry, limits=LONG))))
    try:
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(collect_in_time, registry, (), LONG)
            assert gate.entered.acquire(timeout=DEADLINE)

            def go_on():
                until(lambda: (following := _rounds_of(registry)._next) is not None and following.waiting == 1)
                (other,) = two_join(pool, registry, LONG, already=1)
                gate.may_go_on.release()
                assert gate.entered.acquire(timeout=DEADLINE)
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
                until(lambda: _rounds_of(registry)._next is not None)
                gate.may_go_on.release()
                found = other.result(DEADLINE)
                gate.may_go_on.release()
                return found

            other = pool.submit(go_on)
            assert values(collect_in_time(registry, limits=LONG))["gate"] == 2
            assert values(first.result(DEADLINE))["gate"] == 1
            assert values(other.result(DEADLINE))["gate"] == 2
            assert [each["gate"] for each in told] == [3]
    finally:
        signal.signal(signal.SIGUSR1, before)
        gate.may_go_on.release(10)


def test_without_a_thread_another_gives_up_what_one_reads(registry, clock, monkeypatch):
    """Of two who wait, one reads the collectors itself, where one hangs: the other has its figures in time."""
    gate = Gated(registry)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(collect_in_time, registry, (), LONG)
        assert gate.entered.acquire(timeout=DEADLINE)
        both = two_join(pool, registry, SHORT)
        monkeypatch.setattr(rounds, "in_background", _refuse)
        gate.may_go_on.release()
        assert first.result(DEADLINE)
        assert gate.entered.acquire(timeout=DEADLINE)
        clock.now += 100
        done, hanging = wait(both, DEADLINE, FIRST_COMPLETED)
        assert [values(each.result()) for each in done] == [{"first_total": 1}]
        gate.may_go_on.release()
        assert all(each.result(DEADLINE) for each in hanging)


def test_no_rest_costs_a_scrape_its_figures(registry, clock):
    """Whoever waits with it: the collection begins in time for the one who has least."""
    reads = Gauge("reads", "Help.", registry=registry)
    resting = Limits(each=DEADLINE, rests=True)

    def take():
        clock.now += 0.4
        return 1.0

    reads.set_function(take)
    collect_in_time(registry, limits=resting)
    with ThreadPoolExecutor(2) as pool:
        patient = pool.submit(collect_in_time, registry, (), resting)
        until(lambda: _rounds_of(registry)._next is not None)
        hasty = pool.submit(collect_in_time, registry, (), resting._replace(all=1.0))
        until(lambda: _rounds_of(registry)._next is None or _rounds_of(registry)._next.waiting == 2)
        clock.now += 0.25
        assert values(hasty.result(DEADLINE))["reads"] == 1
        assert values(patient.result(DEADLINE))["reads"] == 1
