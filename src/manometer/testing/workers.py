"""The contract of pools of workers."""

import threading
from functools import partial
from typing import Any, ClassVar

from manometer.catalogue import pool as rows
from manometer.instrumentation.pool import instrument_executor
from manometer.testing.contract import DEADLINE, Contract, equal, given, until
from manometer.testing.figures import Figures

__all__ = ["WorkersContract"]


class WorkersContract(Contract):
    """What an instrumented pool of workers keeps to.

        class TestFooExecutor(WorkersContract):
            tells = ("limit", "rejections")
            refusal = foo.ClosedError

            def make(self):
                return foo.Executor(threads=2)

            def dispose(self, executor):
                executor.close()

    make: a pool of two threads. dispose: ends them, after which `submit` raises `refusal`.
    tells: of `limit` and `rejections`, those that the adapter tells; the rest is told of each pool of workers.
    """

    subject = "pool"
    name_attribute = "pool.name"
    rows: ClassVar = {
        "resources": rows.RESOURCES,
        "limit": rows.RESOURCE_LIMIT,
        "acquisitions": rows.ACQUISITIONS,
        "rejections": rows.REJECTIONS,
        "waits": rows.WAIT_DURATION,
        "uses": rows.USE_DURATION,
        "pending": rows.PENDING_REQUESTS,
    }
    always = ("resources", "acquisitions", "waits", "uses", "pending")
    refusal: ClassVar[type[BaseException] | None] = None

    def submit(self, executor: Any, function: Any, *args: Any) -> Any:
        """Have the function run; returns what `result` takes."""
        return executor.submit(function, *args)

    def result(self, future: Any) -> Any:
        """Wait for what the function returns, or raise what it raises."""
        return future.result(DEADLINE)

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the pool."""
        return instrument_executor(target, name=name, registry=figures.registry)

    def use(self, target: Any) -> Any:
        """Have a function run."""
        self.result(self.submit(target, abs, 1))

    def test_running_and_queued_tasks_are_told(self) -> None:
        """Two of four tasks run, and two wait; then all four have waited and run."""
        self._run(self._counts)

    def test_results_and_errors_pass_through(self) -> None:
        """As without the kit."""
        self._run(self._passes_through)

    def test_a_task_that_is_turned_away_is_told(self) -> None:
        """The library's own exception passes through."""
        if self.refusal is not None:
            self._run(partial(self._refuses, self.refusal))

    async def _counts(self, figures: Figures) -> None:
        executor = self.instrument(await given(self.make()), "tried", figures)
        go, running = threading.Event(), threading.Semaphore(0)

        def task() -> None:
            running.release()
            go.wait(DEADLINE)

        try:
            futures = [self.submit(executor, task) for _ in range(4)]
            for _ in range(2):
                equal(running.acquire(timeout=DEADLINE), True, "a task runs")
            equal(self._value(figures, "resources", pool__resource__state="used"), 2, "workers at a task")
            equal(self._value(figures, "pending"), 2, "tasks that wait")
        finally:
            go.set()
        for future in futures:
            self.result(future)
        used = {"pool__resource__state": "used"}
        until(lambda: self._value(figures, "resources", **used) == 0, "no worker is at a task")
        for word in ("waits", "uses"):
            equal(self._value(figures, word, "_count"), 4, word)
        sources = figures.all(rows.ACQUISITIONS.prometheus_name, "pool_acquisition_source")
        equal(sum(sources.values()), 4, "acquisitions")
        equal(self._value(figures, "pending"), 0, "tasks that wait")
        if "limit" in self.tells:
            equal(self._value(figures, "limit"), 2, "the limit")
        await given(self.dispose(executor))

    async def _passes_through(self, figures: Figures) -> None:
        executor = self.instrument(await given(self.make()), "tried", figures)
        equal(self.result(self.submit(executor, abs, -3)), 3, "a result")
        try:
            self.result(self.submit(executor, int, "x"))
        except ValueError:
            pass
        else:
            raise AssertionError("an error of a task is lost")
        await given(self.dispose(executor))

    async def _refuses(self, refusal: type[BaseException], figures: Figures) -> None:
        executor = self.instrument(await given(self.make()), "tried", figures)
        await given(self.dispose(executor))
        try:
            self.submit(executor, abs, 1)
        except refusal:
            pass
        else:
            raise AssertionError("a closed pool takes a task")
        told = self._value(figures, "rejections")
        equal(told, 1 if "rejections" in self.tells else None, "rejections")
        equal(self._value(figures, "pending"), 0, "tasks that wait")
