"""What the checks of a group come to, together with the phase that the program is in."""

from collections.abc import Iterable
from typing import NamedTuple

from manometer.health.check_state import LIVE, READY, STARTUP, Check
from manometer.health.lifecycle import Lifecycle, Phase

__all__ = ["Verdict", "verdict"]


class Verdict(NamedTuple):
    """What a group comes to at one moment.

    checks: those of the group; failing: those of them that have it fail; hindrance: what else does, in words.
    """

    checks: list[Check]
    failing: list[Check]
    hindrance: str | None

    @property
    def is_well(self) -> bool:
        """Whether nothing has the group fail."""
        return not self.failing and self.hindrance is None


def verdict(checks: Iterable[Check], lifecycle: Lifecycle, group: str | None) -> Verdict:
    """What that group comes to, or all of them where it is None. A program is not ready before it has started."""
    asked = frozenset((READY, STARTUP) if group == READY else () if group is None else (group,))
    own = [each for each in checks if group is None or not asked.isdisjoint(each.groups)]
    failing = [each for each in own if any(map(each.fails, asked or each.groups))]
    return Verdict(own, failing, _hindrance(lifecycle, group))


def _hindrance(lifecycle: Lifecycle, group: str | None) -> str | None:
    phase = lifecycle.phase
    if group == LIVE or phase is Phase.READY or (group == STARTUP and lifecycle.has_started):
        return None
    return f"the program is {phase.value}"
