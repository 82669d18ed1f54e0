"""What `manometer` names is what users get, and nothing starts on import."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import manometer


def test_all_is_sorted_and_there():
    """Every public name exists and stands in order."""
    assert manometer.__all__ == sorted(manometer.__all__)
    assert all(hasattr(manometer, name) for name in manometer.__all__)


def test_every_public_name_has_one_home():
    """What the type checker sees, what is announced, and what is imported on demand are the same names."""
    source = Path(manometer.__file__).read_text()
    checked = re.findall(r"^    from (\S+) import (.+)$", source, re.MULTILINE)
    assert {home: tuple(names.split(", ")) for home, names in checked} == manometer._HOMES
    assert sorted(manometer._HOME) == manometer.__all__
    assert set(manometer.__all__) <= set(dir(manometer))


def test_the_version_is_that_of_the_metadata():
    """It is read when it is first asked for; source that is not installed has none."""
    assert manometer.__version__ == version("manometer")
    script = """
import importlib.metadata
def absent(name): raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = absent
import manometer
print(manometer.__version__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "unknown\n"


def test_an_unknown_name_is_an_attribute_error():
    """As of any module; the message tells what there is."""
    with pytest.raises(AttributeError, match=r"no attribute 'Summary'; it has Binding"):
        _ = manometer.Summary


def test_every_public_name_is_documented():
    """Each says in a docstring what it is for."""
    undocumented = [name for name in manometer.__all__ if not (getattr(manometer, name).__doc__ or "").strip()]
    assert undocumented == []


def test_importing_starts_and_registers_nothing():
    """No thread, no collector, no log handler, no third-party library that is an extra."""
    script = """
import json, logging, sys, threading
from prometheus_client import REGISTRY
before = len(REGISTRY._collector_to_names)
from manometer import *
libraries = ["async_lru", "asyncpg", "cachebox", "cachetools", "diskcache", "psycopg2", "psycopg_pool", "redis"]
libraries += ["sqlalchemy", "tenacity", "pybreaker"]
extras = [*libraries, "rich", "yaml", "opentelemetry.sdk"]
print(json.dumps({
    "threads": threading.active_count(),
    "collectors": len(REGISTRY._collector_to_names) - before,
    "handlers": len(logging.getLogger("manometer").handlers) + len(logging.getLogger().handlers),
    "extras": [name for name in extras if name in sys.modules],
}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"threads": 1, "collectors": 0, "handlers": 0, "extras": []}
