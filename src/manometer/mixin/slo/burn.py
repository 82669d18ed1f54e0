"""How fast an error budget is spent: over which windows that is looked at, and how fast is too fast.

The pairs of windows and the shares of the budget are those of Google's Site Reliability Workbook, chapter 5,
"Alerting on SLOs": the long window says that it matters, the short one that it still goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from manometer.mixin.promql import WINDOW, over
from manometer.mixin.thresholds import Duration

__all__ = ["DAYS", "FAST", "HOURS", "MONTH", "SLOW", "Pace", "burn_rate", "burning", "error_share", "known"]


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
MONTH = Duration("30d")
"""The window of a budget where nothing else is said."""

HOURS = tuple(sorted({each for pace in FAST for each in (pace.short, pace.long)}, key=lambda each: each.seconds))
"""The windows of the fast paces, the shortest first."""
DAYS = tuple(each for pace in SLOW for each in (pace.short, pace.long) if each not in HOURS)
"""The other windows, of the slow paces alone."""


def burn_rate(errors: str, events: str, window: Duration, interval: Duration, budget_ratio: float) -> str:
    """How many times as fast as it may the budget was spent over the window; nothing where nothing happened.

    errors, events: series of how many there are a second, over WINDOW, recorded each `interval`; budget_ratio: the
    share of events that may be errors.
    """
    share = error_share(errors, events, window)
    spent = share if window == WINDOW else f"{share}\n* {known(events, window, interval)}"
    return f"{spent}\n/ {budget_ratio:.9g}"


def error_share(errors: str, events: str, window: Duration) -> str:
    """The share of the window's events that were errors. Sums are divided, so that every event weighs the same."""
    if window == WINDOW:  # the series look back as far themselves
        return f"{errors} / ({events} > 0)"
    return f"{over('sum', errors, window)}\n/ ({over('sum', events, window)} > 0)"


def known(series: str, window: Duration, interval: Duration) -> str:
    """The share of the window that has figures. interval: how often the series is recorded.

    A share of errors times this counts the rest of the window as one without errors: an hour of errors is as much of
    a day where this hour is all that Prometheus knows. Otherwise a short fault on a young Prometheus would seem to
    have lasted for the whole window.
    """
    return f"clamp_max({over('count', series, window)} / {round(window.seconds / interval.seconds)}, 1)"


def burning(
    paces: tuple[Pace, ...], window: Duration, series: Callable[[Duration], str], budget_ratio: float = 1
) -> str:
    """Where the budget of the window is spent at one of these paces: the figure of the pace's short window.

    series: the burn rate's over a window; or that of the share of errors, with the budget that it is compared with.
    """
    alternatives = []
    for pace in paces:
        limit = f"{pace.factor(window) * budget_ratio:.6g}"
        alternatives.append(f"({series(pace.short)} > {limit} and {series(pace.long)} > {limit})")
    return "(" + "\nor ".join(alternatives) + ")"
