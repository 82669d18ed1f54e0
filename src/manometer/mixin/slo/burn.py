"""How fast an error budget is spent: over which windows that is looked at, and how fast is too fast.

The pairs of windows and the shares of the budget are those of Google's Site Reliability Workbook, chapter 5,
"Alerting on SLOs": the long window says that it matters, the short one that it still goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from manometer.mixin.promql import WINDOW, over
from manometer.mixin.thresholds import Duration

__all__ = ["DAYS", "FAST", "HOURS", "SLOW", "Pace", "burn_rate", "burning"]


@dataclass(frozen=True, slots=True)
class Pace:
    """A share of a budget that is spent within the long window, and is still being spent in the short one."""

    share: float
    long: Duration
    short: Duration

    def factor(self, window: Duration) -> float:
        """How many times as fast as it may the budget of this window is spent then, 1 at least."""
        return max(round(self.share * window.seconds / self.long.seconds, 6), 1)


FAST = (Pace(0.02, Duration("1h"), Duration("5m")), Pace(0.05, Duration("6h"), Duration("30m")))
SLOW = (Pace(0.1, Duration("1d"), Duration("2h")), Pace(0.1, Duration("3d"), Duration("6h")))
HOURS = tuple(sorted({each for pace in FAST for each in (pace.short, pace.long)}, key=lambda each: each.seconds))
"""The windows of the fast paces, the shortest first."""
DAYS = tuple(each for pace in SLOW for each in (pace.short, pace.long) if each not in HOURS)
"""The other windows, of the slow paces alone."""


def burn_rate(errors: str, events: str, window: Duration, interval: Duration, budget_ratio: float) -> str:
    """How many times as fast as it may the budget was spent over the window; nothing where nothing happened.

    errors, events: series of how many there are a second, over WINDOW, recorded each `interval`; budget_ratio: the
    share of events that may be errors.
    Sums are divided, so that every event weighs the same. The part of the window that has no figures counts as one
    without errors: an hour of errors is as much of a day where Prometheus has this hour's figures alone. Otherwise a
    short fault on a young Prometheus would seem to last for days.
    """
    if window == WINDOW:  # the series look back as far themselves
        return f"{errors}\n/ ({events} > 0)\n/ {budget_ratio:.9g}"
    full = round(window.seconds / interval.seconds)
    known = f"clamp_max({over('count', events, window)} / {full}, 1)"
    return f"{over('sum', errors, window)}\n/ ({over('sum', events, window)} > 0)\n* {known}\n/ {budget_ratio:.9g}"


def burning(paces: tuple[Pace, ...], window: Duration, series: Callable[[str], str]) -> str:
    """Where the budget of the window is spent at one of these paces: the burn rate of the pace's long window.

    series: the burn rate's over a window.
    """
    alternatives = [
        f"({series(pace.long)} > {pace.factor(window):g} and {series(pace.short)} > {pace.factor(window):g})"
        for pace in paces
    ]
    return "(" + "\nor ".join(alternatives) + ")"
