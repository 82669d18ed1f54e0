"""What fails is logged when that begins and when it ends, and not in between."""

import logging

import pytest

from manometer.meters.outages import Outages

FULL = "over 10 things fail; further ones are not logged"


@pytest.fixture
def clock(monkeypatch):
    """Moves the time that outages see on, by seconds."""
    now = [1_000.0]
    monkeypatch.setattr("manometer.meters.outages.monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_a_failure_that_cannot_be_logged_reaches_nobody(monkeypatch):
    """The next one is logged."""
    outages, told = Outages(), []
    monkeypatch.setattr("manometer.meters.outages._log.log", lambda *_, **__: 1 / 0)
    outages.failed("thing", "it fails")
    monkeypatch.setattr("manometer.meters.outages._log.log", lambda _, message, *__, **___: told.append(message))
    for _ in range(3):
        outages.failed("thing", "it fails")
        outages.worked("other", "it works")
    outages.worked("thing", "it works")
    outages.failed("thing", "it fails")
    outages.forget("thing")
    outages.failed("thing", "it fails")
    assert told == ["it fails", "it works", "it fails", "it fails"]


@pytest.mark.parametrize("end", [lambda outages: outages.worked(7, "%d works", 7), lambda outages: outages.forget(7)])
def test_where_one_of_many_failures_ends_another_is_logged(caplog, end):
    """And then again that there are too many."""
    outages = Outages()
    for thing in range(12):
        outages.failed(thing, "%d fails", thing)
    assert caplog.messages == [*(f"{thing} fails" for thing in range(10)), FULL]
    caplog.clear()
    end(outages)
    for thing in (7, 12, 13):
        outages.failed(thing, "%d fails", thing)
    assert caplog.messages == ["7 fails", FULL]


def test_a_thing_that_fails_on_and_off_is_logged_until_it_has_not_failed_for_a_minute(caplog, clock):
    """A first end is logged at once; an outage long after another is a first one."""
    caplog.set_level(logging.INFO)
    outages = Outages()
    for _ in range(50):
        outages.failed("thing", "it fails")
        clock(1)
        outages.worked("thing", "it works")
    assert caplog.messages == ["it fails", "it works", "it fails"]
    clock(58)
    outages.worked("thing", "it works")
    assert len(caplog.messages) == 3
    clock(1)
    for _ in range(2):
        outages.worked("thing", "it works")
    assert caplog.messages[3:] == ["it works"]
    clock(60)
    outages.failed("thing", "it fails")
    outages.worked("thing", "it works")
    assert caplog.messages[4:] == ["it fails", "it works"]


def test_a_thing_that_many_do_works_again_when_it_has_not_failed_for_a_minute(caplog, clock):
    """A success of one says nothing of the others."""
    caplog.set_level(logging.INFO)
    outages = Outages(are_shared=True)
    for _ in range(50):
        outages.failed("thing", "it fails")
        outages.worked("thing", "it works")
        clock(1)
    clock(59)
    outages.worked("thing", "it works")
    outages.failed("thing", "it fails")
    assert caplog.messages == ["it fails", "it works", "it fails"]


def test_only_so_many_ends_are_remembered(caplog, clock):
    """So that what comes and goes fills no memory."""
    outages = Outages()
    for thing in range(10_000):
        outages.failed(thing, "%d fails", thing)
        outages.worked(thing, "%d works", thing)
    assert len(outages._calm_at) <= 100
    assert len(caplog.messages) == 10_000
