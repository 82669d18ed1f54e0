"""What is pushed, and as whose: one process's figures, or those of a whole group by one of its processes."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from prometheus_client import CollectorRegistry

from manometer.meters.family import Family
from manometer.registry.collection import Collected
from manometer.registry.limits import Limits
from manometer.registry.timely import collect_in_time

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = ["Alone", "Group", "Source"]

_ENDING_SECONDS = 60.0
"""Time to wait for the last push of another process; whoever waits for this one has a bound of its own."""


class Source(Protocol):
    """What a push has its figures from."""

    def turn(self, *, last: bool) -> bool:
        """Whether this process is the one to push. last: whether it will not push again. Raises OSError."""

    def instance(self, given: str | None) -> str:
        """What tells these figures from others of the service; only for whoever has the turn.

        given: what OpenTelemetry's variables say.
        """

    def collect(self, patience: float) -> Iterable[Collected]:
        """The figures; IncompleteError where totals would fall. patience: seconds that a collector may take."""

    def end(self) -> None:
        """Leave the turn to others."""

    def renew(self) -> None:
        """In a forked child: the turn, and the name, are its parent's."""

    def brought_along(self) -> Iterable[Family]:
        """In a child that was forked just now: the figures of its parent that the child's go on from."""


class Alone:
    """The figures of this process. of_many: whether other processes of the program push theirs."""

    def __init__(self, registry: CollectorRegistry, *, of_many: bool = False) -> None:
        self._registry, self._of_many = registry, of_many
        self.renew()

    def turn(self, *, last: bool) -> bool:  # noqa: ARG002 - nobody else has it
        return True

    def instance(self, given: str | None) -> str:
        return self._own if given is None or self._of_many else given

    def collect(self, patience: float) -> Iterable[Collected]:
        return collect_in_time(self._registry, limits=Limits(patience))

    def end(self) -> None:
        pass

    def renew(self) -> None:
        self._own = str(uuid4())

    def brought_along(self) -> Iterable[Family]:
        if not self._of_many:  # the child pushes nothing
            return ()
        from manometer.processes.fork_baseline import counts_at_fork  # loaded where there is a worker

        return counts_at_fork(self._registry, time.time())


class Group:
    """The figures of all processes of a directory, pushed by whichever has the turn until it ends."""

    def __init__(self, worker: "Worker") -> None:
        from manometer.processes import group_registry  # loaded where there is a worker
        from manometer.processes.turn import Turn

        self._registry = group_registry(worker)
        self._worker, self._turn = worker, Turn(worker.directory.path, "otlp")

    def turn(self, *, last: bool) -> bool:
        if not last:
            return self._turn.take()
        self._worker.flush()  # before it asks: whoever has the turn, and does not end, pushes these figures too
        if not self._turn.take(_ENDING_SECONDS):
            return False
        self._turn.is_last()
        return True

    def instance(self, given: str | None) -> str:
        return self._turn.group if given is None else given

    def collect(self, patience: float) -> Iterable[Collected]:
        return collect_in_time(self._registry, limits=Limits(patience))

    def end(self) -> None:
        self._turn.end()

    def renew(self) -> None:
        self._turn.forget()

    def brought_along(self) -> Iterable[Family]:
        return ()
