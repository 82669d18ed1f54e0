"""Which traces are recorded, and which are left by runs that were not recorded, as the settings have it."""

from dataclasses import dataclass
from typing import Self

from manometer.config import Settings

__all__ = ["Sampling"]

_PARENT_BASED = "parentbased_"


@dataclass(frozen=True, slots=True)
class Sampling:
    """The decision on a trace, which is made once: where the trace enters or begins.

    share: of the traces that begin here, how many are recorded. follows_caller: whether a caller's decision holds.
    left_a_second: traces, at most, that runs may leave afterwards. slow_after: seconds from which on such a run is
    slow, None where each stage's own recent times say so.
    """

    share: float
    follows_caller: bool = True
    left_a_second: float = 0.0
    slow_after: float | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What these settings say; `always_off` means it, so no run leaves a trace then."""
        kind = settings.trace_sampler.removeprefix(_PARENT_BASED)
        share = {"always_on": 1.0, "always_off": 0.0}.get(kind, settings.trace_ratio)
        left = 0.0 if kind == "always_off" else settings.traces_afterwards
        return cls(share, kind != settings.trace_sampler, left, settings.slow_run_seconds)
