"""A span of ours in the form that the exporters of OpenTelemetry's SDK take."""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link

from manometer.version import __version__

__all__ = ["sdk_span"]

_SCOPE = InstrumentationScope("manometer", __version__)
"""What made the spans of stages."""


def sdk_span(
    name: str,
    attributes: Mapping[str, Any],
    events: Sequence[Event] = (),
    links: Sequence[Link] = (),
    **settings: Any,
) -> ReadableSpan:
    """The span; `settings` are those of ReadableSpan. Earlier SDKs ask what it has how many of it were dropped."""
    bounded = attributes if isinstance(attributes, BoundedAttributes) else BoundedAttributes(None, attributes)
    return ReadableSpan(
        name,
        attributes=bounded,
        events=BoundedList.from_seq(None, events),
        links=BoundedList.from_seq(None, links),
        instrumentation_scope=_SCOPE,
        **settings,
    )
