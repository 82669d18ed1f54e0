"""The trace across processes: taken from the headers of a request that came in, put into those of one that goes out.

Which headers these are is for OpenTelemetry's propagators to say: `traceparent` and `baggage`, or those that
OTEL_PROPAGATORS names.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter

from manometer.meters.outages import Outages
from manometer.tracing import here

__all__ = ["continue_trace", "continued", "trace_headers", "within"]

_outages = Outages()


def trace_headers(headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Headers for a request or a message that goes out, with the trace that it belongs to.

        requests.post(url, headers=trace_headers({"Accept": "text/plain"}))

    headers: what else there is to send.
    """
    carrier = dict(headers or {})
    try:
        propagate.inject(carrier)
    except Exception:  # a propagator's fault: the request goes out all the same
        _outages.failed("out", "the trace cannot be put into headers; requests go out without it")
    return carrier


@contextmanager
def continue_trace(headers: Mapping[str, str]) -> Iterator[None]:
    """Have what happens within belong to the trace that the headers of a request or a message tell of.

        with continue_trace(message.headers), stage("ship_order"):
            ...

    headers: of any case. Where they tell of no trace, or one is under way here already, that holds.
    """
    with within(continued(headers, _HEADERS)):
        yield


def continued(carrier: Any, getter: Getter[Any]) -> Context | None:
    """The context of the trace that came with a request; None where it brought none, or one is under way already.

    getter: reads the headers.
    """
    before = here.current()
    around: Any = before.get(here.CURRENT)
    try:
        if around is not None and around.get_span_context().is_valid:
            return None
        found = propagate.extract(carrier, before, getter)
    except Exception:  # a propagator's fault, or that of what a client sent
        _outages.failed("in", "the trace of a caller cannot be read; requests begin traces of their own")
        return None
    return None if found is before or found == before else found


@contextmanager
def within(context: Context | None) -> Iterator[None]:
    """Make that context the current one; None for as it is."""
    if context is None:
        yield
        return
    token = here.attach(context)
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator that is closed elsewhere has nothing to put back
            here.detach(token)


class _Headers(Getter[Mapping[str, str]]):
    def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
        """As they are sent by convention, in lower case, or as any program may have written them."""
        found = carrier.get(key)
        if found is not None:
            return [found]
        return [value for name, value in carrier.items() if name.lower() == key.lower()] or None

    def keys(self, carrier: Mapping[str, str]) -> list[str]:
        return [*carrier]


_HEADERS = _Headers()
