"""Tests of alluse.faults."""

import pytest

from alluse.errors import FaultError
from alluse.faults import FAULTS, Fault, Faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("crash", Fault("crash", 1.0, None)),
        ("slow-broker=0.5", Fault("slow-broker", 0.5, None)),
        ("slow-broker=0.5:60", Fault("slow-broker", 0.5, 60.0)),
    ],
)
def test_fault_is_read(text: str, fault: Fault):
    """A name, a rate, a time: the last two as wanted."""
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("slow-brokr", r"there is no fault 'slow-brokr'; there are slow-broker, .*, crash"),
        ("", r"there is no fault ''"),
        ("crash=", r"the rate of crash is ''; it takes a number over 0 and up to 1"),
        ("crash=often", r"the rate of crash is 'often'"),
        ("crash=0", r"the rate of crash is 0; it takes a number over 0 and up to 1"),
        ("crash=1.1", r"the rate of crash is 1.1"),
        ("crash=nan", r"the rate of crash is 'nan'"),
        ("crash=1:", r"the time of crash is ''; it takes a number of seconds over 0"),
        ("crash=1:-3", r"the time of crash is -3"),
        ("crash=1:inf", r"the time of crash is 'inf'"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, reason: str):
    """The error says which figure is wrong, or which names there are."""
    with pytest.raises(FaultError, match=reason):
        Fault.parse(text)


def test_fault_strikes_by_its_rate(clock):
    """A rate of a half strikes where chance says less than a half."""
    chances = iter([0.0, 0.49, 0.5, 0.99])
    faults = Faults(clock, lambda: next(chances))
    faults.start(Fault("failing-broker", 0.5))
    assert [faults.strikes("failing-broker") for _ in range(4)] == [True, True, False, False]


def test_fault_ends_with_its_time(clock):
    """After its seconds it is off without anyone's doing."""
    faults = Faults(clock, lambda: 0.0)
    faults.start(Fault("failing-broker", 1.0, 60))
    clock.now += 59.9
    assert faults.strikes("failing-broker")
    assert faults.state()["failing-broker"]["seconds_left"] == pytest.approx(0.1)
    clock.now += 0.1
    assert not faults.strikes("failing-broker")
    assert faults.state()["failing-broker"]["on"] is False


def test_fault_can_be_changed_and_switched_off(clock):
    """A second start replaces the first; stopping leaves the others alone."""
    faults = Faults(clock)
    faults.start(Fault("slow-broker", 0.1, 5))
    faults.start(Fault("slow-broker", 0.9))
    faults.start(Fault("cold-cache"))
    clock.now += 10
    assert faults.rate("slow-broker") == 0.9
    faults.stop("slow-broker")
    assert (faults.rate("slow-broker"), faults.rate("cold-cache")) == (0, 1)
    faults.stop_all()
    assert not any(fault["on"] for fault in faults.state().values())


def test_stopping_an_unknown_fault_lists_the_known():
    """A slip of the pen is no silent success."""
    with pytest.raises(FaultError, match="there are slow-broker"):
        Faults().stop("slow")


def test_state_tells_every_fault():
    """Each has its meaning, on or off."""
    assert list(Faults().state()) == list(FAULTS)
