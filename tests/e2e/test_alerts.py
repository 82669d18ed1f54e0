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

    def delivered(status):
        return [each for each in world.delivered(alert, status) if each.labels["job"] == "alluse"]

    world.engine.switch(fault, on=True)
    try:
        fired = eventually(lambda: delivered("firing"), 180, world.firing)
    finally:
        world.engine.switch(fault, on=False)
    (first, *_) = fired
    assert first.receiver == "page"
    assert first.labels.items() >= {"severity": "critical", **about}.items()
    assert first.labels["instance"] == world.engine.address
    assert first.annotations["summary"] == summary
    assert first.annotations["runbook"] == f"docs/runbooks/{alert}.md"
    (resolved, *_) = eventually(lambda: delivered("resolved"), 180, world.firing)
    assert resolved.labels == first.labels
    assert resolved.started == first.started
    assert eventually(lambda: world.query(well), 60, well)


def test_the_watchdog_arrives(world, eventually):
    """The alert that always fires is delivered to the receiver that waits for it."""
    (first, *_) = eventually(lambda: world.delivered("Watchdog", "firing"), 90, world.firing)
    assert first.receiver == "heartbeat"


def test_alerts_of_one_job_come_together_and_silence_nobody(world, eventually):
    """One page about a job, one ticket about a target; what is wrong with one target hides nothing of another."""
    job = {"job": "made-up"}
    pages = [
        {**job, "alertname": "PoolTimeouts", "severity": "critical", "instance": "a", "pool_name": "orders"},
        {**job, "alertname": "BreakerOpen", "severity": "critical", "instance": "b", "breaker_name": "broker"},
    ]
    tickets = [
        {**job, "alertname": name, "severity": "warning", "instance": instance}
        for name in ("CacheHitRatioLow", "MemoryHigh")
        for instance in ("a", "b")
    ]
    world.alertmanager(*pages, *tickets)

    def groups():
        return sorted(
            (
                each["receiver"]["name"],
                *each["labels"].values(),
                *sorted((alert["labels"]["alertname"], alert["status"]["state"]) for alert in each["alerts"]),
            )
            for each in world.alertmanager_groups()
            if each["labels"].get("job") == "made-up"
        )

    wrong = (("CacheHitRatioLow", "active"), ("MemoryHigh", "active"))
    wanted = [
        ("page", "made-up", ("BreakerOpen", "active"), ("PoolTimeouts", "active")),
        ("ticket", "a", "made-up", *wrong),
        ("ticket", "b", "made-up", *wrong),
    ]
    eventually(lambda: groups() == wanted, 60, groups)
