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

ROUNDS = 3  # in each of which every expression is evaluated


def least(prometheus, every):
    """The processor time of each rule of each group, by the group's name: the least of the rounds.

    A collection of garbage, or a minute in which other programs fill the caches, is in some of them alone.
    """
    rounds = [
        {group["name"]: [taken(prometheus, rule["expr"]) for rule in group["rules"]] for group in every}
        for _ in range(ROUNDS)
    ]
    return {name: [min(each) for each in zip(*(found[name] for found in rounds), strict=True)] for name in rounds[0]}


def taken(prometheus, expr):
    """The processor time of an evaluation. The answer is one figure, so that it costs nothing to tell."""
    before = used(prometheus)
    prometheus.api("query", query=f"count({expr})", time=NOW)
    return used(prometheus) - before


def used(prometheus):
    """The processor time that Prometheus has taken so far, by the kernel's count of nanoseconds."""
    threads = Path(f"/proc/{prometheus.pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def listing(every, took):
    """A line a rule, the dearest first: its share of a processor, the time that it takes, its group and its name."""
    lines = [
        (each / seconds(group), each, group["name"], rule.get("record") or rule["alert"])
        for group in every
        for rule, each in zip(group["rules"], took[group["name"]], strict=True)
    ]
    dearest = sorted(lines, reverse=True)
    return "\n".join(f"{share:8.3%} {each:8.4f} s  {group}  {name}" for share, each, group, name in dearest)


def main():
    """Measure, print, and keep the record where it is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--instances", type=int, default=1000)
    asked.add_argument("--record", action="store_true", help="keep what is measured, for the documentation")
    asked.add_argument("--rules", action="store_true", help="list what each rule takes too, the dearest first")
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
        took = least(prometheus, every)
    if options.rules:
        sys.stdout.write(listing(every, took) + "\n")
    measured = {
        group["name"]: {
            "interval": seconds(group),
            "rules": len(group["rules"]),
            "seconds": round(sum(took[group["name"]]), 3),
        }
        for group in every
    }
    record = {"instances": options.instances, "series": len(series()), "groups": measured}
    if options.record:
        PATH.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(record) + "\n")


if __name__ == "__main__":
    main()
