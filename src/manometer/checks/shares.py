"""How much of something is used, and whether that is too much."""

from manometer.errors import BindingError
from manometer.health import Finding

__all__ = ["MOST", "checked", "used"]

MOST = 0.9
"""The share that may be used where a check is told no other."""


def checked(what: str, at_most: float) -> float:
    """The share as it is; BindingError where it is none."""
    if not 0 < at_most <= 1:
        raise BindingError(
            f"the check of {what} has at_most={at_most!r}; pass a share over 0 and up to 1, such as 0.9"
        )
    return at_most


def used(what: str, share: float, at_most: float) -> Finding:
    """What it means that such a share is used."""
    problem = f"{share:.1%} of {what} is used, over {at_most:.0%}" if share > at_most else None
    return Finding(problem, round(100 * share, 1), "percent", "utilization")
