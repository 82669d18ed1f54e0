"""Measure everything, print the table, and compare it with the committed run, results.json beside this file.

python benchmarks/run.py [--record] [SUITE ...]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import demo
import engine
import exposition
import footprint
import growth
import meters
import processes
import push
from comparison import verdict
from measure import Row
from results import PATH
from runs import REPEATS, Run, cpu, made_with, repeated

_PEERS = ("prometheus-client", "opentelemetry-sdk", "cachetools", "sqlalchemy")

SUITES = {each.__name__: each for each in (meters, processes, exposition, push, footprint, growth, engine, demo)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all benchmarks, or those of the modules that are named; 1 where a target is missed or a row is worse."""
    parser = argparse.ArgumentParser(description="Measure speeds as ratios, and compare them with the committed run.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all where none is named")
    parser.add_argument("--record", action="store_true", help="keep these figures as those to compare with")
    options = parser.parse_args(arguments)
    if unknown := set(options.suites) - set(SUITES):
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    if options.record and options.suites:
        parser.error("--record keeps a run of all suites")
    run = Run(made_with(_PEERS) | {"cpu": cpu()}, repeated(measured(options.suites or [*SUITES])))
    committed = Run.of(json.loads(PATH.read_text(encoding="utf-8")))
    if options.record:
        PATH.write_text(json.dumps(run.content(), indent=2) + "\n", encoding="utf-8")
        committed = run
    return verdict(run, [committed])


def measured(suites: Sequence[str]) -> list[list[Row]]:
    """The rows of each repeat. One repeat ends before the next starts, so that what drifts shows as spread."""
    repeats = []
    for repeat in range(1, REPEATS + 1):
        rows: list[Row] = []
        for name in suites:
            print(f"repeat {repeat} of {REPEATS}: {name}", flush=True)
            # Where its memory happens to lie makes a process some percent faster than the next.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
                rows += fresh.submit(_rows, name).result()
        repeats.append(rows)
    return repeats


def _rows(suite: str) -> list[Row]:
    return [*SUITES[suite].rows()]


if __name__ == "__main__":
    sys.exit(main())
