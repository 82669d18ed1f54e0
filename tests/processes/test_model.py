"""Processes that fork, exec, end and are killed at random, against an account of their increments kept elsewhere."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from collected import collect
from manometer.processes import onlooker
from waiting import readable

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]

NAMES = ("c_total", "h_count", "theirs_total")
MEMBER = """
import ctypes, json, os, signal, socket, sys, time, warnings
warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
import prometheus_client
from prometheus_client import REGISTRY
from manometer import Counter, Histogram
from manometer.processes import Worker, group_registry, worker as writing
from manometer.registry.collection import as_metric, collect

writing.LOSS = 1000.0  # nothing is written but when it is told to
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
counter = Counter("c", "Help.", ["l"])
histogram = Histogram("h", "Help.", buckets=(1, 2), native_schema=3)
theirs = prometheus_client.Counter("theirs", "Help.")
worker = Worker.of(REGISTRY, sys.argv[1])
worker.start()
shown = group_registry(worker)
fork_in_c = ctypes.PyDLL(None).fork


def count(events):
    for number in range(events):
        counter.labels(number % 3).inc()
        histogram.observe(1.5)
        theirs.inc()


def scrape():
    samples = [sample for metric in map(as_metric, collect(shown)) for sample in metric.samples]
    return [sum(each.value for each in samples if each.name == name) for name in NAMES]


def obey(connection):
    # Returns in a child.
    connection.connect(sys.argv[2])
    orders = connection.makefile("rw")

    def answer(what):
        print(json.dumps(what), file=orders, flush=True)

    answer(os.getpid())
    for line in orders:
        order, *arguments = json.loads(line)
        if order == "count":
            answer(count(*arguments))
        elif order == "flush":
            answer(worker.flush())
        elif order == "scrape":
            answer(scrape())
        elif order in ("fork", "fork in C"):
            # A thread that wants the interpreter's lock at a fork in C may leave the child without one.
            while order == "fork in C" and not worker._stopped._cond._waiters:
                time.sleep(0.01)
            child = os.fork() if order == "fork" else fork_in_c()
            if child == 0:
                connection.close()
                return
            answer(child)
        elif order == "exec":
            os.execv(sys.executable, [sys.executable, "-c", sys.orig_argv[2], *sys.argv[1:]])
        elif order == "vanish":
            os._exit(0)
        else:
            sys.exit()


while True:
    signal.alarm(100)
    mine = socket.socket(socket.AF_UNIX)
    obey(mine)
""".replace("NAMES", repr(NAMES))


class Member:
    """A process under orders, and what it has counted: all, and as much as it has written."""

    def __init__(self, connection):
        self._connection = connection
        self._orders = connection.makefile("rw")
        self.counted = self.written = 0
        self.pid = self._answer()
        self._life = os.pidfd_open(self.pid)

    def _answer(self):
        return json.loads(self._orders.readline())

    def tell(self, *order):
        """Give an order."""
        print(json.dumps(order), file=self._orders, flush=True)

    def ask(self, *order):
        """Give an order, and wait until it is carried out."""
        self.tell(*order)
        return self._answer()

    def gone(self, step):
        """Wait until the process has ended, or another program has taken its place."""
        if step == "exec":
            assert self._orders.readline() == ""
        else:
            assert readable(self._life)
        self._orders.close()
        self._connection.close()
        os.close(self._life)


class Group:
    """Processes of one directory, and the account: what each total has to be."""

    def __init__(self, path, stack):
        self.path = path / "group"
        self._socket = stack.enter_context(socket.socket(socket.AF_UNIX))
        self._address = str(path / "socket")
        self._socket.bind(self._address)
        self._socket.listen()
        self._socket.settimeout(60)
        self._stack = stack
        self.members = []
        self.of_ended = 0

    def start(self):
        """A process that is nobody's child in the group."""
        command = [sys.executable, "-c", MEMBER, str(self.path), self._address]
        process = subprocess.Popen(command)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        self._admit()

    def _admit(self):
        connection, _ = self._socket.accept()
        connection.settimeout(60)
        self.members.append(Member(connection))

    def do(self, step, chance):
        """One step of one process; what it has written, and nothing else, outlasts a sudden end."""
        member = chance.choice(self.members)
        if step == "count":
            events = chance.choice([1, 5, 300])
            member.ask("count", events)
            member.counted += events
        elif step in ("flush", "scrape"):
            found = member.ask(step)
            member.written = member.counted
            assert step == "flush" or found == [self.total] * len(NAMES)
        elif step == "fork":
            member.ask("fork")
            self._admit()
        elif step == "fork in C":
            member.ask("flush")  # what comes after the last writing would be the child's too
            member.written = member.counted
            member.ask("fork in C")
            self._admit()
        else:
            self._end(member, step)

    def _end(self, member, step):
        self.members.remove(member)
        if step == "end":
            member.written = member.counted
        if step == "kill":
            os.kill(member.pid, signal.SIGKILL)
        else:
            member.tell(step)
        member.gone(step)
        self.of_ended += member.written
        if step == "exec":
            self._admit()

    @property
    def total(self):
        """What everyone has to show."""
        return self.of_ended + sum(member.written for member in self.members)


STEPS = {"count": 8, "flush": 2, "scrape": 4, "fork": 2, "fork in C": 2, "exec": 1, "end": 1, "kill": 1, "vanish": 1}


@pytest.mark.parametrize("seed", range(4))
def test_every_total_is_what_the_processes_have_written(tmp_path, seed):
    """To the last event, whichever of them is asked: none is lost, and none is counted twice."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        group = Group(tmp_path, stack)
        group.start()
        for _ in range(70):
            if not group.members:
                group.start()
            (step,) = chance.choices([*STEPS], [*STEPS.values()])
            if len(group.members) > 6 and "fork" in step:
                step = "kill"
            group.do(step, chance)
        while group.members:
            group.do("end", chance)
        samples = [sample for metric in collect(onlooker(group.path)) for sample in metric.samples]
        found = [sum(each.value for each in samples if each.name == name) for name in NAMES]
        assert found == [group.total] * len(NAMES)
        assert sorted(file.name for file in group.path.iterdir()) == ["ended-copy.manometer", "ended.manometer"]
