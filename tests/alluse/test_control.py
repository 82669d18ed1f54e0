"""Tests of alluse.control."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from alluse.control import Control
from alluse.errors import SettingsError
from alluse.faults import FAULTS, Faults
from waiting import DEADLINE


@pytest.fixture
def faults() -> Faults:
    """No fault is on."""
    return Faults()


@pytest.fixture
def control(faults: Faults) -> Iterator[Control]:
    """The endpoint, served."""
    with Control(faults, 0) as control:
        yield control


def _ask(control: Control, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(control.url.removeprefix("http://"), timeout=DEADLINE)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_faults_are_listed(control: Control):
    """Each with its state and its meaning."""
    status, told = _ask(control, "GET", "/faults")
    assert status == 200
    assert list(told) == list(FAULTS)
    assert told["crash"]["on"] is False


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_fault_is_switched_on_and_off(control: Control, faults: Faults, method: str):
    """At its rate, for its time, until it is deleted."""
    status, told = _ask(control, method, "/faults/slow-broker?rate=0.5&seconds=60")
    assert (status, told["slow-broker"]["rate"]) == (200, 0.5)
    assert 0 < told["slow-broker"]["seconds_left"] <= 60
    assert faults.rate("slow-broker") == 0.5
    assert _ask(control, "DELETE", "/faults/slow-broker")[0] == 200
    assert faults.rate("slow-broker") == 0


def test_fault_without_figures_is_on_until_further_notice(control: Control):
    """At full rate."""
    _, told = _ask(control, "PUT", "/faults/stuck-human")
    assert (told["stuck-human"]["rate"], told["stuck-human"]["seconds_left"]) == (1, None)
    assert _ask(control, "GET", "/faults/stuck-human") == (200, told)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_fault_is_answered_with_the_known(control: Control, method: str):
    """404, and every name that there is."""
    status, told = _ask(control, method, "/faults/slow")
    assert status == 404
    assert told["error"] == f"there is no fault 'slow'; there are {', '.join(FAULTS)}"


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("PUT", "/faults/crash?rate=2", 400, "the rate of crash is 2"),
        ("PUT", "/faults/crash?rate=", 400, "the rate of crash is ''"),
        ("PUT", "/faults/crash?seconds=x", 400, "the time of crash is 'x'"),
        ("PUT", "/faults/crash?ratio=1", 400, "there is no parameter 'ratio'"),
        ("PUT", "/faults", 405, "name a fault"),
        ("GET", "/", 404, "there is /faults"),
    ],
)
def test_bad_request_is_told_what_is_wrong(control: Control, faults: Faults, method, path, status, reason):
    """And changes nothing."""
    answered, told = _ask(control, method, path)
    assert answered == status
    assert reason in told["error"]
    assert faults.rate("crash") == 0


@pytest.mark.parametrize("headers", [{"Origin": "https://example.org"}, {"Host": "example.org:9465"}])
def test_web_pages_cannot_reach_it(control: Control, faults: Faults, headers: dict[str, str]):
    """Neither from another origin, nor by a name that was made to point here."""
    assert _ask(control, "POST", "/faults/crash", headers)[0] == 403
    assert faults.rate("crash") == 0


def test_taken_port_is_named(control: Control, faults: Faults):
    """With the option that gives another."""
    port = int(control.url.rpartition(":")[2])
    with pytest.raises(SettingsError, match=rf"on port {port}: Address already in use; .* --control-port"):
        Control(faults, port)


def test_endpoint_that_was_never_served_closes(faults: Faults):
    """Its port is free again."""
    Control(faults, 0).close()
