"""What tests of the benchmarks may ask for."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a module of the benchmarks, which are scripts that import each other by their bare names."""
    before = set(sys.modules)
    for folder in (BENCHMARKS / "survival", BENCHMARKS):  # both have a module called run
        monkeypatch.syspath_prepend(folder)
    yield import_module
    for name in set(sys.modules) - before:
        if BENCHMARKS in Path(getattr(sys.modules[name], "__file__", None) or "/").parents:
            del sys.modules[name]
