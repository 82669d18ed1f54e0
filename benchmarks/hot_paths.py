"""The hottest paths of both kits, each run alone in a forked process: what `instructions.py` counts.

python benchmarks/hot_paths.py SEED prints a line of JSON for each program: what it measures, and for each side two
processes, one that ran the statement some times and one that ran it many times more. With another seed, everything
lies elsewhere in memory.
"""

import itertools
import json
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from timeit import Timer

# A clock on which a microsecond passes between two readings: the time that a call really took would decide how many
# instructions it takes to sort 256 such times. Both kits take this function when they are imported.
time.perf_counter = itertools.count(0.0, 1e-6).__next__

import cachetools  # noqa: E402
import prometheus_client  # noqa: E402
from opentelemetry import trace  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from prometheus_client import CollectorRegistry, generate_latest  # noqa: E402

import manometer  # noqa: E402
from manometer.tracing.recorder import Recorder  # noqa: E402
from manometer.tracing.sampling import Sampling  # noqa: E402
from manometer.tracing.spans import record_by  # noqa: E402

_KITS = (manometer, prometheus_client)
_BUCKETS = [2.0**power for power in range(-9, 8)]
_CHILDREN = 50
_WRITES = (2_560, 12_800)  # whole batches of 256, which a histogram folds
_SCRAPES = (4, 16)

Statement = tuple[str, dict[str, object]]
"""A statement, and what its names stand for."""


@dataclass(frozen=True)
class Program:
    """Two ways of doing a thing. times: how often the statement runs in the first process and in the second."""

    name: str
    against: str
    ours: Callable[[], Statement]
    theirs: Callable[[], Statement]
    times: tuple[int, int] = _WRITES
    target: float | None = None


def programs() -> list[Program]:
    """What is counted; the targets are those of the same paths by the clock."""
    return [
        _by_kit("counter increment, bound child", "Counter.inc", _increment, target=0.25),
        _by_kit("labels by position, and increment", "Counter.labels().inc", _labels),
        _by_kit("histogram observation, folding included", "Histogram.observe", _observation, target=0.25),
        Program("@stage", "prometheus-client @hist.time()", _stage, _timed, target=0.3),
        Program("@stage in a trace that is not recorded", "prometheus-client @hist.time()", _stage_within, _timed),
        Program("@stage that begins a trace, not recorded", "prometheus-client @hist.time()", _stage_first, _timed),
        Program("hit on an instrumented cachetools cache", "bare, and prometheus-client Counter.inc", _hit, _counted),
        _by_kit(f"exposition of {_CHILDREN} histogram children, text", "generate_latest", _scrape, times=_SCRAPES),
    ]


def _by_kit(name: str, theirs: str, make: Callable[[object], Statement], **settings: object) -> Program:
    return Program(name, f"prometheus-client {theirs}", *(partial(make, kit) for kit in _KITS), **settings)


def _increment(kit: object) -> Statement:
    return "increment()", {"increment": kit.Counter("c", "Help.", ["l"], registry=None).labels("x").inc}


def _labels(kit: object) -> Statement:
    return "family.labels('x', 'y').inc()", {"family": kit.Counter("c", "Help.", ["a", "b"], registry=None)}


def _observation(kit: object) -> Statement:
    family = kit.Histogram("h", "Help.", ["l"], registry=None, buckets=_BUCKETS)
    return "observe(0.7)", {"observe": family.labels("x").observe}


def _stage() -> Statement:
    trace._TRACER_PROVIDER = None
    return _call_of_stage()


def _call_of_stage() -> Statement:
    return "call()", {"call": manometer.stage("s", registry=CollectorRegistry())(lambda: None)}


def _stage_within() -> Statement:
    """Where failed and slow runs leave a trace afterwards."""
    return _stage_recorded_by(Sampling(0.0, left_a_second=10.0))


def _stage_first() -> Statement:
    """The same, with a sampler that takes hardly any trace."""
    return _stage_recorded_by(Sampling(1e-18, left_a_second=10.0))


def _stage_recorded_by(sampling: Sampling) -> Statement:
    provider = TracerProvider()
    trace._TRACER_PROVIDER = provider
    record_by(provider, Recorder(provider, sampling, take=print, count=print))
    return _call_of_stage()


def _timed() -> Statement:
    return "call()", {"call": prometheus_client.Histogram("h", "Help.", registry=None).time()(lambda: None)}


def _hit() -> Statement:
    cache = manometer.instrument_cache(cachetools.LRUCache(10), name="c", registry=CollectorRegistry())
    cache["k"] = 1
    return "cache['k']", {"cache": cache}


def _counted() -> Statement:
    cache = cachetools.LRUCache(10)
    cache["k"] = 1
    return "cache['k']; hits()", {"cache": cache, "hits": prometheus_client.Counter("c", "Help.", registry=None).inc}


def _scrape(kit: object) -> Statement:
    registry = CollectorRegistry()
    family = kit.Histogram("h", "Help.", ["l"], registry=registry, buckets=_BUCKETS)
    observers = [family.labels(str(number)).observe for number in range(_CHILDREN)]
    write = manometer.render if kit is manometer else generate_latest
    return (
        "for observe in observers: observe(0.7)\nwrite(registry)",
        {"observers": observers, "write": write, "registry": registry},
    )


def _in_a_process(make: Callable[[], Statement], times: int) -> int:
    """Run the statement so many times, in a process of its own, and return that process's id."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        if status:
            raise SystemExit(f"hot_paths.py: {make} failed")
        return pid
    status = 1
    try:
        _run(make, times)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)


def _run(make: Callable[[], Statement], times: int) -> None:
    statement, names = make()
    Timer(statement, globals=names).timeit(times)  # which turns the garbage collector off


def main(seed: str) -> None:
    """Run all, each side twice."""
    chance = random.Random(seed)
    ballast = [bytes(chance.randrange(2_000)) for _ in range(chance.randrange(5_000))]
    todo = programs()
    for program in todo:  # once here, so that no process has anything left to import
        for make in (program.ours, program.theirs):
            _run(make, 1)
    for program in todo:
        told = {
            "name": program.name,
            "against": program.against,
            "target": program.target,
            "times": program.times,
            "ours": [_in_a_process(program.ours, times) for times in program.times],
            "theirs": [_in_a_process(program.theirs, times) for times in program.times],
        }
        print(json.dumps(told), flush=True)
    ballast.clear()


if __name__ == "__main__":
    main(sys.argv[1])
