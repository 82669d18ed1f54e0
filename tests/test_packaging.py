"""The built wheel, installed in an empty environment without any extra, does what it says."""

import re
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from waiting import DEADLINE

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
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=2 * DEADLINE, check=False
    )


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
        (["manometer", "mixin", "--config", "mine.yaml"], "manometer[mixin]"),
        (
            ["python", "-c", "import manometer; manometer.start(port=0, otlp_endpoint='http://127.0.0.1:1')"],
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
def test_dashboards_rules_and_runbooks_travel_in_the_wheel(installed, tmp_path):
    """`manometer mixin` writes them without an extra: the files of the repository, and then finds them up to date."""
    done = run(installed / "manometer", "mixin", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    folders = [("dashboards", "json"), ("alert_rules", "yaml"), ("docs/runbooks", "md")]
    kept = [path for folder, ending in folders for path in (ROOT / folder).glob(f"*.{ending}")]
    assert written == {path.relative_to(ROOT): path.read_text() for path in kept}
    assert run(installed / "manometer", "mixin", "--out", tmp_path, "--check").returncode == 0
    (tmp_path / "alert_rules" / "pool.yaml").unlink()
    done = run(installed / "manometer", "mixin", "--out", tmp_path, "--check")
    assert done.returncode == 1
    assert done.stderr == (
        f"alert_rules/pool.yaml is missing\nwrite all of them anew: manometer mixin --out {tmp_path}\n"
    )


@pytest.mark.servers
@pytest.mark.xdist_group("packaging")
def test_the_reference_application_stays_in_the_repository(installed):
    """A user of the kit gets no package, no command, no extra and no price data of ALL-USE; the tests stay too."""
    listing = run(installed / "python", "-m", "pip", "show", "-f", "manometer").stdout
    assert "manometer/py.typed" in listing
    assert "alluse" not in listing
    assert "tests/" not in listing
    assert not (installed / "alluse").exists()
    done = run(installed / "python", "-c", "import alluse")
    assert "No module named 'alluse'" in done.stderr
    extras = "from importlib.metadata import metadata; print(metadata('manometer').get_all('Provides-Extra'))"
    assert "alluse" not in run(installed / "python", "-c", extras).stdout


@pytest.mark.servers
@pytest.mark.xdist_group("packaging")
def test_the_version_is_told(installed):
    """By the module and by the command, from the metadata of what is installed."""
    done = run(installed / "python", "-c", "import manometer; print(manometer.__version__)")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)
    assert run(installed / "manometer", "--version").stdout == f"manometer {done.stdout}"


@pytest.mark.servers
@pytest.mark.xdist_group("packaging")
def test_the_source_distribution_runs_the_reference_application(tmp_path):
    """It holds ALL-USE with its prices, and the target that runs it."""
    online(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"Makefile", "constraints.txt", "src/alluse/requirements.txt", "src/alluse/__main__.py"} <= names
    assert {"src/alluse/data/goog_daily.csv", "alert_rules/pool.yaml", "docs/runbooks/Watchdog.md"} <= names
