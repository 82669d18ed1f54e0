"""Health checks run aside, their results are kept, and what hangs or raises hurts nobody else."""

import os
import threading
from decimal import Decimal

import pytest

from forking import in_child
from holding import StillClock
from manometer.errors import BindingError
from manometer.exposition.render import render
from manometer.health import Check, Checks, Finding, check
from manometer.health.check_state import SLOW, TIMEOUT
from manometer.health.checks import AT_MOST, AT_ONCE
from manometer.serving.pages import Request, Site, respond
from waiting import DEADLINE, until


class MuteError(Exception):
    """It cannot say what it is."""

    def __str__(self):
        raise RuntimeError("no text")


class StubbornError(Exception):
    """It ends whatever asks what it is."""

    def __str__(self):
        raise SystemExit


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda: None, None),
        (lambda: True, None),
        (lambda: False, "failed"),
        (lambda: "disk\n full", "disk full"),
        (lambda: "", "failed, without a reason"),
        (lambda: _raise(ConnectionError("refused\n by db")), "ConnectionError: refused by db"),
        (lambda: _raise(SystemExit(1)), "SystemExit: 1"),
        (lambda: 3, "returned int 3; a check returns None, True, False, a reason or a Finding"),
        (list, "returned an object of class list; a check returns None, True, False, a reason or a Finding"),
    ],
)
def test_what_a_check_returns_is_its_state(rig, function, problem):
    """None and True are well; False, text and exceptions are not."""
    found = rig.add("db", function)
    rig.run()
    assert found.problem == problem


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (Finding(None, 3, "jobs", "backlog"), Finding(None, 3, "jobs", "backlog")),
        (Finding("many\n wait", 2.5), Finding("many wait", 2.5)),
        (Finding("", True), Finding("failed, without a reason", True)),
        (Finding(None, Decimal("2.5")), Finding(None, 2.5)),
        (Finding(None, 10**6000), Finding(None, "an object of class int")),
        (Finding(None, []), Finding(None, "an object of class list")),
        (Finding(None, "postgresql://me:hunter2@db", 7, None), Finding(None, "postgresql://***@db", "7", "None")),
        (Finding(4, "x" * 300), Finding("4", "x" * 199 + "…")),
    ],
)
def test_what_a_check_measures_can_be_shown(rig, told, kept):
    """Whatever the program put there: without secrets, not without end, and as JSON has it."""
    found = rig.add("db", lambda: told)
    rig.run()
    assert found.result.finding == kept


def test_a_check_of_the_start_alone_is_done_when_it_has_passed(rig, figures):
    """It has passed, and no age of that says anything."""
    found = rig.add("schema", groups=["startup"])
    rig.run()
    rig.clock.now += 10_000
    rig.run()
    assert (found.problem, found.age) == (None, 10_000)
    assert [figures(f"health_check_{name}") for name in ("up", "duration_seconds", "age_seconds")] == [1, 0, None]
    assert rig.checks._until_next() == rig.checks.interval


def test_so_many_checks_run_at_once_and_the_others_in_their_turn(rig):
    """All are run in the end, and nobody looks for room again and again."""
    runs = []
    for number in range(200):
        rig.add(f"c{number}", lambda number=number: runs.append(number))
    rig.checks.run_due()
    rig.checks.run_due()
    assert len(rig.spawned) == AT_ONCE
    assert rig.checks._until_next() == TIMEOUT * SLOW
    for _ in range(200):
        rig.spawned.pop(0)()
        rig.checks.run_due()
    assert (runs, rig.spawned) == ([*range(200)], [])
    assert rig.checks._until_next() == rig.checks.interval


def test_no_check_starves_because_others_take_long(rig):
    """Whose time came first begins first."""
    runs = []
    for number in range(AT_ONCE + 2):
        rig.add(f"c{number}", lambda number=number: runs.append(number), interval=1, timeout=5)
    for _ in range(3):
        rig.checks.run_due()
        assert len(rig.spawned) <= AT_ONCE
        rig.clock.now += 1
        while rig.spawned:
            rig.spawned.pop(0)()
    assert set(runs) == {*range(AT_ONCE + 2)}


def test_who_waits_for_room_is_woken_when_a_check_is_late(rig):
    """Also where all of them failed before."""
    for number in range(AT_ONCE):
        rig.add(f"c{number}", lambda: False, interval=10, timeout=5)
    rig.run()
    rig.clock.now += 10
    rig.checks.run_due()
    rig.add("waits", lambda: None, interval=60)
    rig.checks.run_due()
    assert len(rig.spawned) == AT_ONCE
    assert rig.checks._until_next() == 2.5
    rig.clock.now += 2.5
    rig.checks.run_due()
    assert rig.checks._until_next() == 2.5


def test_checks_that_hang_take_no_place_of_others(rig):
    """Once they have outlasted their time-out."""
    for number in range(AT_ONCE):
        rig.add(f"hangs{number}", lambda: None, timeout=5)
    well = rig.add("well", lambda: None)
    rig.checks.run_due()
    hanging, rig.spawned[:] = rig.spawned[:], []
    assert len(hanging) == AT_ONCE
    rig.clock.now += 5
    rig.checks.run_due()
    rig.run()
    assert well.problem is None


def test_there_is_a_bound_to_the_checks_that_hang(rig):
    """Each holds a thread. Those that are not run meanwhile say so, and run once there is room."""
    for number in range(AT_MOST):
        rig.add(f"hangs{number}", lambda: None, timeout=5)
    for _ in range(AT_MOST // AT_ONCE + 2):
        rig.checks.run_due()
        rig.clock.now += 5
    waits = rig.add("waits", lambda: None)
    rig.checks.run_due()
    assert len(rig.spawned) == AT_MOST
    assert waits.problem == "unknown, it has not run yet"
    assert rig.checks._until_next() == rig.checks.interval
    rig.run()
    rig.run()
    assert waits.problem is None


def test_an_exception_that_cannot_say_what_it_is_fails_the_check_and_no_more(rig):
    """The check has a next time, whatever its exception does."""

    errors = [MuteError(), StubbornError(), None]
    found = rig.add("db", lambda: (error := errors.pop(0)) and _raise(error))
    rig.run()
    assert found.problem == "MuteError: (its text cannot be had)"
    rig.clock.now += 30
    with pytest.raises(SystemExit):
        rig.run()
    assert found.problem == "failed, and cannot say how"
    rig.clock.now += 30
    rig.run()
    assert found.problem is None


def test_a_check_that_has_not_run_is_not_well(rig, figures):
    """It has no series either: nothing is known of it."""
    found = rig.add("db", lambda: None)
    assert found.problem == "unknown, it has not run yet"
    assert figures("health_check_up") is None


def test_the_figures_are_literal(rig):
    """Up, duration and age of one that is well and one that is not."""

    def slow():
        rig.clock.now += 0.25

    rig.add("db", slow)
    rig.add("cache", lambda: False, critical=False)
    rig.run()
    rig.clock.now += 2
    assert render(rig.registry)[0].decode() == (
        "# HELP health_check_up 1 when the check passed, 0 when it failed, outlasts its time-out or is overdue; "
        "absent until it has run. A check that is about a pool or a circuit breaker names it.\n"
        "# TYPE health_check_up gauge\n"
        'health_check_up{health_check_critical="true",health_check_name="db"} 1.0\n'
        'health_check_up{health_check_critical="false",health_check_name="cache"} 0.0\n'
        "# HELP health_check_duration_seconds Time that the last run of the check took.\n"
        "# TYPE health_check_duration_seconds gauge\n"
        'health_check_duration_seconds{health_check_critical="true",health_check_name="db"} 0.25\n'
        'health_check_duration_seconds{health_check_critical="false",health_check_name="cache"} 0.0\n'
        "# HELP health_check_age_seconds Time since the check last ended; one that grows past its interval hangs.\n"
        "# TYPE health_check_age_seconds gauge\n"
        'health_check_age_seconds{health_check_critical="true",health_check_name="db"} 2.0\n'
        'health_check_age_seconds{health_check_critical="false",health_check_name="cache"} 2.0\n'
    )


def test_each_check_runs_at_its_own_interval(rig):
    """At once, then every so often: its own interval, or the common one."""
    runs = []
    rig.add("often", lambda: runs.append("often"), interval=10)
    rig.add("seldom", lambda: runs.append("seldom"))
    for _ in range(4):
        rig.run()
        rig.clock.now += 10
    assert runs == ["often", "seldom", "often", "often", "often", "seldom"]


def test_a_change_of_state_is_logged_once(rig, caplog):
    """Failing twice is one line, and being well again another."""
    caplog.set_level("INFO", "manometer")
    answers = iter(["down", "down", None, None])
    rig.add("db", lambda: next(answers))
    for _ in range(4):
        rig.run()
        rig.clock.now += 30
    assert [record.getMessage() for record in caplog.records] == [
        "health check 'db' fails: down",
        "health check 'db' is well again",
    ]


def test_a_check_that_hangs_is_not_started_again_and_holds_up_no_other(rig, figures):
    """It fails from its time-out on, its age grows, and the others run on."""
    hangs = rig.add("hangs", lambda: None)
    runs = []
    rig.add("other", lambda: runs.append("other"))
    rig.run()
    rig.clock.now += 30
    rig.checks.run_due()
    stuck, other = rig.spawned
    other()
    rig.spawned.clear()
    for _ in range(2):
        rig.clock.now += 30
        rig.run()
    assert runs == ["other"] * 4
    assert hangs.problem == "has run for 60 s, and its time-out is 10 s"
    assert [figures("health_check_up", health_check_name=name) for name in ("hangs", "other")] == [0, 1]
    assert figures("health_check_age_seconds", health_check_name="hangs") == 90
    assert figures("health_check_age_seconds", health_check_name="other") == 0
    assert figures("health_check_running_seconds", health_check_name="hangs") == 60
    assert figures("health_check_running_seconds", health_check_name="other") is None
    stuck()
    assert hangs.problem is None
    assert [figures(f"health_check_{name}", health_check_name="hangs") for name in ("up", "age_seconds")] == [1, 0]
    assert figures("health_check_running_seconds", health_check_name="hangs") is None


def test_a_first_run_that_hangs_fails_from_its_time_out_on(rig, figures, caplog):
    """Nothing is known of it before; the log has it once, and once that it is well again."""
    caplog.set_level("INFO", "manometer")
    hangs = rig.add("db", lambda: None, timeout=5)
    rig.checks.run_due()
    (stuck,) = rig.spawned
    rig.clock.now += 4.5
    rig.checks.run_due()
    assert (hangs.problem, figures("health_check_up")) == ("unknown, it has not run yet", None)
    for _ in range(3):
        rig.clock.now += 0.5
        rig.checks.run_due()
        assert figures("health_check_up") == 0
    assert figures("health_check_age_seconds") is None
    assert figures("health_check_running_seconds") == 6
    assert len(rig.spawned) == 1
    stuck()
    assert (hangs.problem, figures("health_check_up")) == (None, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "health check 'db' is slow, has run for 4 s, and its time-out is 5 s",
        "health check 'db' fails: has run for 5 s, and its time-out is 5 s",
        "health check 'db' is well again",
    ]


@pytest.mark.parametrize("seconds", [5, 7])
def test_a_run_that_took_all_of_its_time_out_has_failed(rig, figures, seconds):
    """It was told of while it ran, and would seem well again until the next one."""

    def slow():
        rig.clock.now += seconds

    found = rig.add("db", slow, timeout=5)
    rig.run()
    assert found.problem == f"took {seconds} s, and its time-out is 5 s"
    assert figures("health_check_up") == 0
    assert figures("health_check_duration_seconds") == seconds


def test_a_result_that_nothing_renews_is_stale(rig, figures):
    """As after a stop, or where no thread is to be had: the check passed once, and may not now."""
    found = rig.add("db", lambda: None, interval=20, timeout=5)
    rig.run()
    rig.clock.now += 25
    assert (found.problem, figures("health_check_up")) == (None, 1)
    rig.clock.now += 1
    assert (found.problem, figures("health_check_up")) == ("stale, it last ran 26 s ago", 0)
    rig.run()
    assert found.problem is None


def test_what_runs_checks_wakes_for_the_next_one_and_for_time_outs(rig):
    """No later, so that a run that hangs is logged in time."""
    assert rig.checks._until_next() == 30
    rig.add("db", lambda: None, interval=100, timeout=7)
    assert rig.checks._until_next() == 0
    rig.checks.run_due()
    assert rig.checks._until_next() == 3.5
    rig.clock.now += 3.5
    rig.checks.run_due()
    assert rig.checks._until_next() == 3.5
    rig.clock.now += 3.5
    rig.checks.run_due()
    assert rig.checks._until_next() == 30
    rig.spawned.pop()()
    rig.clock.now += 80
    assert rig.checks._until_next() == 13


def test_readyz_says_what_hangs_and_what_is_stale(rig):
    """A check that passed once does not keep a program ready for ever."""
    rig.add("hangs", lambda: None)
    rig.add("stale", lambda: None)
    rig.add("late, and not critical", lambda: None, critical=False)
    site = Site(rig.registry, rig.checks.all)
    request = Request("GET", "/readyz", "", {})
    rig.run()
    assert respond(site, request).status == 200
    rig.clock.now += 60
    rig.checks.all()[0]._started, rig.checks.all()[0]._running = rig.clock.now - 30, True
    response = respond(site, request)
    assert (response.status, response.body.decode()) == (
        503,
        "hangs (critical): has run for 30 s, and its time-out is 10 s\n"
        "stale (critical): stale, it last ran 60 s ago\n"
        "not ready\n",
    )


def test_a_check_of_the_same_name_takes_the_place(rig, figures):
    """The first one's late answer counts for nothing, and closing it leaves the second alone."""
    first = rig.add("db", lambda: False)
    second = rig.add("db", lambda: None)
    rig.run()
    first.close()
    assert [each.problem for each in rig.checks.all()] == [None]
    assert figures("health_check_up") == 1
    second.close()
    second.close()
    assert rig.checks.all() == []
    assert figures("health_check_up") is None


@pytest.mark.parametrize(
    ("name", "function", "interval", "message"),
    [
        ("", lambda: None, None, "the name of a health check is ''; give it a short name, as text"),
        (3, lambda: None, None, "the name of a health check is 3; give it a short name, as text"),
        ("db", "ping", None, "health check 'db' is no function; pass one that returns None or a reason"),
        ("db", lambda: None, 0, "health check 'db' has the interval 0; pass seconds over 0"),
    ],
)
def test_a_wrong_registration_is_refused(figures, name, function, interval, message):
    """The error says what is wrong, and what to pass."""
    with pytest.raises(BindingError) as raised:
        check(name, function, interval=interval, registry=figures.registry)
    assert str(raised.value) == message


@pytest.mark.parametrize("groups", [[], [""], ["live", 3]])
def test_groups_that_are_none_are_refused(figures, groups):
    """A check that no page shows would help nobody."""
    with pytest.raises(BindingError) as raised:
        check("db", lambda: None, groups=groups, registry=figures.registry)
    told = f"health check 'db' has the groups {groups!r}; name one at least, such as 'ready'"
    assert str(raised.value) == told


def test_one_group_needs_no_list(figures):
    """Its letters are no groups."""
    assert check("db", lambda: None, groups="live", registry=figures.registry).groups == {"live"}


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_time_out_of_no_time_is_refused(figures, timeout):
    """Every run would fail."""
    with pytest.raises(BindingError, match=f"health check 'db' has the timeout {timeout}; pass seconds over 0"):
        check("db", lambda: None, timeout=timeout, registry=figures.registry)


def test_a_registered_check_is_run_and_shown(figures):
    """By the name it was registered with, on the registry that was named, with nothing else to be done."""
    ran = threading.Event()
    check("db", ran.set, critical=False, registry=figures.registry)
    check("by default", lambda: None, registry=figures.registry)
    checks = Checks.on(figures.registry)
    assert [each.name for each in checks.all()] == ["db", "by default"]
    checks.start()
    assert ran.wait(DEADLINE)
    until(lambda: figures("health_check_up", health_check_name="db", health_check_critical="false") == 1)
    until(lambda: figures("health_check_up", health_check_name="by default", health_check_critical="true") == 1)
    checks.stop()


def test_no_check_keeps_a_program_from_ending(figures):
    """Neither one that hangs nor what runs them: the interpreter waits for no thread of theirs."""
    go_on = threading.Event()
    check("hangs", lambda: go_on.wait(DEADLINE) and None, registry=figures.registry)
    checks = Checks.on(figures.registry)
    checks.run_due()
    checks.start()
    try:
        daemons = {each.name: each.daemon for each in threading.enumerate()}
        assert daemons["manometer-check"]
        assert daemons["manometer-health"]
    finally:
        go_on.set()
        checks.stop()


def test_the_loop_runs_checks_as_they_come_and_stops(figures):
    """For real: registered before or after the start, one that hangs among them; no thread is left."""
    started, go_on = threading.Event(), threading.Event()

    def hang():
        started.set()
        go_on.wait(DEADLINE)

    checks = Checks.on(figures.registry)
    hangs = check("hangs", hang, registry=figures.registry)
    checks.start(0.01)
    checks.start(0.01)
    assert started.wait(DEADLINE)
    runs = threading.Semaphore(0)
    with check("db", runs.release, registry=figures.registry) as db:
        for _ in range(3):
            assert runs.acquire(timeout=DEADLINE)
        assert db.problem is None
        assert hangs.problem == "unknown, it has not run yet"
        assert sum(each.name == "manometer-health" for each in threading.enumerate()) == 1
    checks.stop()
    checks.stop()
    go_on.set()
    until(lambda: not any(each.name.startswith("manometer-") for each in threading.enumerate()))


def test_the_checks_may_be_started_while_they_stop(figures):
    """One thread ends and another takes over, also where a stop and a start come at once."""
    checks = Checks.on(figures.registry)
    runs = threading.Semaphore(0)
    check("db", runs.release, interval=0.001, registry=figures.registry)
    stops = [threading.Thread(target=lambda: [checks.stop() for _ in range(50)]) for _ in range(2)]
    for each in stops:
        each.start()
    for _ in range(50):
        checks.start()
    for each in stops:
        each.join(DEADLINE)
        assert not each.is_alive()
    checks.start()
    assert sum(each.name == "manometer-health" for each in threading.enumerate()) == 1
    assert runs.acquire(timeout=DEADLINE)
    checks.stop()


def test_a_check_whose_thread_cannot_start_is_tried_again(figures, caplog):
    """Out of threads for a moment: logged, and the next round runs it."""
    failing = [RuntimeError("can't start new thread")]

    def spawn(run):
        if failing:
            raise failing.pop()
        run()

    clock = StillClock()
    checks = Checks(clock, spawn)
    found = checks.add(Check(checks, "db", lambda: None, True, None))
    checks.run_due()
    clock.now += 30
    checks.run_due()
    assert found.problem is None
    assert [record.getMessage() for record in caplog.records] == ["health check 'db' could not be started"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_checks_can_be_started_again_in_a_forked_child(figures):
    """The parent's thread is not there, and a check that was under way there is not here."""
    go_on = threading.Event()
    check("db", lambda: go_on.wait(DEADLINE) and None, registry=figures.registry)
    checks = Checks.on(figures.registry)
    checks.start()
    until(lambda: any(each.name == "manometer-check" for each in threading.enumerate()))

    def child():
        go_on.set()
        checks.start()
        until(lambda: checks.all()[0].problem is None)
        checks.stop()

    in_child(child)
    go_on.set()
    checks.stop()
