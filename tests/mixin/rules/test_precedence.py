"""Which alert is raised where several tell of one fault."""

from manometer.mixin import rules
from manometer.mixin.rules.precedence import PRECEDENCE
from manometer.mixin.thresholds import Thresholds

ALERTS = rules.alerts(Thresholds())


def test_every_pair_is_of_alerts_that_there_are():
    """A name that is gone would hold nothing back, in silence."""
    named = {name for each in PRECEDENCE for name in (*each.greater, *each.lesser)}
    assert named <= {alert.name for alert in ALERTS} | {alert.key for alert in ALERTS}


def test_no_two_alerts_hold_each_other_back():
    """Both would end, begin and end for ever."""
    pairs = {
        (greater, f"{lesser} of workers" if each.workers else lesser)
        for each in PRECEDENCE
        for greater in each.greater
        for lesser in each.lesser
    }
    reached = set(pairs)
    for _ in pairs:
        reached |= {(one, last) for one, middle in reached for other, last in pairs if middle == other}
    assert not [one for one, other in reached if one == other]


def test_the_greater_alert_of_a_group_comes_first():
    """Rules of a group are evaluated one after the other, so the lesser one sees the greater at once.

    Those of workers see it from when it is pending.
    """
    order = [rule["alert"] for content in rules.files(Thresholds()).values() for rule in alerts_of(content)]
    groups = {
        rule["alert"]: group["name"]
        for content in rules.files(Thresholds()).values()
        for group in content["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    for each in PRECEDENCE:
        for greater in () if each.workers else each.greater:
            for lesser in (name.split(".")[0] for name in each.lesser):
                if groups[greater] == groups[lesser] and greater != lesser:
                    assert order.index(greater) < order.index(lesser), (greater, lesser)


def test_the_greater_alert_fires_no_later():
    """A lesser one that is told first is one notification too many."""
    holds = {alert.key: Thresholds().timing[alert.key].hold.seconds for alert in ALERTS}
    for each in PRECEDENCE:
        greatest = [
            hold for key, hold in holds.items() if key.split(".")[0] in each.greater and not key.endswith("slow")
        ]
        least = [hold for key, hold in holds.items() if {key, key.split(".")[0]} & {*each.lesser}]
        assert max(greatest) <= min(least), each


def alerts_of(content):
    """The alerts of a file, in their order."""
    return [rule for group in content["groups"] for rule in group["rules"] if "alert" in rule]
