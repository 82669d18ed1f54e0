"""What a colour means, the same in every panel."""

from typing import TypeAlias

__all__ = ["BAD", "GOOD", "NOTE", "PLAIN", "QUIET", "RED_FROM_ANY", "WORRY", "Steps", "worst_from"]

Steps: TypeAlias = tuple[tuple[float | None, str], ...]
"""Colours from a value on, the first from minus infinity."""

GOOD = "green"
"""As it should be."""

WORRY = "orange"
"""To be looked at in working hours."""

BAD = "red"
"""As bad as an alert's threshold, or a failure."""

NOTE = "blue"
"""A fact that is neither good nor bad."""

QUIET = "text"
"""Nothing to see: no figure, or one that means nothing."""

PLAIN: Steps = ((None, NOTE),)
"""No value is better than another."""

RED_FROM_ANY: Steps = ((None, GOOD), (1e-9, BAD))
"""Each one is one too many."""


def worst_from(limit: float, low: bool = False) -> Steps:
    """Green on the right side of an alert's threshold, red on the other; low: the bad side is below."""
    return ((None, BAD), (limit, GOOD)) if low else ((None, GOOD), (limit, BAD))
