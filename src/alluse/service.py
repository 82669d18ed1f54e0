"""The service: an engine under load, with its metrics, control endpoint and faults, until it is told to stop."""

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from prometheus_client import REGISTRY

from alluse.configuration import Both, Configuration
from alluse.control import Control
from alluse.engine import Engine
from alluse.errors import SettingsError
from alluse.faults import Fault, Faults
from alluse.instrumentation import instrument
from alluse.settings import Settings
from manometer import ConfigError, Manometer
from manometer.config import Live

__all__ = ["Running", "Service", "stopped_by_signals"]

_TICK = 0.2  # seconds between two looks at what may end the service

_log = logging.getLogger("alluse")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs. faults_url: where the control endpoint is."""

    engine: Engine
    manometer: Manometer
    faults_url: str
    live: Live[Settings]
    settings: Both

    @property
    def metrics_url(self) -> str:
        """Where the exporter is, which has /metrics."""
        return self.manometer.url

    def reload(self) -> None:
        """Read the settings again, the engine's and Manometer's; the log says what has changed, and what is wrong.

        Manometer counts how that ended.
        """
        self.manometer.reload()
        if self.settings.are_right:
            self.live.take(self.settings.engine)


@dataclass(frozen=True, slots=True)
class Service:
    """What to run. control_port: None for any."""

    configuration: Configuration
    control_port: int | None = None
    faults: Sequence[Fault] = ()

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Start everything; at the end drain the workers, flush the spans and close what was opened.

        Raises an AllUseError or a manometer ConfigError where a part cannot start, with nothing left running.
        """
        both = Both(self.configuration)
        metrics = both()
        settings = both.engine
        if self.control_port == metrics.port != 0:
            raise SettingsError(
                f"--port and --control-port are both {metrics.port}; give the control endpoint another"
            )
        with ExitStack() as started:
            manometer = Manometer(metrics, load=both)
            engine = Engine(settings)
            # The engine is closed before Manometer is, so that its last spans are sent and its last figures read.
            started.callback(manometer.close)
            started.callback(engine.close)
            instrument(engine, REGISTRY)
            try:
                manometer.start()
            except ConfigError as error:
                raise SettingsError(f"{error} (on this command line: --host, --port)") from None
            control = started.enter_context(self._control(engine.faults, metrics.port))
            for fault in self.faults:
                engine.faults.start(fault)
            engine.start(settings.rate)
            live = Live(settings)
            live.on_change(["rate"], lambda new: engine.load.change(new.rate))
            _log.info(
                "ALL-USE runs",
                extra={
                    "metrics": f"{manometer.url}/metrics",
                    "faults": f"{control.url}/faults",
                    "rate": settings.rate,
                },
            )
            yield Running(engine, manometer, control.url, live, both)
            _log.info("ALL-USE stops; the workers end what they have begun")

    def _control(self, faults: Faults, metrics_port: int) -> Control:
        """The control endpoint on the port that was asked for; by default the next one where that is free."""
        if self.control_port is not None:
            return Control(faults, self.control_port)
        if 0 < metrics_port < 65535:
            with suppress(SettingsError):
                return Control(faults, metrics_port + 1)
        return Control(faults, 0)


@contextmanager
def stopped_by_signals(*, reloads: bool = False) -> Iterator[Callable[[float | None], Iterator[bool]]]:
    """Turn SIGINT, SIGTERM and SIGHUP into the end of a loop: `for _ in until(seconds)`, with the function given.

    A terminal that is closed sends the last of them; where that is ignored, as under nohup, it stays so.
    The first signal ends the loop; a second one ends the process, should the draining take too long.
    reloads: have SIGHUP end nothing, as a service has it: the loop's next value is True after one, and else False.
    """
    stopped = hung_up = False  # no Event: a handler that comes amid its `wait` would wait for its lock for ever

    def asked(number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(number, signal.SIG_DFL)

    def hang_up(*_: object) -> None:
        nonlocal hung_up
        hung_up = True

    def until(seconds: float | None) -> Iterator[bool]:
        nonlocal hung_up
        end = None if seconds is None else time.monotonic() + seconds
        while not stopped and (end is None or time.monotonic() < end):
            told = hung_up
            if told:  # else nothing is written, which might undo what a signal has just written
                hung_up = False
            yield told
            time.sleep(_TICK)

    ends = [signal.SIGINT, signal.SIGTERM]
    if not reloads and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ends.append(signal.SIGHUP)
    before = {number: signal.signal(number, asked) for number in ends}
    if reloads:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield until
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
