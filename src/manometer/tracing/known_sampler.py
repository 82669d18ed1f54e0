"""Samplers of the SDK that sample no trace that begins here, so that nobody need ask them for each."""

import re
from typing import Any

__all__ = ["never_samples"]

# How the specification has samplers describe themselves.
_NEVER = re.compile(r"(ParentBased\{root:)?(AlwaysOffSampler|TraceIdRatioBased\{0(\.0*)?\})")


def never_samples(provider: object) -> bool:
    """Whether the provider's sampler is known to sample no trace that begins here."""
    global _known
    sampler: Any = getattr(provider, "sampler", None)
    known, answer = _known
    if sampler is not known:
        answer = type(sampler).__module__ == "opentelemetry.sdk.trace.sampling" and bool(
            _NEVER.match(sampler.get_description())
        )
        _known = sampler, answer
    return answer


_known: tuple[object, bool] = (None, False)
