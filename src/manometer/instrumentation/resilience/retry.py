"""What an adapter of retries declares: by which methods the library decides what follows an attempt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from manometer.catalogue import resilience as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.graft import Methods, graft, ungraft

__all__ = ["RetryAdapter", "RetryEvents"]

T = TypeVar("T")


class RetryEvents:
    """What an adapter counts as it happens. What it does not ask for has no series."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding

    def attempts(self, outcome: Literal["ok", "retried", "exhausted"]) -> Callable[[], object]:
        """What to call for an attempt that succeeded, for one that is tried again, or for one that failed for good.

        It is one C call, which any thread may make at any time.
        """
        return self._binding.counter(rows.RETRY_ATTEMPTS, {"retry.attempt.outcome": outcome}).tick


def _itself(target: Any) -> Any:
    return target


@dataclass(frozen=True, kw_only=True)
class RetryAdapter:
    """The adapter of a library's retries.

        retry = RetryAdapter(takes=foo.Retry, methods=methods)

    takes: the classes of what retries. methods: given the class of one and the events, returns the methods that
    count; each of them calls the class's own. retry_of: what retries, of what the program passes, such as of a
    function that the library has decorated.
    """

    takes: type | tuple[type, ...]
    methods: Callable[[Any, RetryEvents], Methods]
    retry_of: Callable[[Any], Any] = _itself

    def __call__(self, target: T, bind: Bind) -> T:
        """Measure what retries; returns what was passed."""
        retry = self.retry_of(target)
        if not isinstance(retry, self.takes):
            raise UnsupportedError(f"{target!r} is not retried by its library; pass {listed(self.takes)}")
        with bind(target, owned=retry) as binding:
            ungraft(retry)  # a copy of a counted object may have that object's graft
            graft(retry, self.methods(type(retry), RetryEvents(binding)))
            binding.undoes(lambda target: ungraft(self.retry_of(target)))
        return target
