"""One fault is told as one: what is told of it, to whom, and that each alert that was told is told to be over."""

import pytest

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    ("fault", "cause", "receiver"),
    [("exhausted-pool", "PoolTimeouts", "page"), ("stalled-loop", "EventLoopLagHigh", "ticket")],
)
def test_a_fault_is_told_by_its_cause_and_every_alert_of_it_ends(world, eventually, fault, cause, receiver):
    """What it brings about is not told beside it: a slow stage, a wait, a pool that is full."""
    before = len(world.inbox.deliveries)
    world.engine.switch(fault, on=True)
    try:
        eventually(lambda: world.delivered(cause, "firing"), 240, world.firing)
        import time
        time.sleep(90)
    finally:
        world.engine.switch(fault, on=False)

    def told(status):
        return {
            (each.receiver, each.labels["alertname"])
            for each in world.inbox.deliveries[before:]
            if each.status == status and each.labels["alertname"] != "Watchdog"
        }

    eventually(lambda: told("resolved") == told("firing"), 600, lambda: (told("firing"), told("resolved")))
    print("TOLD", fault, told("firing"), [(e.receiver,e.status,e.labels["alertname"],e.started) for e in world.inbox.deliveries[before:] if e.labels["alertname"]!="Watchdog"])
    assert told("firing") == {(receiver, cause)}
