"""What worker processes that are shown together cost, against prometheus-client's multiprocess mode."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from time import process_time

import prometheus_client
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

import manometer
from manometer.processes import Worker, group_registry, onlooker
from manometer.processes.file_reading import decode
from measure import Row, paired, per_call

_KITS = ("manometer", "prometheus_client")
_DIRECTORY = {"manometer": "MANOMETER_PROCESSES_DIR", "prometheus_client": "PROMETHEUS_MULTIPROC_DIR"}
_BUCKETS = [2.0**power for power in range(-9, 8)]
_CALLS = 200_000
_WORKERS = 4
_SERIES = 1_000
_EVERY = 0.7  # seconds, from one writing to the next


def rows() -> Iterator[Row]:
    """One row a kind of write, two of a scrape, and what the writing of a worker's file costs."""
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(_Worker(kit))) for kit in _KITS]
        yield _against(workers, "increment across processes", "inc", _CALLS, target=0.1)
        yield _against(workers, "observation across processes", "observe", _CALLS, target=0.1)
        name = f"scrape of {_WORKERS} workers with {_SERIES:,} histogram children each"
        for who in ("by one of them", "by one that looks on"):
            yield _against(workers, f"{name}, {who}", f"scrape {who}", 1, target=0.1)
    for series in (1_000, 20_000):
        yield from _writing(series)


def _against(workers: list["_Worker"], name: str, what: str, calls: int, target: float | None = None) -> Row:
    ratio, mine, other = paired(*(partial(worker.run, what) for worker in workers), calls=calls)
    scrapes = what.startswith("scrape")
    scale, unit = (1e3, "ms") if scrapes else (1e9, "ns")
    detail = f"{mine * scale:,.0f} {unit} against {other * scale:,.0f} {unit}"
    against = f"prometheus-client in multiprocess mode, {'scrape' if scrapes else what}"
    return Row(name, against, ratio, "ratio", target, detail=detail)


def _writing(series: int) -> Iterator[Row]:
    """What a worker's thread does every 0.7 seconds: at first, from then on, and what that costs a reader."""
    registry = CollectorRegistry()
    observers = _observe(manometer, registry, series, max_series=series)
    with tempfile.TemporaryDirectory() as directory:
        workers = [Worker.of(registry, f"{directory}/{number}") for number in range(9)]
        seconds = median(per_call(lambda _, worker=worker: worker.flush(), 1) for worker in workers)
        name = f"writing {series:,} histogram children for the others, all of them"
        yield Row(name, "", seconds * 1e3, "ms", detail="at first, and where the file has grown by half")
        path = Path(directory, "0")
        whole = _content(path)
        share, grown = _of_a_core(workers[0], path, observers)
    yield Row(
        f"a worker's writing for others, {series:,} children of which 1 % changed",
        "one core",
        share,
        "ratio",
        target=0.01,
        detail=f"{share * _EVERY * 1e3:.1f} ms every {_EVERY} s, in which its share of a writing of all is included",
    )
    ratio, mine, other = paired(*(lambda _, each=each: decode(each) for each in (grown, whole)), calls=1)
    detail = f"{mine * 1e3:.1f} ms against {other * 1e3:.1f} ms"
    name = f"reading a worker's file of {series:,} children just before it is written whole again"
    yield Row(name, "just after", ratio, "ratio", detail=detail)


def _of_a_core(worker: Worker, path: Path, observers: list[Callable[[float], object]]) -> tuple[float, bytes]:
    """The processor time of the writing, from one writing of all to the next; and the file before that one."""
    changed = len(observers) // 100
    turns = cycle([observers[at : at + changed] for at in range(0, len(observers), changed)])
    content = grown = _content(path)
    spent = times = 0.0
    while len(content) >= len(grown):
        grown = content
        for observe in next(turns):
            observe(0.3)
        started = process_time()
        worker.flush()
        spent += process_time() - started
        times += 1
        content = _content(path)
    return spent / times / _EVERY, grown


def _content(directory: Path) -> bytes:
    """The file of the one process there."""
    (path,) = directory.glob("*-*.manometer")
    return path.read_bytes()


class _Worker:
    """A process of one kit: prometheus-client's mode has to be chosen before it is imported, and for good."""

    def __init__(self, kit: str) -> None:
        self._directory = tempfile.TemporaryDirectory()
        environment = {name: value for name, value in os.environ.items() if name not in _DIRECTORY.values()}
        self._process = subprocess.Popen(
            [sys.executable, __file__, kit],
            env=environment | {_DIRECTORY[kit]: self._directory.name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, what: str, calls: int) -> None:
        """Have it done so many times."""
        print(calls, what, file=self._process.stdin, flush=True)
        if self._process.stdout.readline() != "done\n":
            raise RuntimeError(f"{self._process.args} ended")

    def close(self) -> None:
        self._process.communicate()
        self._directory.cleanup()


def _serve(kit: str) -> None:
    """Do what standard input asks for, over and over."""
    directory = os.environ[_DIRECTORY[kit]]
    ours = kit == "manometer"
    meters = manometer if ours else prometheus_client
    if ours:
        Worker.of(REGISTRY, directory).start()  # so that what is measured is written meanwhile
    todo: dict[str, Callable[[], object]] = {
        "inc": meters.Counter("c", "Help.", ["l"]).labels("x").inc,
        "observe": partial(meters.Histogram("h", "Help.", ["l"], buckets=_BUCKETS).labels("x").observe, 0.7),
    }
    scrapes = (_our_scrapes if ours else _their_scrapes)(f"{directory}/scraped")
    todo |= {"scrape by one of them": scrapes[0], "scrape by one that looks on": scrapes[1]}
    for line in sys.stdin:
        calls, what = line.strip().split(" ", 1)
        call = todo[what]
        for _ in range(int(calls)):
            call()
        print("done", flush=True)


def _our_scrapes(directory: str) -> list[Callable[[], object]]:
    """By one of the workers, whose own figures are written on the way, and by one that is none."""
    registries = [CollectorRegistry() for _ in range(_WORKERS)]
    for registry in registries:
        _observe(manometer, registry)
        Worker.of(registry, directory).flush()
    shown = [group_registry(Worker.of(registries[0], directory)), onlooker(Path(directory))]
    # While the registries live, they count as live workers.
    return [lambda each=each: manometer.render(each) if registries else None for each in shown]


def _their_scrapes(directory: str) -> list[Callable[[], object]]:
    """The same twice: their figures are in the files from the start."""
    Path(directory).mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
    for pid in range(_WORKERS):
        values.ValueClass = MultiProcessValue(lambda pid=pid: pid)
        _observe(prometheus_client, CollectorRegistry())
    shown = CollectorRegistry()
    MultiProcessCollector(shown, path=directory)
    return [partial(generate_latest, shown)] * 2


def _observe(
    meters: object, registry: CollectorRegistry, series: int = _SERIES, **settings: int
) -> list[Callable[[float], object]]:
    """So many children, observed once; what observes each once more."""
    histogram = meters.Histogram("scraped", "Help.", ["l"], registry=registry, buckets=_BUCKETS, **settings)
    observers = [histogram.labels(number).observe for number in range(series)]
    for observe in observers:
        observe(0.7)
    return observers


if __name__ == "__main__":
    _serve(sys.argv[1])
