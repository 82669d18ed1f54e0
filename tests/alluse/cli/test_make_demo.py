"""Tests of `make demo`: the demo as a newcomer starts and ends it."""

import os
import pty
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from waiting import DEADLINE

ROOT = Path(__file__).parents[3]
CTRL_C = b"\x03"

pytestmark = pytest.mark.servers


class Terminal:
    """A terminal of its own in which a command runs, as the leader's child that make is in a shell's script."""

    def __init__(self, script: str) -> None:
        self.said = ""
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            os.chdir(ROOT)
            os.execv("/bin/sh", ["sh", "-c", script])

    def until(self, text: str) -> None:
        """Read until it has said the text."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.said:
            assert time.monotonic() < deadline, self.said
            if not self._read():
                pytest.fail(f"it ended and said {self.said}")

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def ended(self) -> int:
        """Its exit status, once it has ended."""
        while self._read():
            pass
        os.close(self._master)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        with suppress(OSError):  # Linux's way to say that nobody has the terminal open any more
            read = os.read(self._master, 65536).decode(errors="replace")
            self.said += read
            return bool(read)
        return False


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """`make demo` on free ports, in the environment that runs the tests, which is taken as it is."""
    if shutil.which("make") is None:
        pytest.skip("not installed: make (apt-get install make)")
    arguments = f"--port 0 --control-port 0 --log-file {tmp_path / 'log'}"
    return [
        "env",
        "-u",
        "MAKEFLAGS",
        "-u",
        "MAKELEVEL",
        "make",
        "-o",
        f"{sys.prefix}/run",
        f"VENV={sys.prefix}",
        f"ARGS={arguments}",
        "demo",
    ]


@pytest.mark.parametrize("then", ["", " | cat"])
def test_ctrl_c_ends_make_well(command: list[str], then: str):
    """Exit 0, although make is on the same terminal; whoever started it has the terminal again."""
    terminal = Terminal(f"{shlex.join(command)}{then}; echo status $?; read line </dev/tty; echo read $line")
    terminal.until("protocol/workflow")
    terminal.press(CTRL_C)
    terminal.until("status ")
    terminal.press(b"on\n")
    terminal.until("read on")
    assert terminal.ended() == 0
    assert "status 0" in terminal.said
    assert "make: ***" not in terminal.said
    assert "Traceback" not in terminal.said


def test_make_that_is_terminated_ends_the_demo(command: list[str]):
    """With no terminal at all; nothing is left running."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        assert make.stdout.readline().startswith("ALL-USE runs")
        make.terminate()
        said, _ = make.communicate(timeout=DEADLINE)  # which ends when the last holder of the pipe has
    assert "Traceback" not in said
