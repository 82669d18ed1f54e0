"""Measure everything, print the table, write it to results.json beside this file, fail where a target is missed."""

import json
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version

import demo
import engine
import exposition
import footprint
import growth
import meters
import processes
from measure import Row
from results import PATH

_PEERS = ("prometheus-client", "opentelemetry-sdk", "cachetools", "sqlalchemy")


SUITES = {each.__name__: each for each in (meters, processes, exposition, footprint, growth, engine, demo)}


def main() -> int:
    """Run all benchmarks, or those of the modules named on the command line; 1 where a target is missed."""
    rows: list[Row] = []
    for name in sys.argv[1:] or SUITES:
        for row in SUITES[name].rows():
            rows.append(row)
            print(line(row), flush=True)
    if not sys.argv[1:]:
        results = {
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "versions": {peer: version(peer) for peer in _PEERS},
            "rows": [asdict(row) | {"met": row.met} for row in rows],
        }
        PATH.write_text(json.dumps(results, indent=2) + "\n")
    verdicts = [row.met for row in rows]
    print(f"{verdicts.count(True)} targets met, {verdicts.count(False)} missed")
    return 1 if False in verdicts else 0


def line(row: Row) -> str:
    """A row for people."""
    verdict = {None: "", True: "met", False: "MISSED"}[row.met]
    bound = "" if row.target is None else f"{'at most' if row.at_most else 'at least'} {row.target:,g}"
    return f"{row.name:<66} {row.figure:>12,.3f} {row.unit:<9} {bound:<16} {verdict:<7} {row.detail}"


if __name__ == "__main__":
    sys.exit(main())
