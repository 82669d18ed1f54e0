"""A PostgreSQL of the tests' own."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ports import reserved_port
from waiting import DEADLINE, until

__all__ = ["Postgres", "postgres_server"]


class Postgres:
    """A PostgreSQL of its own in a temporary folder, on a port that stays its own while it is stopped."""

    def __init__(self, programs, folder, user, port):
        self._programs, self._folder, self._user, self.port = programs, folder, user, port
        self._run("initdb", "-D", str(folder / "data"), "-U", "alluse", "-A", "trust", "--no-sync")
        self._server = None

    @property
    def url(self):
        return f"postgresql://alluse@127.0.0.1:{self.port}/postgres"

    def start(self):
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self._folder), "-F"]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._folder / "data"), *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
            )
        until(self._ready, lambda: f"PostgreSQL does not come up: {(self._folder / 'log').read_text()}")

    def _ready(self):
        probe = [str(self._programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(probe, check=False).returncode == 0

    def stop(self):
        """Stop it at once, as a crash would."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(DEADLINE)
            self._server = None

    def _run(self, program, *arguments):
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=self._folder, user=self._user)
        assert done.returncode == 0, done.stderr


@contextmanager
def postgres_server():
    """A PostgreSQL that runs, until the end of the block; skips the test where none is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(installed[-1]) if installed else shutil.which("initdb")
    if initdb is None:
        pytest.skip("not installed: postgresql (apt-get install postgresql)")
    with ExitStack() as started:
        folder = Path(tempfile.mkdtemp(prefix="manometer-postgres-"))
        started.callback(shutil.rmtree, folder, ignore_errors=True)
        user = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = "postgres"
            shutil.chown(folder, user)
        port = started.enter_context(reserved_port())
        server = Postgres(Path(initdb).resolve().parent, folder, user, port)
        server.start()
        started.callback(server.stop)
        yield server
