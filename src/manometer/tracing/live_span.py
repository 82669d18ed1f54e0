"""A span of ours while its run is under way: most of its cost is paid when it leaves, not while the program waits."""

from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from manometer.tracing.described import Described
from manometer.tracing.sdk_span import sdk_span

__all__ = ["LiveSpan"]

_UNSET = Status()


class LiveSpan(trace.Span):
    """The span of a run, which the program may add to as to the SDK's own, until it ends.

    begins_with: attributes that all runs of the stage share. parent: None for the first span of a trace. take: has
    the span sent once it has ended.
    """

    __slots__ = (
        *("_added", "_begins_with", "_events", "_kind", "_limits", "_links", "_name", "_parent", "_resource"),
        *("_start", "_status", "_take", "context", "end_time"),
    )

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        begins_with: Mapping[str, Any],
        resource: Resource,
        limits: SpanLimits,
        take: Callable[["LiveSpan"], object],
    ) -> None:
        self.context, self._parent = context, parent
        self._name, self._kind, self._begins_with = name, kind, begins_with
        self._resource, self._limits, self._take = resource, limits, take
        self._added: BoundedAttributes | None = None
        self._events: list[Event] | None = None
        self._links: list[Link] | None = None
        self._status = _UNSET
        self.end_time: int | None = None
        self._start = time_ns()

    def get_span_context(self) -> SpanContext:
        return self.context

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Those that it has by now, by the name that the SDK's own spans have for them."""
        return self._begins_with if self._added is None else self._added

    def is_recording(self) -> bool:
        return self.end_time is None

    def end(self, end_time: int | None = None) -> None:
        if self.end_time is None:
            self.end_time = time_ns() if end_time is None else end_time
            self._take(self)

    def set_attribute(self, key: str, value: Any) -> None:
        if self.end_time is None:
            if self._added is None:
                limits = self._limits
                self._added = BoundedAttributes(
                    limits.max_span_attributes,
                    self._begins_with,
                    immutable=False,
                    max_value_len=limits.max_span_attribute_length,
                )
            self._added[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        events = self._events = self._events or []
        if self.end_time is None and _has_room(events, self._limits.max_events):
            limits = self._limits
            told = BoundedAttributes(
                limits.max_event_attributes, attributes, immutable=True, max_value_len=limits.max_attribute_length
            )
            events.append(Event(name, told, timestamp))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        links = self._links = self._links or []
        if self.end_time is None and _has_room(links, self._limits.max_links):
            links.append(Link(context, attributes))

    def update_name(self, name: str) -> None:
        if self.end_time is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        wanted = status if isinstance(status, Status) else Status(status, description)
        is_settled = self._status.status_code is StatusCode.OK  # by the convention, which also has none unset
        if self.end_time is None and not is_settled and not wanted.is_unset:
            self._status = wanted

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        told = {**Described.of(exception).event, "exception.escaped": str(escaped), **(attributes or {})}
        self.add_event("exception", told, timestamp)

    def finished(self) -> ReadableSpan:
        """The span as exporters take it, once it has ended."""
        return sdk_span(
            self._name,
            context=self.context,
            parent=self._parent,
            resource=self._resource,
            attributes=self._begins_with if self._added is None else self._added,
            events=self._events or (),
            links=self._links or (),
            kind=self._kind,
            status=self._status,
            start_time=self._start,
            end_time=self.end_time,
        )


def _has_room(kept: list[Any], at_most: int | None) -> bool:
    return at_most is None or len(kept) < at_most
