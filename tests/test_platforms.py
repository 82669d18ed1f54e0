"""Other systems, by simulation: what Python has on Linux alone is taken away before Manometer is imported.

It shows what Manometer itself asks for. It cannot show what Windows or macOS do with it.
"""

import subprocess
import sys

import pytest

from waiting import DEADLINE

WINDOWS = """
import asyncio, logging.handlers, multiprocessing, os, select, signal, socket, sys, tempfile, urllib.request
import prometheus_client, psutil, structlog
import opentelemetry.sdk.trace  # libraries of others look for themselves

def take(module, *names):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

pair, unix = socket.socketpair, socket.AF_UNIX
socket.socketpair = lambda *_: pair(unix)  # Windows has one of its own
for name in ("fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog"):
    sys.modules[name] = None
take(os, "fork", "forkpty", "register_at_fork", "geteuid", "getuid", "getegid", "getgid", "getpgrp", "setpgid")
take(os, "killpg", "getloadavg", "sched_getaffinity", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY", "wait")
take(os, "waitid", "set_blocking", "fchmod", "fchown", "chown", "uname", "pipe2", "statvfs", "mkfifo", "posix_spawn")
take(signal, "SIGHUP", "SIGKILL", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE", "SIGQUIT", "SIGTSTP")
take(signal, "SIGTTOU", "pthread_sigmask", "pthread_kill", "sigwait", "setitimer", "siginterrupt")
take(socket, "AF_UNIX", "SO_REUSEPORT")
take(select, "poll", "epoll")
"""
USES = {
    "an exporter starts, answers and closes": """
import manometer
manometer.Counter("orders", "Orders.").inc(3)
with manometer.Manometer(manometer.Settings(port=0, logs=True)) as running:
    for page in ("metrics", "livez", "readyz", "startupz"):
        text = urllib.request.urlopen(f"{running.url}/{page}").read().decode()
        if page == "metrics":
            assert "orders_total 3.0" in text
            assert "process_memory_usage_bytes" in text
assert manometer.flush()
""",
    "a life is ended by a signal": """
import manometer
with manometer.Life(manometer.Settings()) as life:
    manometer_ = life.start(manometer.Manometer(manometer.Settings(port=0)))
    life.ready()
    assert not life.wait(0)
    signal.raise_signal(signal.SIGINT)
    assert life.wait()
""",
    "a crash leaves a report": """
import manometer
path = os.path.join(tempfile.mkdtemp(), "crash.txt")
try:
    with manometer.Manometer(manometer.Settings(port=0, crash_report=path)):
        raise ValueError("no order")
except ValueError:
    pass
with open(path) as report:
    assert "ValueError: no order" in report.read()
""",
    "applications are mounted": """
import manometer
from prometheus_client import CollectorRegistry
wsgi = manometer.wsgi_app(CollectorRegistry())
body = wsgi({"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics"}, lambda status, headers: None)
assert b"python_info" in b"".join(body)

async def ask():
    sent = []
    scope = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": []}
    async def send(message): sent.append(message)
    await manometer.asgi_app(CollectorRegistry())(scope, None, send)
    assert sent[0]["status"] == 200

asyncio.run(ask())
""",
    "every module is imported but those of groups": """
import importlib, pkgutil
import manometer
from manometer.errors import ConfigError
for each in pkgutil.walk_packages(manometer.__path__, "manometer.", onerror=lambda name: None):
    if each.name.startswith(("manometer.processes", "manometer.mixin")) or each.name.endswith("__main__"):
        continue
    importlib.import_module(each.name)
""",
    "top shows a program": """
import manometer
from manometer.cli import main
with manometer.Manometer(manometer.Settings(port=0)) as running:
    assert main(["top", running.url, "--count", "1", "--interval", "0.1"]) == 0
""",
}
REFUSALS = {
    "processes_dir": """
import manometer
try:
    manometer.Manometer(manometer.Settings(port=0, processes_dir=tempfile.mkdtemp())).start()
except manometer.ConfigError as error:
    print(error)
""",
    "wsgi_app": """
import manometer
try:
    manometer.wsgi_app(processes_dir=tempfile.mkdtemp())
except manometer.ConfigError as error:
    print(error)
""",
    "serve": """
from manometer.cli import main
sys.stderr = sys.stdout
assert main(["serve", tempfile.mkdtemp()]) == 2
""",
}
NO_LOCKS = (
    "processes_dir needs locks on files (fcntl), which this system does not have; leave it unset, "
    "and have each process served by itself"
)


def _run(program):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("use", USES)
def test_without_what_windows_lacks(use):
    """Neither fork, fcntl, SIGHUP nor Unix sockets are needed to serve the figures of one process."""
    _run(f"{WINDOWS}{USES[use]}")


@pytest.mark.parametrize("use", REFUSALS)
def test_what_needs_locks_on_files_says_so(use):
    """By the name of the setting, and with what to do."""
    assert _run(WINDOWS + REFUSALS[use]).strip().removeprefix("manometer: ") == NO_LOCKS


def test_a_reload_by_signal_names_the_signal():
    """Windows has no SIGHUP."""
    program = """
import manometer
with manometer.Life(manometer.Settings()) as life:
    try:
        life.on_reload(print)
    except manometer.ConfigError as error:
        print(error)
"""
    told = (
        "this system has no SIGHUP; leave reload_on_sighup and Life.on_reload out, "
        "and call Manometer.reload() where the settings are to be read\n"
    )
    assert _run(WINDOWS + program) == told


def test_notes_name_what_they_need():
    """They come by a pipe, on which Windows cannot wait in this way."""
    program = "from manometer.cli import main\nsys.stderr = sys.stdout\nassert main(['top', '--notes']) == 2\n"
    assert _run(WINDOWS + program) == (
        "manometer: --notes needs poll(), which this system does not have; leave it out\n"
    )


def test_the_reference_application_says_where_it_runs():
    """It is no part of the wheel, and keeps its book by locks on files."""
    program = "import alluse.cli\nsys.stderr = sys.stdout\nassert alluse.cli.main(['run']) == 2\n"
    assert _run(WINDOWS + program) == (
        "alluse: this system has no fcntl; ALL-USE runs on Linux and macOS, or by compose/\n"
    )
