"""What an adapter of a pool of workers declares: what it reads off the pool, and how tasks are submitted to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.drop_in import measurable, original
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.adapter import PoolState, figures
from manometer.instrumentation.pool.tasks import Tasks

__all__ = ["WorkersAdapter", "WorkersState"]

W = TypeVar("W")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersState:
    """What a pool of workers tells of itself at one moment. What it cannot tell stays None, and has no series.

    workers: threads that it has, busy or not; limit: how many it may have at most.
    """

    workers: int | None = None
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class WorkersAdapter(Generic[W]):
    """The adapter of a library's pools of workers, which run functions in threads of this process.

        workers = WorkersAdapter(takes=foo.Executor, read=read, waits=lambda future: future.state == "queued")

    takes: their classes. read: tells the state of one, at each collection; it must neither wait nor do I/O.
    submit: the method that takes a function and its arguments, and returns before the function is run.
    plain_submit: how that method is in the library, which only calls the function; a class of the program's own that
    has another one may look at the function, and so is given one that looks like the program's.
    waits: whether the task of what `submit` returned is still to be run; it must take no lock.
    rejections: the exceptions by which `submit` turns a task away.
    """

    takes: type[W] | tuple[type[W], ...]
    read: Callable[[W], WorkersState]
    waits: Callable[[Any], bool]
    submit: str = "submit"
    plain_submit: Callable[..., Any] | None = None
    rejections: tuple[type[BaseException], ...] = ()

    def __call__(self, executor: W, bind: Bind) -> W:
        """Measure a pool of workers; returns it, or a drop-in where its class takes no other methods."""
        if not isinstance(executor, self.takes):
            raise UnsupportedError(f"{executor!r} is no pool of workers of its library; pass {listed(self.takes)}")
        target: Any = measurable(executor)
        with bind(target, {"pool.kind": "worker"}, owned=executor, is_drop_in=target is not executor) as binding:
            tasks = Tasks(binding, self.waits, self.rejections)
            submit = getattr(type(target), self.submit)
            graft(target, {self.submit: tasks.submits(submit, disguised=submit is not self.plain_submit)})
            binding.undoes(ungraft)

            def state(target: Any) -> PoolState:
                told, used = self.read(original(target)), tasks.running
                idle = None if told.workers is None else max(told.workers - used, 0)
                return PoolState(used=used, idle=idle, limit=told.limit)

            binding.pulls(lambda target: figures(state(target), tasks.pending))
        return cast(W, target)
