"""The rules on Prometheus's own tool: they load, every alert fires and stays quiet, and none goes untested."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rule_gate import contents, untested
from waiting import DEADLINE

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.yaml"))
TESTS = sorted((ROOT / "tests" / "rules").glob("*.yaml"))

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed; it comes with Debian's package prometheus"
)


def promtool(*arguments):
    """Run promtool; its output where it fails."""
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=3 * DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.servers
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rules_file_loads(path):
    """As Prometheus would load it."""
    promtool("check", "rules", str(path))


@needs_promtool
@pytest.mark.servers
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_behave(path):
    """Each scenario of the file comes out as it says."""
    promtool("test", "rules", str(path))


def test_no_alert_goes_untested():
    """Each has a scenario in which it fires, one in which it does not, and where it reads a rate one with a reset."""
    assert untested(contents(RULES), contents(TESTS)) == []


@pytest.mark.parametrize(
    ("gone", "complaint"),
    [
        ("BreakerOpen fires", "BreakerOpen (critical) has no test in which it fires"),
        ("HealthCheckFailing fires", "HealthCheckFailing (warning) has no test in which it fires"),
        ("MemoryHigh stays quiet", "MemoryHigh has no test in which it stays quiet"),
        ("CpuHigh stays quiet over a counter reset", "CpuHigh has no test of a counter reset"),
    ],
)
def test_an_untested_alert_is_noticed(gone, complaint):
    """The gate itself: without those scenarios it complains."""
    tests = contents(TESTS)
    for content in tests:
        content["tests"] = [group for group in content["tests"] if not group["name"].startswith(gone)]
    assert complaint in untested(contents(RULES), tests)
