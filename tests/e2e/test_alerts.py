"""A fault raises its alert, Alertmanager delivers it, and delivers its end when the fault ends."""

import pytest

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    ("fault", "alert", "about", "summary", "well"),
    [
        (
            *("failing-broker", "BreakerOpen", {"breaker_name": "broker"}),
            "Breaker broker of alluse is open",
            'breaker_state{breaker_name="broker",breaker_state="closed"} == 1',
        ),
        (
            *("slow-human", "QueueRefusals", {"queue_name": "approvals"}),
            "The queue approvals of alluse refuses items",
            'queue_items{queue_name="approvals"} == 0',
        ),
    ],
)
def test_a_fault_pages_and_resolves(world, eventually, fault, alert, about, summary, well):
    """The fault's alert pages; when the fault is over, all is well again, and the alert is delivered as resolved."""
    world.engine.switch(fault, on=True)
    try:
        fired = eventually(lambda: world.delivered(alert, "firing"), 180, world.firing)
    finally:
        world.engine.switch(fault, on=False)
    (first, *_) = fired
    assert first.receiver == "page"
    assert first.labels.items() >= {"job": "alluse", "severity": "critical", **about}.items()
    assert first.labels["instance"] == world.engine.address
    assert first.annotations["summary"] == summary
    assert first.annotations["runbook"] == f"docs/runbooks/{alert}.md"
    (resolved, *_) = eventually(lambda: world.delivered(alert, "resolved"), 180, world.firing)
    assert resolved.labels == first.labels
    assert resolved.started == first.started
    assert eventually(lambda: world.query(well), 60, well)


def test_the_watchdog_arrives(world, eventually):
    """The alert that always fires is delivered to the receiver that waits for it."""
    (first, *_) = eventually(lambda: world.delivered("Watchdog", "firing"), 90, world.firing)
    assert first.receiver == "heartbeat"


def test_a_queue_that_is_nearly_full_holds_back_that_its_items_wait(world, eventually):
    """One fault, one ticket; another queue's wait is told."""
    about = {"job": "made-up", "instance": "a", "severity": "warning"}
    full = {**about, "alertname": "QueueSaturated", "queue_name": "full"}
    waits = [{**about, "alertname": "QueueWaitHigh", "queue_name": name} for name in ("full", "other")]
    world.alertmanager(full, *waits)

    def states():
        found = [each for each in world.alertmanager() if each["labels"].get("job") == "made-up"]
        return {
            (each["labels"]["alertname"], each["labels"]["queue_name"]): each["status"]["state"] for each in found
        }

    wanted = {
        ("QueueSaturated", "full"): "active",
        ("QueueWaitHigh", "full"): "suppressed",
        ("QueueWaitHigh", "other"): "active",
    }
    eventually(lambda: states() == wanted, 60, states)
