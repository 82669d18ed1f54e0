"""Queues of threads and of tasks: what waits in them, what comes and goes, and how long each item waits."""

import asyncio
import contextlib
import queue
import sys
import threading
from multiprocessing import Queue as ProcessQueue

import pytest

from manometer import Binding, UnsupportedError, instrument_queue
from manometer.testing import Figures, ManualClock
from waiting import DEADLINE, joined

KINDS = [queue.Queue, queue.LifoQueue, queue.PriorityQueue, asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue]


@pytest.mark.parametrize("kind", KINDS)
def test_depth_limit_comings_and_goings_are_told(figures, kind):
    """Of each kind, in whatever order it gives its items."""
    jobs = instrument_queue(kind(3), name="jobs", registry=figures.registry)
    assert isinstance(jobs, kind)
    for job in (2, 1, 3):
        jobs.put_nowait(job)
    assert figures("queue_items", queue_name="jobs") == 3
    assert figures("queue_item_limit", queue_name="jobs") == 3
    assert sorted(jobs.get_nowait() for _ in range(2)) in ([1, 2], [1, 3])
    assert figures("queue_items") == 1
    assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 3, "get": 2}
    assert figures("queue_wait_duration_seconds_count", queue_name="jobs") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_item_is_none_that_came(figures, kind):
    """The library's own exceptions pass through: of a full queue and of an empty one."""
    jobs = instrument_queue(kind(1), name="jobs", registry=figures.registry)
    with pytest.raises((queue.Empty, asyncio.QueueEmpty)):
        jobs.get_nowait()
    jobs.put_nowait(1)
    with pytest.raises((queue.Full, asyncio.QueueFull)):
        jobs.put_nowait(2)
    assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 1, "get": 0}


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_item_is_told(figures, kind):
    """Each counts once; to look into an empty queue is no refusal."""
    jobs = instrument_queue(kind(1), name="jobs", registry=figures.registry)
    assert figures("queue_rejections_total", queue_name="jobs") == 0
    with pytest.raises((queue.Empty, asyncio.QueueEmpty)):
        jobs.get_nowait()
    jobs.put_nowait(1)
    assert figures("queue_rejections_total") == 0
    for job in (2, 3):
        with pytest.raises((queue.Full, asyncio.QueueFull)):
            jobs.put_nowait(job)
    assert figures("queue_rejections_total", queue_name="jobs") == 2
    assert jobs.get_nowait() == 1


@pytest.mark.parametrize("how", [{"block": False}, {"timeout": 0.001}])
def test_an_item_that_waits_in_vain_is_refused(figures, how):
    """At once or after a time-out: the library says it by the same exception."""
    jobs = instrument_queue(queue.Queue(1), name="jobs", registry=figures.registry)
    jobs.put(1, **how)
    with pytest.raises(queue.Full):
        jobs.put(2, **how)
    assert figures("queue_rejections_total") == 1


def test_a_task_that_waits_for_a_place_is_not_refused(figures):
    """It gives up only where somebody cancels it, which is no word of the queue's."""

    async def run():
        jobs = instrument_queue(asyncio.Queue(1), name="jobs", registry=figures.registry)
        await jobs.put(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(jobs.put(2), 0.001)
        putting = asyncio.create_task(jobs.put(3))
        await asyncio.sleep(0)
        assert [await jobs.get(), await jobs.get()] == [1, 3]
        await putting
        assert figures("queue_rejections_total") == 0

    asyncio.run(run())


@pytest.mark.skipif(not hasattr(queue, "ShutDown"), reason="queues can be shut down since Python 3.13")
@pytest.mark.parametrize("kind", [queue.Queue, asyncio.Queue])
def test_an_end_that_the_program_has_made_is_no_refusal(figures, kind):
    """A queue that is shut down is not full."""
    jobs = instrument_queue(kind(1), name="jobs", registry=figures.registry)
    jobs.shutdown()
    with pytest.raises((queue.ShutDown, asyncio.QueueShutDown)):
        jobs.put_nowait(1)
    assert figures("queue_rejections_total") == 0


def test_a_queue_that_refuses_nothing_has_no_refusals(figures):
    """A compiled queue takes whatever comes."""
    jobs = instrument_queue(queue.SimpleQueue(), name="jobs", registry=figures.registry)
    jobs.put(1, block=False)
    assert figures("queue_rejections_total") is None


@pytest.mark.parametrize("kind", [queue.Queue, asyncio.Queue])
def test_an_endless_queue_has_no_limit(figures, kind):
    """What there is not has no series."""
    jobs = instrument_queue(kind(), name="jobs", registry=figures.registry)
    assert figures("queue_item_limit") is None
    assert figures("queue_items") == jobs.qsize() == 0


def test_each_item_waits_as_long_as_it_does():
    """From its put to its get, whatever the order."""
    clock = ManualClock()
    figures = Figures(clock=clock)
    jobs = instrument_queue(queue.LifoQueue(), name="jobs", registry=figures.registry)
    jobs.put("first")
    clock.advance(1)
    jobs.put("second")
    clock.advance(2)
    assert jobs.get() == "second"
    assert figures("queue_wait_duration_seconds_sum") == 2
    clock.advance(4)
    assert jobs.get() == "first"
    assert figures("queue_wait_duration_seconds_sum") == 2 + 7


@pytest.mark.parametrize("kind", [queue.Queue, queue.SimpleQueue])
def test_one_object_may_wait_several_times(kind):
    """Such as a number, or what tells a worker to stop: the sum and the count are right."""
    clock = ManualClock()
    figures = Figures(clock=clock)
    jobs = instrument_queue(kind(), name="jobs", registry=figures.registry)
    for _ in range(3):
        jobs.put(None)
        clock.advance(1)
    assert [jobs.get() for _ in range(3)] == [None] * 3
    assert figures("queue_wait_duration_seconds_count") == 3
    assert figures("queue_wait_duration_seconds_sum") == 3 + 2 + 1


def test_an_item_that_was_there_before_has_no_wait(figures):
    """Nobody knows since when it waits; it is counted when it goes."""
    jobs = queue.Queue()
    jobs.put(1)
    instrument_queue(jobs, name="jobs", registry=figures.registry)
    assert figures("queue_items") == 1
    assert jobs.get() == 1
    assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 0, "get": 1}
    assert figures("queue_wait_duration_seconds_count") == 0


def test_a_compiled_queue_has_a_drop_in(figures):
    """What passes through the drop-in is measured, by whichever of its methods."""
    plain = queue.SimpleQueue()
    jobs = instrument_queue(plain, name="jobs", registry=figures.registry)
    assert isinstance(jobs, queue.SimpleQueue)
    jobs.put(1)
    jobs.put(2, timeout=1)
    jobs.put_nowait(3)
    assert figures("queue_items") == 3
    assert (jobs.get(), jobs.get(timeout=1), plain.get_nowait()) == (1, 2, 3)
    with pytest.raises(queue.Empty):
        jobs.get_nowait()
    with pytest.raises(queue.Empty):
        jobs.get(timeout=0)
    assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 3, "get": 2}
    assert figures("queue_wait_duration_seconds_count") == 2
    assert figures("queue_item_limit") is None


def test_a_collection_does_not_wait_for_a_queue(figures):
    """A thread may hold the queue's lock for long, such as one that is stopped in a debugger."""
    jobs = instrument_queue(queue.Queue(), name="jobs", registry=figures.registry)
    told = []
    with jobs.mutex:
        reading = threading.Thread(target=lambda: told.append(figures("queue_items")), daemon=True)
        reading.start()
        reading.join(DEADLINE)
    assert told == [0]


def test_many_threads_lose_no_item(figures):
    """Each is counted, and waits once."""
    jobs = instrument_queue(queue.Queue(5), name="jobs", registry=figures.registry)

    def put():
        for number in range(500):
            jobs.put(number)

    def get():
        for _ in range(500):
            jobs.get(timeout=DEADLINE)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=each) for each in (put, get) * 4]
        for thread in threads:
            thread.start()
        joined(*threads)
    finally:
        sys.setswitchinterval(interval)
    assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 2000, "get": 2000}
    assert figures("queue_wait_duration_seconds_count") == 2000


def test_tasks_that_wait_for_each_other_go_on(figures):
    """`put` and `get` stay coroutines; one that is cancelled has moved no item."""

    async def run():
        jobs = instrument_queue(asyncio.Queue(1), name="jobs", registry=figures.registry)
        getting = asyncio.create_task(jobs.get())
        await asyncio.sleep(0)
        getting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await getting
        assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 0, "get": 0}
        await asyncio.gather(*(jobs.put(number) for number in range(9)), *(jobs.get() for _ in range(9)))
        jobs.task_done()
        assert figures.all("queue_operations_total", "queue_operation_type") == {"put": 9, "get": 9}
        assert figures("queue_wait_duration_seconds_count") == 9

    asyncio.run(run())


class Unique(queue.Queue):
    """Takes each item once."""

    def _init(self, maxsize):
        self.queue = {}

    def _put(self, item):
        self.queue[item] = True

    def _get(self):
        return self.queue.popitem()[0]


def test_a_queue_of_the_programs_own_is_measured(figures):
    """It keeps its items as it likes."""
    jobs = instrument_queue(Unique(), name="jobs", registry=figures.registry)
    for job in (1, 1, 2):
        jobs.put(job)
    assert figures("queue_items") == 2
    assert {jobs.get(), jobs.get()} == {1, 2}
    assert figures("queue_wait_duration_seconds_count") == 2


def test_closing_gives_the_queue_back_as_it_was(figures):
    """No method of ours is left on it."""
    jobs = instrument_queue(queue.Queue(), name="jobs", registry=figures.registry)
    Binding.of(jobs).close()
    assert type(jobs) is queue.Queue
    assert figures("queue_items") is None


@pytest.mark.parametrize("strange", [[], asyncio.Lock(), threading.Lock()])
def test_what_is_no_queue_is_refused(figures, strange):
    """The message says what is taken."""
    with pytest.raises(UnsupportedError, match=r"pass a queue of queue or asyncio|pass a asyncio\.queues\.Queue"):
        instrument_queue(strange, name="jobs", registry=figures.registry)


def test_a_queue_of_processes_is_refused(figures):
    """Its items are in no process."""
    jobs = ProcessQueue()
    with pytest.raises(UnsupportedError, match="pass a queue of queue or asyncio"):
        instrument_queue(jobs, name="jobs", registry=figures.registry)
    jobs.close()
    jobs.join_thread()
