"""A Life: what a signal asks for, in which order things end, and what is left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

import pytest
from prometheus_client import CollectorRegistry

from forking import in_child
from manometer import ConfigError, Life, Manometer, Settings, lifecycle
from manometer.health import Phase
from manometer.life.hangup import on_hangup
from manometer.life.signals import Signals
from waiting import DEADLINE, joined, until

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
CALM = Settings(drain_time=0.0)


@pytest.fixture
def handlers():
    """What signals do is afterwards as it was. None is ignored, also where the tests run in the background."""
    before = {number: signal.getsignal(number) for number in ENDS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Part:
    """Writes down when it starts and stops, and what the program said of itself then."""

    def __init__(self, name, told, registry):
        self.name, self.told, self.life = name, told, lifecycle(registry)

    def __enter__(self):
        self.told.append(("starts", self.name, self.life.phase))
        return self

    def __exit__(self, *exc):
        self.told.append(("stops", self.name, self.life.phase))


class Clock:
    """Time that passes when it is looked at."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.125
        return self.now


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", ENDS)
def test_a_signal_ends_it_in_order(number):
    """Parts start in order, with the program starting; they stop in reverse, with the program not ready any more."""
    registry, told = CollectorRegistry(), []
    with Life(CALM, registry=registry) as life:
        first = life.start(Part("first", told, registry))
        life.start(Part("second", told, registry))
        assert not life.wait(0)
        assert first.life.phase is Phase.STARTING
        life.ready()
        assert first.life.phase is Phase.READY
        assert not life.is_stopping
        signal.raise_signal(number)
        assert life.wait()
        assert life.is_stopping
    assert told == [
        ("starts", "first", Phase.STARTING),
        ("starts", "second", Phase.STARTING),
        ("stops", "second", Phase.STOPPING),
        ("stops", "first", Phase.STOPPING),
    ]


@pytest.mark.usefixtures("handlers")
def test_it_goes_on_for_its_drain_time_and_is_not_ready_meanwhile():
    """Whoever sends it work needs that time to hear of it."""
    registry, clock = CollectorRegistry(), Clock()
    with Life(Settings(drain_time=60), registry=registry, clock=clock) as life:
        life.ready()
        life.stop()
        until(lambda: life.is_stopping)
        began = clock.now
        assert lifecycle(registry).phase is Phase.STOPPING
        assert not life.wait(0)
        assert not life.wait(1)
        clock.now += 60
        assert life.wait()
        assert clock.now > began + 60


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("is_first", [False, True])
def test_without_settings_it_drains_as_those_of_the_manometer_say(tmp_path, is_first):
    """Started before the life or in it, and from a file that the life does not know."""
    file = tmp_path / "shop.yaml"
    file.write_text("drain_time: 60\n")
    registry, clock = CollectorRegistry(), Clock()
    exporter = Manometer(load=lambda: Settings.load(file, port=0), registry=registry)
    with ExitStack() as started:
        if is_first:
            started.enter_context(exporter)
        life = started.enter_context(Life(registry=registry, clock=clock))
        if not is_first:
            life.start(exporter)
        life.ready()
        life.stop()
        until(lambda: life.is_stopping)
        assert not life.wait(1)
        clock.now += 60
        assert life.wait()


@pytest.mark.usefixtures("handlers")
def test_settings_of_its_own_come_before_those_of_the_manometer():
    """They are the program's word for this life."""
    registry, clock = CollectorRegistry(), Clock()
    with Life(CALM, registry=registry, clock=clock) as life:
        life.start(Manometer(Settings(port=0, drain_time=60), registry=registry))
        life.ready()
        began = clock.now
        life.stop()
        assert life.wait()
        assert clock.now < began + 60


@pytest.mark.usefixtures("handlers")
def test_a_manometer_that_has_ended_says_no_drain_time(monkeypatch):
    """The environment does."""
    monkeypatch.setenv("MANOMETER_DRAIN_TIME", "60")
    registry, clock = CollectorRegistry(), Clock()
    with Life(registry=registry, clock=clock) as life:
        with Manometer(Settings(port=0, drain_time=0.0), registry=registry):
            life.ready()
        life.stop()
        until(lambda: life.is_stopping)
        assert not life.wait(1)
        clock.now += 60
        assert life.wait()


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("is_ready", [False, True])
def test_only_who_was_ready_drains(is_ready):
    """Nobody has sent work to a program that never was; one whose block ends by itself drains too."""
    registry, clock = CollectorRegistry(), Clock()
    with Life(Settings(drain_time=0.5), registry=registry, clock=clock) as life:
        if is_ready:
            life.ready()
        began = clock.now
    assert (clock.now > began + 0.5) is is_ready


@pytest.mark.usefixtures("handlers")
def test_an_exception_passes_through_without_a_drain():
    """The parts are stopped, the last first, and one that fails keeps no other from it."""
    registry, told = CollectorRegistry(), []

    class Failing(Part):
        def __exit__(self, *exc):
            super().__exit__()
            raise OSError("it cannot be closed")

    def run():
        with Life(Settings(drain_time=1e9), registry=registry) as life:
            life.start(Part("first", told, registry))
            life.start(Failing("second", told, registry))
            life.ready()
            raise ZeroDivisionError

    with pytest.raises(OSError, match="it cannot be closed") as raised:
        run()
    assert isinstance(raised.value.__context__, ZeroDivisionError)
    assert [each[:2] for each in told[2:]] == [("stops", "second"), ("stops", "first")]


@pytest.mark.usefixtures("handlers")
def test_who_was_asked_to_end_before_being_ready_never_is():
    """It would be sent work that it does not take."""
    registry = CollectorRegistry()
    with Life(CALM, registry=registry) as life:
        life.stop()
        until(lambda: life.is_stopping)
        life.ready()
        assert lifecycle(registry).phase is Phase.STOPPING
        assert not lifecycle(registry).has_started


@pytest.mark.usefixtures("handlers")
def test_without_a_signal_all_is_given_back():
    """The program goes on, with the handlers and the threads that it had."""
    before = [signal.getsignal(each) for each in ENDS]
    with Life(CALM, registry=CollectorRegistry()) as life:
        life.on_reload(lambda: None)
        assert not {*before} & {signal.getsignal(each) for each in ENDS}
    assert [signal.getsignal(each) for each in ENDS] == before
    until(lambda: not [each for each in threading.enumerate() if each.name in ("manometer-life", "manometer-reload")])


@pytest.mark.usefixtures("handlers")
def test_the_log_says_what_asked_for_the_end_and_how_long_it_drains(caplog):
    """An exception speaks for itself."""
    caplog.set_level("INFO")
    with Life(Settings(drain_time=0.5), registry=CollectorRegistry(), clock=Clock()) as life:
        life.ready()
        signal.raise_signal(signal.SIGTERM)
        life.wait()
    with Life(CALM, registry=CollectorRegistry(), signals=False):
        pass
    with Life(CALM, registry=CollectorRegistry(), signals=False) as life:
        life.stop()
        life.wait()
    with pytest.raises(ZeroDivisionError), Life(CALM, registry=CollectorRegistry(), signals=False):
        raise ZeroDivisionError
    assert caplog.messages == [
        "ready",
        "stopping: SIGTERM; new work is taken for another 0.5 s",
        "stopping: the program ends",
        "stopping: the program asked for it",
    ]


def test_a_wait_lasts_as_long_as_it_may():
    """By the clock."""
    clock = Clock()
    with Life(CALM, registry=CollectorRegistry(), signals=False, clock=clock) as life:
        began = clock.now
        assert not life.wait(1)
        assert clock.now >= began + 1


@pytest.mark.usefixtures("handlers")
def test_where_no_thread_can_be_started_nothing_has_begun(monkeypatch):
    """The signals are the program's again, and it is as ready as without a life."""
    registry, before = CollectorRegistry(), [signal.getsignal(each) for each in ENDS]

    def refused(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(RuntimeError), Life(CALM, registry=registry):
        pass
    assert [signal.getsignal(each) for each in ENDS] == before
    assert lifecycle(registry).phase is Phase.READY


@pytest.mark.usefixtures("handlers")
def test_after_a_signal_the_others_are_ignored_and_the_same_kills():
    """An interpreter that ends takes its handlers away: what is ignored stays ignored."""
    with Life(CALM, registry=CollectorRegistry()) as life:
        signal.raise_signal(signal.SIGINT)
        life.wait()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        signal.raise_signal(signal.SIGTERM)  # whoever started a program by Ctrl-C's terminal may send this one too
    assert [signal.getsignal(each) for each in ENDS] == [signal.SIG_DFL, signal.SIG_DFL, signal.SIG_IGN]


@pytest.mark.usefixtures("handlers")
def test_an_ignored_signal_stays_ignored():
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Life(CALM, registry=CollectorRegistry()) as life:
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.raise_signal(signal.SIGHUP)
        assert not life.wait(0)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_handler_that_was_set_meanwhile_stays(handlers):
    """It is somebody else's."""

    def other(*_):
        pass

    with Life(CALM, registry=CollectorRegistry()):
        signal.signal(signal.SIGTERM, other)
    assert signal.getsignal(signal.SIGTERM) is other


def test_in_another_thread_it_takes_no_signals():
    """It says so, and is asked to end by `stop` where it was told to take none."""
    raised, ended = [], []

    def run():
        try:
            with Life(CALM, registry=CollectorRegistry()):
                pass
        except ConfigError as error:
            raised.append(str(error))
        with Life(CALM, registry=CollectorRegistry(), signals=False) as life:
            life.stop("enough")
            ended.append(life.wait())

    before = [signal.getsignal(each) for each in ENDS]
    thread = threading.Thread(target=run)
    thread.start()
    joined(thread)
    (said,) = raised
    assert re.fullmatch(r"SIG\w+ can be taken in the main thread alone; make the Life there, or with .*", said)
    assert ended == [True]
    assert [signal.getsignal(each) for each in ENDS] == before


@pytest.mark.usefixtures("handlers")
def test_a_hangup_reloads_where_it_is_told_how():
    """In a thread, as often as it takes for the last signal; what the reload raises ends nothing."""
    loaded, held, may = [], threading.Event(), threading.Event()

    def reload():
        loaded.append(threading.current_thread().name)
        held.set()
        assert may.wait(DEADLINE)
        raise ValueError("a setting is wrong")

    with Life(CALM, registry=CollectorRegistry()) as life:
        life.on_reload(reload)
        signal.raise_signal(signal.SIGHUP)
        assert held.wait(DEADLINE)
        for _ in range(5):
            signal.raise_signal(signal.SIGHUP)  # while it runs: once more, and no more than that
        may.set()
        until(lambda: len(loaded) == 2)
        assert not life.is_stopping
        signal.raise_signal(signal.SIGTERM)
        assert life.wait()
    assert loaded == ["manometer-reload"] * 2


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("is_first", [False, True])
def test_another_reload_at_sighup_stands_in_the_place_of_the_end_too(is_first):
    """As by the setting `reload_on_sighup`, in the life or before it. When it has ended, the signal ends the life."""
    loaded, ends = Queue(), []
    with ExitStack() as started:
        if is_first:
            ends.append(on_hangup(lambda: loaded.put(1)))
        life = started.enter_context(Life(CALM, registry=CollectorRegistry()))
        if not is_first:
            ends.append(on_hangup(lambda: loaded.put(1)))
        signal.raise_signal(signal.SIGHUP)
        assert loaded.get(timeout=DEADLINE)
        assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL  # as it would be after a first one
        assert not life.wait(0)
        for end in ends:
            end()
        signal.raise_signal(signal.SIGHUP)
        assert life.wait()
    assert loaded.empty()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.usefixtures("handlers")
def test_each_reload_at_sighup_is_told():
    """One from before the life, one of it, and one that was taken in it."""
    loaded = Queue()
    before = on_hangup(lambda: loaded.put("before"))
    with Life(CALM, registry=CollectorRegistry()) as life:
        life.on_reload(lambda: loaded.put("its own"))
        within = on_hangup(lambda: loaded.put("within"))
        signal.raise_signal(signal.SIGHUP)
        assert {loaded.get(timeout=DEADLINE) for _ in range(3)} == {"before", "its own", "within"}
        assert not life.wait(0)
        within()
    before()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.usefixtures("handlers")
def test_a_reload_in_a_life_leaves_the_program_its_own_handler():
    """The life would have stood in its place."""
    heard, loaded = [], Queue()
    signal.signal(signal.SIGHUP, lambda number, _: heard.append(number))
    with Life(CALM, registry=CollectorRegistry()) as life:
        life.on_reload(lambda: loaded.put(1))
        signal.raise_signal(signal.SIGHUP)
        assert loaded.get(timeout=DEADLINE)
    assert heard == [signal.SIGHUP]


@pytest.mark.usefixtures("handlers")
def test_a_reload_that_hangs_keeps_nobody_from_ending():
    """It has a thread of its own."""
    held, may = threading.Event(), threading.Event()

    def reload():
        held.set()
        may.wait(DEADLINE)

    with Life(CALM, registry=CollectorRegistry()) as life:
        life.on_reload(reload)
        signal.raise_signal(signal.SIGHUP)
        assert held.wait(DEADLINE)
        signal.raise_signal(signal.SIGTERM)
        assert life.wait()
    may.set()


@pytest.mark.usefixtures("handlers")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_does_what_the_program_did_before():
    """A child that would only note SIGTERM could not be ended by multiprocessing."""
    before = [signal.getsignal(each) for each in ENDS]
    with Life(CALM, registry=CollectorRegistry()) as life:

        def child():
            assert [signal.getsignal(each) for each in ENDS] == before

        in_child(child)
        signal.raise_signal(signal.SIGTERM)
        assert life.wait()


STRUCK = """
import signal, sys
from prometheus_client import CollectorRegistry
from manometer import Life, Settings

settings, registry = Settings(), CollectorRegistry()
for at in range(1, 150):
    seen = 0

    def trace(frame, event, argument):
        global seen
        seen += event == "line"
        if event == "line" and seen == at:
            signal.raise_signal(signal.SIGINT)
        return trace

    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Life(settings, registry=registry) as life:
        sys.settrace(trace)
        life.wait(0.03)
        life.ready()
        sys.settrace(None)
        if seen >= at:
            assert life.wait()
print("ended", seen < at)
"""


def test_a_signal_may_come_at_any_line_of_the_wait():
    """Amid whatever the main thread does; its handler waits for no lock that the wait may hold."""
    command = [sys.executable, "-c", STRUCK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.stdout, done.stderr) == ("ended True\n", "")


HELD_UP = """
import sys, time
from manometer import Life

class Stuck:
    def __enter__(self): return self
    def __exit__(self, *exc):
        print("stuck", flush=True)
        while True:
            time.sleep(1)

with Life() as life:
    life.start(Stuck())
    print("started", flush=True)
    life.wait()
"""


@contextmanager
def program(text, **environment):
    """A program under way, with its output; it does not outlive the block."""
    command = [sys.executable, "-c", text]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=os.environ | environment, **pipes) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", ENDS)
def test_the_same_signal_again_ends_at_once(handlers, number):
    """However long a part takes to stop; the status is the signal's. Another signal is the same request."""
    with program(HELD_UP) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        assert process.stdout.readline() == "stuck\n"
        process.send_signal(signal.SIGHUP if number is signal.SIGTERM else signal.SIGTERM)
        process.send_signal(number)
        assert process.wait(DEADLINE) == -number


@pytest.mark.parametrize(
    ("end", "status"), [("life.wait()", 0), ("raise ValueError('no')", 1), ("raise SystemExit(3)", 3)]
)
def test_the_exit_status_says_why_it_ended(end, status, handlers):
    """0 where the end was asked for; what Python makes of an exception otherwise."""
    text = f"from manometer import Life\nwith Life() as life:\n    life.ready()\n    life.stop()\n    {end}\n"
    with program(text) as process:
        _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == status
    assert ("Traceback" in said) is (status == 1)


@pytest.mark.usefixtures("handlers")
def test_a_child_that_was_forked_in_c_does_what_the_program_did_before():
    """No hook runs there, so the handler looks whose it is."""
    heard = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    signals = Signals(lambda number: heard.append("ours"), ends=True)
    signals.take(signal.SIGTERM)
    signals._pid = 0  # as of the parent
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


ON_A_LOOP = """
import asyncio
import manometer

async def main():
    with manometer.Life() as life:
        life.ready()
        print("started", flush=True)
        while not life.wait(0):
            await asyncio.sleep(0.05)
        print("stops", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", ENDS)
def test_a_program_on_an_event_loop_is_ended_too(handlers, number):
    """Its loop looks now and then; asyncio's own handling of Ctrl-C does not come in between."""
    with program(ON_A_LOOP) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        out, said = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, said) == (0, "stops\n", "")


def test_the_same_signal_again_ends_process_1_of_a_container():
    """The kernel keeps from such a process what it does not handle itself, so it handles the second one too."""
    unshare = shutil.which("unshare")
    alone = [unshare, "--pid", "--fork", "--kill-child"]
    if unshare is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root can make a process namespace")
    command = [*alone, sys.executable, "-c", "import os; assert os.getpid() == 1" + HELD_UP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "started\n"
            (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(child), signal.SIGTERM)
            assert process.stdout.readline() == "stuck\n"
            os.kill(int(child), signal.SIGTERM)
            assert process.wait(DEADLINE) == 128 + signal.SIGTERM
        finally:
            if process.poll() is None:
                process.kill()
