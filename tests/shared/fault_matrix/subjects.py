"""What is broken: programs under way, each with a way to begin its fault and to end it."""

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from ports import reserved_port
from waiting import DEADLINE, until

__all__ = ["Alluse", "CrashLoop", "Gunicorn", "Killed", "Program", "Settings"]

HERE = Path(__file__).parent


class Settings(NamedTuple):
    """folder: for logs and files; health_interval: seconds from check to check; lasts: seconds of the fault."""

    folder: Path
    health_interval: float
    lasts: float

    def environ(self, port):
        """The environment of a program whose exporter is to listen there."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("MANOMETER_", "OTEL_"))}
        return {
            **ours,
            "MANOMETER_PORT": str(port),
            "MANOMETER_HEALTH_INTERVAL": f"{self.health_interval:g}",
            "ALLUSE_CONNECTION_PATIENCE": "0.5",  # so that what comes first in production comes first here
        }


class Subject:
    """address: of its exporter. `begin` and `end` are of the fault."""

    def __init__(self, settings):
        self._settings, self._started = settings, ExitStack()
        settings.folder.mkdir()
        self._port = self._started.enter_context(reserved_port())
        self.address = f"127.0.0.1:{self._port}"

    def close(self):
        """End it."""
        self._started.close()

    def _run(self, *command, **options):
        return self._started.enter_context(self._running(*command, **options))

    @contextmanager
    def _running(self, *command, **options):
        """A process that answers scrapes, until the end of the block."""
        with (self._settings.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._settings.environ(self._port) | options.pop("environ", {}),
                cwd=self._settings.folder,
                **options,
            )
        try:
            until(lambda: process.poll() is not None or self._answers(), self._said)
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE)
            if process.stdin is not None:
                process.stdin.close()

    def _answers(self):
        with suppress(OSError, http.client.HTTPException):
            return _get(self._port, "/livez")

    def _said(self):
        return f"it does not answer; it said\n{(self._settings.folder / 'log').read_text()[-2000:]}"


class Alluse(Subject):
    """ALL-USE with a fault of its own.

    rates: of the fault, one after the other; none for no fault. load: workflows a second. environ: its variables
    beside the usual ones.
    """

    def __init__(self, settings, fault="", *rates, load=5, environ=None):
        super().__init__(settings)
        self._fault, self._rates, self._over = fault, rates, Event()
        self._environ = environ or {}
        self._control = self._started.enter_context(reserved_port())
        arguments = ("--port", str(self._port), "--control-port", str(self._control), "--rate", str(load))
        self._command = (sys.executable, "-m", "alluse", "run", *arguments)
        self._start()

    def begin(self):
        """Switch the fault on."""
        if self._rates:
            Thread(target=self._take_course, daemon=True).start()

    def end(self):
        """Switch the fault off."""
        self._over.set()
        if self._rates:
            self._switch("DELETE")

    def _start(self):
        self._run(*self._command, environ=self._environ)

    def _take_course(self):
        for rate in self._rates:
            self._switch("PUT", f"?rate={rate}")
            if self._over.wait(self._settings.lasts / len(self._rates)):
                break

    def _switch(self, method, query=""):
        url = f"http://127.0.0.1:{self._control}/faults/{self._fault}{query}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=DEADLINE) as answer:
            json.load(answer)


class CrashLoop(Alluse):
    """ALL-USE that ends soon after each start. Whatever supervises it starts it again."""

    def __init__(self, settings, lives):
        self._lives = lives
        super().__init__(settings)

    def _start(self):
        self._crash = Event()
        over = Event()
        supervisor = Thread(target=self._supervise, args=(over,), daemon=True)
        supervisor.start()
        self._started.callback(supervisor.join)
        self._started.callback(over.set)
        until(self._answers, self._said)

    def begin(self):
        self._crash.set()

    def end(self):
        self._crash.clear()

    def _supervise(self, over):
        while not over.is_set():
            with self._running(*self._command) as process:
                began = time.monotonic()
                while process.poll() is None and not over.wait(0.1):
                    if self._crash.is_set() and time.monotonic() - began > self._lives:
                        process.kill()


class Killed(Alluse):
    """ALL-USE that is gone, and comes back."""

    def _start(self):
        self._life = ExitStack()
        self._life.enter_context(self._running(*self._command))
        self._started.callback(self._life.close)

    def begin(self):
        self._life.close()

    def end(self):
        self._life.enter_context(self._running(*self._command))


class Program(Subject):
    """One of programs/."""

    def __init__(self, settings, trouble):
        super().__init__(settings)
        command = (sys.executable, str(HERE / "programs"), trouble, str(self._port), str(settings.lasts))
        self._process = self._run(*command, stdin=subprocess.PIPE, text=True)

    def begin(self):
        self._tell("on")

    def end(self):
        self._tell("off")

    def _tell(self, word):
        if self._process.poll() is not None:
            raise RuntimeError(self._said())
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()


class Gunicorn(Subject):
    """The shop behind gunicorn, and clients. seconds: that a request keeps a connection while the fault lasts."""

    def __init__(self, settings, seconds):
        super().__init__(settings)
        self._wrong, self._over = seconds, Event()
        self._seconds = 0.01
        self._web = self._started.enter_context(reserved_port())
        command = (sys.executable, "-m", "gunicorn", "-w", "3", "--threads", "6", "--no-control-socket")
        self._run(
            *(*command, "--chdir", str(HERE), "-b", f"127.0.0.1:{self._web}", "shop:app"),
            environ={"MANOMETER_PROCESSES_DIR": str(settings.folder / "group")},
        )
        for _ in range(12):
            client = Thread(target=self._ask, daemon=True)
            client.start()
            self._started.callback(client.join)
        self._started.callback(self._over.set)

    def begin(self):
        self._seconds = self._wrong

    def end(self):
        self._seconds = 0.01

    def _ask(self):
        while not self._over.wait(0.5):
            with suppress(OSError, http.client.HTTPException):
                _get(self._web, f"/?{self._seconds}")


def _get(port, path):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
