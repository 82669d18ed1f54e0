"""How a run is judged and shown, and what its clock does to the rules."""

from dataclasses import replace

import pytest

from fault_matrix.expectations import FAULTS
from fault_matrix.matrix import Seen, complaints
from fault_matrix.pace import Pace
from fault_matrix.record import in_short, table

FAULT = next(each for each in FAULTS if each.name == "exhausted-pool")
RIGHT = Seen(fired=[("critical", "PoolTimeouts"), ("info", "PoolTooSmall")], pages=1)


def test_what_has_to_be_told_and_is_told_once_is_right():
    """Advice may come besides."""
    assert complaints(FAULT, RIGHT) == []


@pytest.mark.parametrize(
    ("seen", "complaint"),
    [
        ({"fired": []}, "exhausted-pool: PoolTimeouts (critical) did not fire"),
        (
            {"fired": [*RIGHT.fired, ("warning", "PoolSaturated")]},
            "exhausted-pool: PoolSaturated (warning) fired",
        ),
        ({"pages": 2}, "exhausted-pool: 2 pages, not 1"),
        ({"tickets": 1}, "exhausted-pool: 1 tickets"),
        ({"ended": False}, "exhausted-pool: the end was not told, of what has ended"),
        ({"lasting": ["PoolTimeouts"]}, "exhausted-pool: the end was not told, of PoolTimeouts"),
    ],
)
def test_what_is_wrong_is_named(seen, complaint):
    """Each kind of mistake."""
    assert complaints(FAULT, replace(RIGHT, **seen)) == [complaint]


def test_the_clock_goes_faster_and_nothing_else_changes():
    """Times of a rule, and neither names nor numbers."""
    rule = {
        "alert": "A1m",
        "expr": "a:rate5m[1h:10m] > 5 and rate(b[5m] offset 1d) > 60",
        "for": "2m",
        "labels": {"a": "1m"},
    }
    assert Pace(10).rules({"groups": [{"interval": "15s", "rules": [rule]}]}) == {
        "groups": [
            {
                "interval": "1500ms",
                "rules": [
                    {
                        "alert": "A1m",
                        "expr": "a:rate5m[360000ms:60000ms] > 5 and rate(b[30000ms] offset 8640000ms) > 60",
                        "for": "12000ms",
                        "labels": {"a": "1m"},
                    }
                ],
            }
        ]
    }


def test_the_waits_of_a_route_are_shorter_too():
    """Of the routes below it as well; how often something is told again is not."""
    route = {"group_wait": "10s", "repeat_interval": "4h", "routes": [{"receiver": "page", "group_interval": "1m"}]}
    assert Pace(10).route(route) == {
        "group_wait": "1000ms",
        "repeat_interval": "4h",
        "routes": [{"receiver": "page", "group_interval": "6000ms", "routes": []}],
    }


def test_a_run_is_shown_whole_and_in_short():
    """Who was told, how often, and whether of the end."""
    how = {"python": "3.11.2", "pace": 5.0}
    run = {"well": Seen().json() | how, FAULT.name: RIGHT.json() | how}
    assert table(run).splitlines()[2:4] == [
        "| ALL-USE, nothing is wrong |  |  | none |  | 5 |",
        f"| {FAULT.does} | `PoolTimeouts` |  | 1 page | yes | 5 |",
    ]
    assert in_short(run).splitlines()[2:] == [
        f"| one page | {FAULT.does} (`PoolTimeouts`) |",
        "| a ticket |  |",
        "| advice |  |",
        "| nothing | ALL-USE, nothing is wrong |",
    ]
