"""The built wheel, installed in an empty environment without any extra, does what it says."""

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROGRAM = """
import functools, urllib.request, manometer

@manometer.stage("work", engine="tried")
def work(): return double(2)

double = manometer.instrument_cache(functools.lru_cache(lambda x: 2 * x), name="doubles")
with manometer.Manometer(manometer.Settings(port=0)) as running:
    work()
    print(urllib.request.urlopen(running.url + "/metrics").read().decode())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The programs of an environment that has the wheel and nothing else."""
    place = tmp_path_factory.mktemp("wheel")
    online(sys.executable, "-m", "build", "--wheel", "--outdir", place, ROOT)
    venv.create(place / "env", with_pip=True)
    programs = place / "env" / "bin"
    (wheel,) = place.glob("*.whl")
    online(programs / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    return programs


def online(*command):
    """Run a command that asks the package index, or skip the test where there is none to ask."""
    done = run(*command)
    told = done.stdout + done.stderr
    if done.returncode != 0 and re.search("connection broken|ConnectionError|ConnectTimeout|ProxyError", told):
        pytest.skip("no network: pip reaches no package index")
    assert done.returncode == 0, told


def run(*command):
    """What a command printed, and how it ended."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=250, check=False)


@pytest.mark.servers
@pytest.mark.xdist_group("packaging")
def test_the_core_works_without_extras(installed):
    """A stage, a cache and the exporter need no library beyond the four of the core."""
    done = run(installed / "python", "-W", "error", "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert 'cache_requests_total{cache_name="doubles",cache_request_type="miss"} 1.0' in done.stdout
    labels = 'engine_name="tried",engine_stage_name="work",engine_stage_outcome="ok"'
    assert f"engine_stage_duration_seconds_count{{{labels}}} 1.0" in done.stdout


@pytest.mark.servers
@pytest.mark.xdist_group("packaging")
@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["manometer", "mixin"], "manometer[mixin]"),
        (["alluse", "run", "--seconds", "1"], "manometer[alluse]"),
        (
            ["python", "-c", "import manometer; manometer.start(otlp_endpoint='http://127.0.0.1:1')"],
            "manometer[otlp]",
        ),
    ],
)
def test_what_needs_an_extra_says_so(installed, command, extra):
    """One line that tells what to install, in the place of an import error's traceback."""
    done = run(installed / command[0], *command[1:])
    assert done.returncode != 0
    assert f"pip install '{extra}'" in done.stderr
    if command[0] != "python":
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.servers
@pytest.mark.xdist_group("packaging")
def test_the_wheel_carries_types_and_prices(installed):
    """`py.typed` and the bundled market are in it; the tests are not."""
    listing = run(installed / "python", "-m", "pip", "show", "-f", "manometer").stdout
    assert "manometer/py.typed" in listing
    assert "alluse/data/goog_daily.csv" in listing
    assert "tests/" not in listing
