"""A package of another maker brings adapters: it is built, installed and used in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import DEADLINE

PACKAGES = Path(__file__).parent / "third_party"

PROGRAM = """
import sys
import shelf
from manometer import instrument_cache, render

prices = instrument_cache(shelf.Cache(9), name="prices")
assert "manometer_shelf" in sys.modules
for _ in range(3):
    prices.get_or_make("AAPL", len)
print(render()[0].decode())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Runs Python where the library and its adapters are installed besides what the tests have."""
    place = tmp_path_factory.mktemp("third_party")
    copies = [place / name for name in ("shelf", "manometer_shelf")]
    for copy in copies:  # a build leaves nothing in the repository
        subprocess.run(["cp", "-r", PACKAGES / copy.name, copy], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", place / "site", *copies],
        capture_output=True,
        text=True,
        check=False,
        timeout=4 * DEADLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def python(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(place / "site")},
            capture_output=True,
            text=True,
            check=False,
            timeout=4 * DEADLINE,
        )

    return python


@pytest.mark.xdist_group("third_party")
def test_an_installed_adapter_is_found_by_the_library_of_an_object(installed):
    """The program imports the library and the kit; nobody names the adapter."""
    done = installed("-W", "error", "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert 'cache_requests_total{cache_name="prices",cache_request_type="hit"} 2.0' in done.stdout
    assert 'cache_load_duration_seconds_count{cache_load_outcome="ok",cache_name="prices"} 1.0' in done.stdout


@pytest.mark.xdist_group("third_party")
def test_an_adapter_is_not_imported_before_an_object_of_its_library_comes(installed):
    """What is installed and not used costs nothing."""
    program = (
        "import sys, cachetools, manometer\n"
        "manometer.instrument_cache(cachetools.LRUCache(1), name='c')\n"
        "sys.exit('manometer_shelf' in sys.modules or 'importlib.metadata' in sys.modules)"
    )
    done = installed("-c", program)
    assert done.returncode == 0, done.stderr


@pytest.mark.xdist_group("third_party")
def test_the_adapters_of_another_maker_keep_to_the_contracts(installed):
    """Its own test suite runs them, of `manometer.testing`."""
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "--import-mode=importlib",
        "--rootdir=manometer_shelf",
    ]
    done = installed("-m", "pytest", *options, "-c", os.devnull, "manometer_shelf/tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
