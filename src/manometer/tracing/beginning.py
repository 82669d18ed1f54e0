"""Where traces begin of which a share is recorded: a random number decides on each, and nobody asks the sampler."""

from sys import getrefcount

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext

from manometer.tracing import here
from manometer.tracing.ids import chance
from manometer.tracing.place import Leaving
from manometer.tracing.place_span import PlaceSpan
from manometer.tracing.ratio import Ratio

__all__ = ["REFERENCES", "Beginning", "Unrecorded"]


class Unrecorded:
    """A trace that is not recorded: the context of what is in it, and the place where its runs leave their times.

    Only one trace at a time has it. The next may have it where nobody can have seen it: nobody has asked for the ids
    of its span, and nobody else refers to its context, such as a task that was started in it and goes on.
    pair: see `latest`.
    """

    __slots__ = ("context", "pair", "place", "span")

    def __init__(self, before: Context, span: PlaceSpan) -> None:
        self.span, self.place = span, span.place
        self.context = Context({**before, here.CURRENT: span})
        self.pair = self.context, None if span.place.note is None else span.place


class Beginning:
    """A context in which no trace is under way.

    giver: the span that put the item which was taken here, where it is recorded. Then what begins here is too.
    share: of the traces that begin here, how many are recorded.
    spare: traces of before, for those to come. A call that begins a trace takes one by a single call of C, so that no
    two threads have the same one.
    """

    __slots__ = ("context", "giver", "pair", "provider", "ratio", "recorder", "share", "spare")
    note = None

    def __init__(
        self,
        context: Context,
        provider: object,
        recorder: Leaving | None,
        ratio: Ratio,
        giver: SpanContext | None = None,
    ) -> None:
        self.context, self.provider, self.recorder = context, provider, recorder
        self.ratio, self.giver = ratio, giver
        self.share = ratio.share if giver is None else 1.0
        self.spare: list[Unrecorded] = []
        self.pair = context, self

    def takes(self) -> bool:
        """Whether the trace that begins now is recorded."""
        return chance.random() < self.share

    def another(self) -> Unrecorded:
        """One more trace that is not recorded."""
        return Unrecorded(self.context, self.unrecorded())

    def unrecorded(self) -> PlaceSpan:
        """The span of a run that begins a trace which is not recorded."""
        return PlaceSpan(self.provider, self.recorder, None, new_trace_id=self.ratio.left_id)


def _references() -> int:
    trace = Unrecorded(Context(), PlaceSpan(None, None, None))
    return getrefcount(trace.context)


REFERENCES = _references()
"""Those to the context of a trace that nobody else refers to, as this interpreter counts them."""
