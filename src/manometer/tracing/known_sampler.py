"""Samplers of the SDK whose rule is known, so that nobody need ask them for each trace that begins."""

import re
from typing import Any

from opentelemetry.trace import Tracer

from manometer.tracing.ids import new_span_id
from manometer.tracing.ratio import Ratio
from manometer.version import __version__

__all__ = ["known_ratio", "tracer_of_taken"]

# How the specification has samplers describe themselves.
_DESCRIBED = re.compile(r"(?:ParentBased\{root:)?(?:(AlwaysOffSampler)|TraceIdRatioBased\{([0-9.e-]+)\})")


def known_ratio(provider: object) -> Ratio | None:
    """The share that the provider's sampler takes of the traces that begin here; None where that is not known."""
    global _known
    sampler: Any = getattr(provider, "sampler", None)
    known, ratio = _known
    if sampler is not known:
        ratio = _ratio(sampler, provider)
        _known = sampler, ratio
    return ratio


def tracer_of_taken(provider: Any, ratio: Ratio) -> Tracer:
    """A tracer of the provider. Each trace that begins with one of its spans has an id that the sampler takes."""
    tracer: Any = provider.get_tracer("manometer", __version__)
    tracer.id_generator = _Taken(ratio)
    found: Tracer = tracer
    return found


class _Taken:
    """Ids for the SDK, in the place of its own random ones."""

    def __init__(self, ratio: Ratio) -> None:
        self.generate_trace_id, self.generate_span_id = ratio.taken_id, new_span_id

    def is_trace_id_random(self) -> bool:
        """As the SDK's own generator says of its ids."""
        return True


def _ratio(sampler: Any, provider: Any) -> Ratio | None:
    if type(sampler).__module__ != "opentelemetry.sdk.trace.sampling":
        return None
    described = _DESCRIBED.match(sampler.get_description())
    if described is None:
        return None
    ratio = Ratio(float(described[2] or 0))
    ids = type(getattr(provider, "id_generator", None))
    is_random = (ids.__module__, ids.__name__) == ("opentelemetry.sdk.trace.id_generator", "RandomIdGenerator")
    return ratio if is_random or ratio.share == 0 else None  # a program may want ids of its own


_known: tuple[object, Ratio | None] = (None, None)
