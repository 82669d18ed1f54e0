"""Measure what the rules cost Prometheus with a thousand instances: `make scale`.

The processor time of Prometheus is taken, not the time that passes: so other programs on the machine change little.
It is that of the expressions, and not what it takes to store what they give.
"""

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "shared")]

from costs import COUNTS, PATH, table  # noqa: E402

from fleet.given import give_past, give_scrapes  # noqa: E402
from fleet.instance import series  # noqa: E402
from fleet.reach import groups, reaches, seconds  # noqa: E402
from fleet.samples import NOW, count  # noqa: E402
from recording import past  # noqa: E402

TIMES = 2  # that each expression is evaluated


def taken(prometheus, expr):
    """The processor time of an evaluation, the least of some: a collection of garbage is in some of them alone."""
    found = []
    for _ in range(TIMES):
        before = used(prometheus)
        prometheus.api(
            "query", query=f"count({expr})", time=NOW
        )  # the answer is one figure, so that it costs nothing
        found.append(used(prometheus) - before)
    return min(found)


def used(prometheus):
    """The processor time that Prometheus has taken so far, by the kernel's count of nanoseconds."""
    threads = Path(f"/proc/{prometheus.pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def main():
    """Measure, print, and keep the record where it is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--instances", type=int, default=1000)
    asked.add_argument("--record", action="store_true", help="keep what is measured, for the documentation")
    asked.add_argument(
        "--samples", action="store_true", help="count samples instead, and keep the counts for the test"
    )
    options = asked.parse_args()
    if options.samples:
        counts = {name: {part: round(n, 1) for part, n in each._asdict().items()} for name, each in count().items()}
        COUNTS.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
        return
    every = groups()
    reach = reaches(rule["expr"] for group in every for rule in group["rules"])
    with past(collects_garbage_at=100) as prometheus:
        give_scrapes(prometheus, range(options.instances), reach, NOW)
        for group in every:
            give_past(prometheus, group["rules"], reach, seconds(group), NOW)
        measured = {
            group["name"]: {
                "interval": seconds(group),
                "rules": len(group["rules"]),
                "seconds": round(sum(taken(prometheus, rule["expr"]) for rule in group["rules"]), 3),
            }
            for group in every
        }
    record = {"instances": options.instances, "series": len(series()), "groups": measured}
    if options.record:
        PATH.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(record) + "\n")


if __name__ == "__main__":
    main()
