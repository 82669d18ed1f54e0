"""Memory of a histogram child, and the time to import the kit, against prometheus-client's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from measure import Row

_KITS = ("manometer", "prometheus_client")

# Each measurement has an interpreter of its own, so that nothing is there already.
_MEMORY = """
import gc, json, sys, tracemalloc
from importlib import import_module
kit = import_module(sys.argv[1])
buckets = [2.0**power for power in range(-9, 8)]
names = ("path", "method")[: int(sys.argv[2])]
family = kit.Histogram("h", "Help.", names, registry=None, buckets=buckets)
def fill(first, last):
    for number in range(first, last):
        child = family.labels(*(f"/path/{number}", "GET")[: len(names)])
        for event in range(300):
            child.observe(event / 10)
    list(family.collect())
    gc.collect()
fill(0, 10)
tracemalloc.start()
before = tracemalloc.get_traced_memory()[0]
fill(10, 1010)
print(json.dumps((tracemalloc.get_traced_memory()[0] - before) / 1000))
"""
_IMPORT = """
import json, sys
from importlib import import_module
from time import perf_counter
started = perf_counter()
import_module(sys.argv[1])
print(json.dumps(perf_counter() - started))
"""
_USE = _IMPORT.replace("(sys.argv[1])", "(sys.argv[1]).Counter('c', 'Help.').inc()")
_ALL = _IMPORT.replace("import_module(sys.argv[1])", "exec(f'from {sys.argv[1]} import *')")


def rows() -> Iterator[Row]:
    """Bytes a child after 300 observations and a collection, then seconds of an import."""
    yield _memory("memory of a histogram child with one label and 18 buckets", 1)
    yield _memory("memory of a histogram child with two labels and 18 buckets", 2)
    yield _import("import manometer", _IMPORT, target=1.3)
    yield _import("import manometer and use a Counter", _USE)
    yield _import("from manometer import *", _ALL)


def _memory(name: str, labels: int) -> Row:
    mine, theirs = (_measured(_MEMORY, kit, str(labels)) for kit in _KITS)
    detail = f"{mine:,.0f} bytes against {theirs:,.0f}"
    return Row(name, "prometheus-client", mine / theirs, "ratio", target=0.3, detail=detail)


def _import(name: str, script: str, target: float | None = None) -> Row:
    pairs = [tuple(_measured(script, kit) for kit in _KITS) for _ in range(15)]
    return Row(
        name,
        "the same of prometheus_client",
        median(mine / theirs for mine, theirs in pairs),
        "ratio",
        target,
        detail="{:.0f} ms against {:.0f} ms".format(*(median(each) * 1e3 for each in zip(*pairs, strict=True))),
    )


def _measured(script: str, *arguments: str) -> float:
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
