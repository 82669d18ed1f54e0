"""What every test may ask for."""

import gc
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec

# The tests and their child processes ignore the user's settings. Some libraries read theirs as they are imported.
_SETTINGS = re.compile(r"(MANOMETER|OTEL|PROMETHEUS)_.*|PG[A-Z]+|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|PYTHONWARNINGS")
for _name in filter(_SETTINGS.fullmatch, list(os.environ)):
    del os.environ[_name]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1,::1"
os.umask(0o022)  # with some users', a directory that a test makes is one that others may write to
signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where this signal is ignored, nobody can wait for a child process
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background; a child process would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)

import hypothesis
import pytest

from manometer.testing.fixtures import figures

__all__ = ["figures"]

# The verdict is on the code: the same examples each time, and a slow machine is no fault.
# `pytest --hypothesis-profile=default` tries others.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")

if "coverage" in sys.modules and (running := sys.modules["coverage"].Coverage.current()) is not None:
    # A signal handler that raises would leave this lock locked. The dictionary behind the lock needs none.
    running._collector.data_lock = None


@pytest.fixture(scope="session")
def program():
    """Finds a program by its name, or skips the test."""

    def find(name, package):
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"not installed: {name} (apt-get install {package})")
        return found

    return find


@pytest.fixture(scope="session")
def collector():
    """The OTLP collector's program, or skips the test where it does not start."""
    if find_spec("rotel") is None:
        pytest.skip("rotel, the OTLP collector of the tests, cannot be installed on this Python")
    program = str(files("rotel") / "rotel-agent")
    tried = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        package = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
        pytest.skip(f"rotel-agent does not start: {tried.stderr.strip()} (apt-get install {package})")
    return program


def pytest_collection_finish():
    """Keep the garbage collector from what the collection of the tests made: many a test has it run many times."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def whole_stack():
    """The stack to its end for the test alone: a pass of the garbage collector calls hypothesis, and that fails."""
    was_on = gc.isenabled()
    gc.disable()
    yield
    if was_on:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Where servers must be there, a test that is skipped for want of one has failed.

    A test that another user than root may not run is only skipped.
    """
    report = yield
    left_out = any(mark.args[0] for mark in item.iter_markers("skipif"))
    required = os.environ.get("REQUIRE_SERVERS") == "1" and item.get_closest_marker("servers") and not left_out
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{reason} (and REQUIRE_SERVERS is set)"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of these folders share their servers, and so a process; any other test runs wherever there is room.

    That is what `--dist loadgroup` is for, but pytest-xdist 3.8 writes the groups where pytest 9.2 does not look.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByServers(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return next((each for each in ("tests/e2e/", "tests/paging/") if nodeid.startswith(each)), nodeid)

    return ByServers(config, log)
