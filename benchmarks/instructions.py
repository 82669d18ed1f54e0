"""Count the instructions of the hottest paths, and fail where one takes more of them than the committed count.

    python benchmarks/instructions.py [--record]

A count is the same on a busy machine and on an idle one, which no time is. valgrind counts. Each row is the ratio of
two counts of the same run, Manometer's and its peer's. It is repeated with other seeds of Python's hashes, which say
where keys of a dictionary collide, and with everything elsewhere in memory. --record keeps the counts in
instructions.json beside this file, in the place of those by an interpreter like this one.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from comparison import verdict
from measure import Row
from results import COUNTS
from runs import REPEATS, Run, made_with, repeated

__all__ = ["counted"]

_PEERS = ("prometheus-client", "cachetools")
_PROGRAM = Path(__file__).with_name("hot_paths.py")
_COUNTING = ("--tool=cachegrind", "--cache-sim=no")
_NEEDED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")  # of the environment; the user's settings would change what runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, print and compare; 1 where a path is worse, or where valgrind has to be there and is not."""
    parser = argparse.ArgumentParser(description="Count the instructions of hot paths.")
    parser.add_argument("--record", action="store_true", help="keep these counts as those to compare with")
    record = parser.parse_args(arguments).record
    if shutil.which("valgrind") is None:
        print("nothing counted: valgrind is missing (apt-get install valgrind)")
        return 1 if os.environ.get("REQUIRE_SERVERS") == "1" else 0
    run = Run(made_with(_PEERS), repeated(counted(range(REPEATS))))
    committed = [Run.of(each) for each in json.loads(COUNTS.read_text(encoding="utf-8"))]
    if record:
        others = [each for each in committed if not _alike(each, run)]
        COUNTS.write_text(json.dumps([each.content() for each in (*others, run)], indent=2) + "\n", encoding="utf-8")
        committed = [run]
    return verdict(run, committed)


def counted(seeds: Iterable[int]) -> Iterator[list[Row]]:
    """The rows of a run with each of these seeds. Raises SystemExit where a run fails."""
    _run(0)  # so that all modules are compiled: what compiles them leaves its traces in memory
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            told = _run(seed, "valgrind", "--quiet", *_COUNTING, f"--cachegrind-out-file={folder}/%p")
            yield [_row(json.loads(line), Path(folder)) for line in told.splitlines()]


def _run(seed: int, *tool: str) -> str:
    environment = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    done = subprocess.run(
        [*tool, sys.executable, _PROGRAM, str(seed)],
        env=environment | {"PYTHONHASHSEED": str(seed)},
        cwd=_PROGRAM.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join((*tool, _PROGRAM.name))} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _row(told: dict, counts: Path) -> Row:
    mine, theirs = (_each(told["times"], told[side], counts) for side in ("ours", "theirs"))
    detail = f"{mine:,.0f} instructions against {theirs:,.0f}"
    return Row(told["name"], told["against"], mine / theirs, "ratio", told["target"], detail=detail)


def _each(times: Sequence[int], processes: Sequence[int], counts: Path) -> float:
    """Instructions of one time: those that the second process took more, over the times that it ran more."""
    few, many = (_count((counts / str(pid)).read_text(encoding="utf-8")) for pid in processes)
    return (many - few) / (times[1] - times[0])


def _count(cachegrind: str) -> int:
    """The instructions of a process, from its start on; a forked one has those of its parent before it."""
    return int(re.search(r"^summary: (\d+)", cachegrind, re.MULTILINE)[1])


def _alike(one: Run, other: Run) -> bool:
    return all(one.made_with[each] == other.made_with[each] for each in ("python", "build", "machine"))


if __name__ == "__main__":
    sys.exit(main())
