"""The live table: `manometer top` as a child process on the same terminal."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

__all__ = ["Table"]

_PATIENCE = 3.0  # seconds that the child may take to end


class Table:
    """Shows what an exporter serves, from `start()` to `close()`."""

    def __init__(
        self, url: str, command: tuple[str, ...] = (sys.executable, "-m", "manometer", "top", "--notes")
    ) -> None:
        # What listens on every address is reached at this machine's own.
        reachable = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        self._command = (*command, reachable)
        self._process: subprocess.Popen[bytes] | None = None
        self._noted: Sequence[str] = ()

    @property
    def ended(self) -> int | None:
        """The exit status of a table that has ended by itself; None while it is shown."""
        return None if self._process is None else self._process.poll()

    def start(self) -> Self:
        """Show it."""
        # A terminal sends Ctrl-C to the table too. The table does not see it: it ends when this process says so.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            # The command is this interpreter and our own module; the URL is an argument of its own.
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
        return self

    def note(self, lines: Sequence[str]) -> None:
        """Have these lines stand above the table, in the place of those before."""
        if lines == self._noted or self._process is None or self._process.stdin is None:
            return
        self._noted = lines
        with suppress(OSError, ValueError):  # the table reads nothing, has ended, or was closed by a crash
            os.write(self._process.stdin.fileno(), "".join(f"{line}\n" for line in [*lines, ""]).encode())

    def close(self) -> None:
        """Have it leave the terminal as it found it, and wait until it has."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()
