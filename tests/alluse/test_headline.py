"""Tests of alluse.headline and alluse.alerts."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from threading import Semaphore

import pytest

from alluse import alerts as alerts_module
from alluse.alerts import Alerts, told
from alluse.faults import Fault, Faults
from alluse.headline import Headline
from alluse.rounds import ROUNDS, Rounds
from answering import answering
from waiting import DEADLINE, joined

FAULTS_URL = "http://127.0.0.1:9465/faults"


def _alert(name: str, severity: str | None, state: str = "firing") -> dict:
    labels = {"alertname": name} | ({} if severity is None else {"severity": severity})
    return {"labels": labels, "state": state, "annotations": {}}


def _answer(*alerts: dict) -> dict:
    return {"status": "success", "data": {"alerts": list(alerts)}}


def _prometheus(body: Callable[[], bytes]) -> AbstractContextManager[str]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200 if request.path == "/api/v1/alerts" else 404)
        request.end_headers()
        request.wfile.write(body())

    return answering(answer)


@pytest.mark.parametrize(
    ("alerts", "line"),
    [
        ([], "no alert fires"),
        ([_alert("Watchdog", "none"), _alert("Bare", None)], "no alert fires"),
        ([_alert("PoolSaturated", "warning", "pending")], "no alert fires;  pending: PoolSaturated (warning)"),
        ([_alert("BreakerOpen", "critical")], "! alerts firing: BreakerOpen (critical)"),
        (
            [
                *[_alert("EngineLatencyHigh", "warning")] * 2,
                _alert("BreakerOpen", "critical"),
                _alert("PoolSaturated", "warning", "pending"),
            ],
            "! alerts firing: BreakerOpen (critical),  2 x EngineLatencyHigh (warning)"
            ";  pending: PoolSaturated (warning)",
        ),
    ],
)
def test_alerts_are_one_line(alerts: list[dict], line: str):
    """Those that fire stand out; those that a set-up checks itself by are none."""
    assert told(_answer(*alerts)) == line


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"data": None}, {"data": {"alerts": [{}]}}, {"data": {"alerts": [1]}}]
)
def test_answer_that_is_none_of_prometheus_is_refused(answer: object):
    """Whatever else answers there."""
    with pytest.raises(ValueError, match="no answer of Prometheus"):
        told(answer)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff"])
def test_prometheus_that_cannot_be_asked_is_told(body: bytes):
    """And is asked again: the line is that of the latest answer."""
    firing = json.dumps(_answer(_alert("BreakerOpen", "critical"))).encode()
    bodies = [firing, body, firing]
    with _prometheus(lambda: bodies.pop(0)) as url:
        alerts, lines = Alerts(url), []
        for _ in range(3):
            alerts.ask()
            lines.append(alerts.line())
    alerts.ask()
    dumb = "! Prometheus does not tell its alerts"
    assert [*lines, alerts.line()] == [*("! alerts firing: BreakerOpen (critical)", dumb, lines[0]), dumb]


def test_prometheus_is_asked_every_now_and_then(monkeypatch):
    """By a thread, as long as it is wanted."""
    monkeypatch.setattr(alerts_module, "_EVERY", 0.001)
    asked = Semaphore(0)

    def body() -> bytes:
        asked.release()
        return json.dumps(_answer()).encode()

    with _prometheus(body) as url, Alerts(url) as alerts:
        for _ in range(3):
            assert asked.acquire(timeout=DEADLINE)
    joined(alerts._thread)


def test_headline_has_links_alerts_and_the_fault_that_comes():
    """And how to have none."""
    faults = Faults()
    headline = Headline(["Prometheus http://127.0.0.1:9090"], faults, FAULTS_URL, Rounds(faults), Alerts(""))
    links, alerts, fault = headline.lines()
    assert (links, alerts) == ("Prometheus http://127.0.0.1:9090", "no alert fires")
    coming = re.escape(f"{ROUNDS[0].name}={ROUNDS[0].rate:g}")
    assert re.fullmatch(rf"no fault is on; {coming} comes at \d\d:\d\d:\d\d  \(--calm leaves them out\)", fault)
    assert headline.lines() == [links, alerts, fault]


def test_headline_shows_every_fault_that_is_on():
    """Whoever switched it on: until when, where it ends by itself."""
    faults = Faults()
    headline = Headline([], faults, FAULTS_URL, None, None)
    faults.start(Fault("slow-broker", 0.3, 60.0))
    faults.start(Fault("cold-cache"))
    (line,) = headline.lines()
    assert re.fullmatch(r"! fault on: cold-cache=1, slow-broker=0\.3 until \d\d:\d\d:\d\d", line)
    assert headline.lines() == [line]


def test_headline_without_rounds_says_how_to_switch_a_fault_on():
    """A command that can be copied."""
    (line,) = Headline([], Faults(), FAULTS_URL, None, None).lines()
    assert line == "no fault is on; switch one on: curl -X PUT http://127.0.0.1:9465/faults/slow-broker"
