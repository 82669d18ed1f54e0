"""Two hundred workers, eight at a time, that end in every way there is: no scrape shows a total that fell."""

import json
import subprocess
import sys
from itertools import accumulate

import pytest

from waiting import DEADLINE

pytestmark = pytest.mark.servers

GROUP = """
import json, os, random, signal, sys, time, warnings
from pathlib import Path

from prometheus_client import REGISTRY
from manometer import Counter, Histogram
from manometer.processes import Worker, group_registry
from manometer.registry.collection import as_metric, collect

warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
WORKERS, AT_A_TIME = 200, 8
directory = Path(sys.argv[1])
counter = Counter("c", "Help.", ["l"])
histogram = Histogram("h", "Help.", buckets=(1, 2), native_schema=4)
worker = Worker.of(REGISTRY, str(directory))
worker.start()
shown = group_registry(worker)
report = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def files():
    # A worker that was killed as it wrote leaves a part of a file, which goes a minute later.
    return sum(path.suffix == ".manometer" for path in directory.iterdir())


def tell(**what):
    os.write(report, json.dumps(what).encode() + b"\\n")


def scrape():
    began = time.monotonic()
    samples = [sample for metric in map(as_metric, collect(shown)) for sample in metric.samples]
    counted = sum(sample.value for sample in samples if sample.name == "c_total")
    found = {sample.name: sample.value for sample in samples}
    (native,) = [sample.native_histogram for sample in samples if sample.native_histogram]
    failures = [each.name for each in samples if each.name.endswith("failures_total") and each.value]
    events = [found["h_count"], found["h_sum"] / 2, native.count_value, native.sum_value / 2]
    tell(began=began, ended=time.monotonic(), counted=counted, events=events, failures=failures)


def live(number):
    chance = random.Random(number)
    end = time.monotonic() + chance.uniform(0.02, 0.4)
    series, done = counter.labels(number % 20), 0
    while time.monotonic() < end:
        for _ in range(chance.randint(1, 200)):
            series.inc()
            histogram.observe(2)
            done += 1
        if chance.random() < 0.2:
            scrape()
        time.sleep(chance.uniform(0, 0.01))
    if number % 4 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    tell(sure=done)
    if number % 4 == 1:
        worker.flush()
        os._exit(0)
    if number % 4 == 2:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        os.kill(os.getpid(), signal.SIGTERM)


alive = set()
for number in range(WORKERS + AT_A_TIME):
    if number < WORKERS:
        alive.add(os.fork())
        if 0 in alive:
            live(number)
            sys.exit()
    if number >= AT_A_TIME:
        alive.remove(os.wait()[0])
    tell(files=files() - len(alive) - 1)
scrape()
tell(left=files())
"""


def test_no_total_falls_while_workers_come_and_go(tmp_path):
    """Whichever worker answers, counts and both kinds of buckets go on; files are those of the live and one more."""
    report = tmp_path / "report"
    subprocess.run(
        [sys.executable, "-c", GROUP, str(tmp_path / "group"), str(report)], timeout=4 * DEADLINE, check=True
    )
    told = [json.loads(line) for line in report.read_text().splitlines()]
    scrapes = [each for each in told if "began" in each]
    assert len(scrapes) > 50
    assert [each["failures"] for each in scrapes if each["failures"]] == []
    assert [each["events"] for each in scrapes if len(set(each["events"])) > 1] == []
    figures = {"counted": lambda each: each["counted"], "events": lambda each: each["events"][0]}
    for name, figure in figures.items():
        ended = sorted(scrapes, key=lambda each: each["ended"])
        highest = list(accumulate(map(figure, ended), max))
        falls, done = [], 0
        for each in sorted(scrapes, key=lambda each: each["began"]):
            while ended[done]["ended"] <= each["began"]:
                done += 1
            if done and figure(each) < highest[done - 1]:
                falls.append((highest[done - 1], each))
        assert falls == [], name
    sure = sum(each.get("sure", 0) for each in told)
    assert sure <= figures["counted"](scrapes[-1])
    # Beyond the live ones', the group's own and that of the ended: those whose end nobody has come upon yet.
    assert max(each["files"] for each in told if "files" in each) <= 2 + 8
    assert told[-1] == {"left": 3}
