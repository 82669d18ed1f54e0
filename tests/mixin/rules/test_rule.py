"""What becomes of an alert, and which are refused."""

from dataclasses import replace

import pytest

from manometer.errors import ConfigError
from manometer.mixin.rules.rule import Alert, Severity
from manometer.mixin.thresholds import Duration, Thresholds, Timing

ALERT = Alert(
    name="BreakerOpen", expr="vector(1)", severity=Severity.CRITICAL, fires="f", summary="s", description="d"
)


def test_an_alert_gets_its_timing_severity_and_runbook():
    """None of these stands in the alert's own data."""
    config = Thresholds(runbooks="https://wiki/X/", timing={"BreakerOpen": Timing(Duration("3m"), Duration("1m"))})
    assert ALERT.entry(config, {"BreakerOpen"}) == {
        "alert": "BreakerOpen",
        "expr": "vector(1)",
        "for": "3m",
        "keep_firing_for": "1m",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "s", "description": "d", "runbook_url": "https://wiki/X/BreakerOpen.md"},
    }


@pytest.mark.parametrize(
    ("alert", "part"),
    [
        (replace(ALERT, summary=" "), "has no summary"),
        (replace(ALERT, description=""), "has no description"),
        (replace(ALERT, fires=""), "has no fires"),
        (replace(ALERT, name="Unheard"), "has no timing"),
        (replace(ALERT, name="TargetDown"), "docs/runbooks/TargetDown.md"),
    ],
)
def test_an_alert_without_its_parts_is_refused(alert, part):
    """Nobody is paged without being told what, and what to do."""
    with pytest.raises(ConfigError, match=part):
        alert.entry(Thresholds(), {"BreakerOpen"})


def test_runbooks_are_not_asked_for_where_they_are_not_at_hand():
    """Rendering into an empty folder works."""
    assert ALERT.entry(Thresholds(), None)["alert"] == "BreakerOpen"
