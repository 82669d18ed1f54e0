"""The decision of OpenTelemetry's ratio sampler on a trace that begins, without an id for it."""

from manometer.tracing.ids import chance

__all__ = ["Ratio"]

_LIMIT = 1 << 64  # the sampler compares the lower half of a trace's id with the ratio's share of this


class Ratio:
    """A share of the traces, and the ids that the sampler takes at it, or leaves.

    share: what a random number from 0 to 1 has to be under, for a trace to be taken. Its id, where anybody wants to
    know it, is one on which the sampler would decide the same, so that other services agree.
    """

    __slots__ = ("_bound", "share")

    def __init__(self, share: float) -> None:
        self._bound = round(share * _LIMIT)
        self.share = self._bound / _LIMIT

    def takes(self, trace_id: int) -> bool:
        """Whether the trace of that id is taken."""
        return trace_id % _LIMIT < self._bound

    def taken_id(self) -> int:
        """A new id of a trace that is taken; any, where the sampler takes none by itself."""
        return _with_lower_half(chance.randrange(self._bound or _LIMIT))

    def left_id(self) -> int:
        """A new id of a trace that is not; the share is under 1."""
        return _with_lower_half(chance.randrange(self._bound, _LIMIT))


def _with_lower_half(lower: int) -> int:
    return chance.getrandbits(64) << 64 | lower or 1
