"""A fault raises its alert, Alertmanager delivers it, and delivers its end when the fault ends."""

import pytest

pytestmark = pytest.mark.servers


def test_a_failing_broker_pages_and_resolves(world, eventually):
    """The breaker opens, its alert pages; the broker recovers, the alert is delivered as resolved."""
    world.engine.switch("failing-broker", on=True)
    try:
        fired = eventually(lambda: world.delivered("BreakerOpen", "firing"), 180, world.firing)
    finally:
        world.engine.switch("failing-broker", on=False)
    (first, *_) = fired
    assert first.receiver == "page"
    assert first.labels.items() >= {"job": "alluse", "breaker_name": "broker", "severity": "critical"}.items()
    assert first.labels["instance"] == world.engine.address
    assert first.annotations["summary"] == "Breaker broker of alluse is open"
    assert first.annotations["runbook_url"].endswith("BreakerOpen.md")
    (resolved, *_) = eventually(lambda: world.delivered("BreakerOpen", "resolved"), 180, world.firing)
    assert resolved.labels == first.labels
    assert resolved.started == first.started
    assert world.query('breaker_state{breaker_name="broker",breaker_state="closed"}')[0].values == [1]


def test_the_watchdog_arrives(world, eventually):
    """The alert that always fires is delivered to the receiver that waits for it."""
    (first, *_) = eventually(lambda: world.delivered("Watchdog", "firing"), 90, world.firing)
    assert first.receiver == "heartbeat"
