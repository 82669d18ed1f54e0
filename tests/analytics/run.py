"""Count the false alarms of weeks of healthy load, and the faults that are found: `python tests/analytics/run.py`.

The analytics are those of numpy, which `test_numpy.py` holds to be what Prometheus computes from the rules.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "shared")]

from healthy import DAY, signals  # noqa: E402
from measured import PATH, summary, table  # noqa: E402

from manometer.mixin.rules.analytics.signals import signals as specified  # noqa: E402
from manometer.mixin.thresholds import parse  # noqa: E402
from signal_statistics import anomaly, scores, trend  # noqa: E402

PAST = 9  # days until the score of every season is known
WEEK = 7  # days: one with faults, and one in which they might come again as echoes
REQUESTS = (40.0, 4.0)
LASTS = 3600  # seconds of a fault
FIRST_SEED = 100  # the limit of the score, the grains and the faults below were chosen on weeks of the seeds 0 and 1

FAULTS = {
    "latency": ("twice as long", lambda values: 2 * values),
    "errors": ("5% more fail", lambda values: values + 0.05),
    "throughput": ("two thirds of the runs are gone", lambda values: values / 3),
    "in_flight": ("20 more", lambda values: values + 20),
    "misses": ("20% more miss", lambda values: values + 0.2),
    "evictions": ("4 times as many", lambda values: 4 * values),
    "pool_saturation": ("50% more in use", lambda values: np.minimum(values + 0.5, 1)),
    "worker_saturation": ("50% more in use", lambda values: np.minimum(values + 0.5, 1)),
    "pool_wait": ("20 ms longer", lambda values: values + 0.02),
    "queue_saturation": ("50% fuller", lambda values: np.minimum(values + 0.5, 1)),
    "queue_wait": ("0.5 s longer", lambda values: values + 0.5),
    "retries": ("10% more fail", lambda values: values + 0.1),
    "memory": ("half as much again", lambda values: 1.5 * values),
    "cpu": ("0.5 cores more", lambda values: values + 0.5),
    "gc": ("5% more of the time", lambda values: values + 0.05),
    "loop_lag": ("50 ms longer", lambda values: values + 0.05),
    "descriptors": ("100 more", lambda values: values + 100),
}


def alarms(scored, signal, config):
    """The steps at which the alert fires."""
    step = config.analytics.interval.seconds
    bad = np.abs(scored) if signal.low else scored
    firing = np.zeros(len(bad), bool)
    hold = config.timing["SignalUnusual"].hold.seconds // step
    over = bad > config.analytics.anomaly
    lasted = 0
    for place, unusual in enumerate(over):
        lasted = lasted + 1 if unusual else 0
        firing[place] = lasted > hold
    return firing


def starts(firing):
    """How often an alarm began."""
    return int(np.count_nonzero(firing[1:] & ~firing[:-1]) + firing[0])


def faulty(values, change, rng, step):
    """The signal with a fault in some hour of each day of the week after its past, and where the faults are."""
    values, where = values.copy(), np.zeros(len(values), bool)
    for day in range(PAST, PAST + WEEK):
        start = int((day * DAY + rng.uniform(1, 22) * 3600) / step)
        where[start : start + LASTS // step] = True
    values[where] = change(values[where])
    return values, where


def counted(row, values, config, rng):
    """What one signal of one simulated service gives."""
    step = config.analytics.interval.seconds
    young, grown = slice(0, PAST * DAY // step), slice(PAST * DAY // step, None)
    scored = anomaly(scores(values, row.grain, config))
    quiet = alarms(scored, row, config)
    text, change = FAULTS[row.name]
    struck, where = faulty(values, change, rng, step)
    heard = alarms(anomaly(scores(struck, row.grain, config)), row, config)
    begun = np.flatnonzero(np.diff(where.astype(int)) == 1) + 1
    inside, share = believed(values, config)
    return {
        "young_alarms": starts(quiet[young]),
        "alarms": starts(quiet[grown]),
        "highest": float(np.nanmax((np.abs(scored) if row.low else scored)[grown])),
        "fault": text,
        "found": sum(bool(heard[start : start + LASTS // step].any()) for start in begun),
        "faults": len(begun),
        "echoes": starts(heard[grown] & ~where[grown] & ~quiet[grown]),
        "inside": inside,
        "trending": share,
    }


def believed(values, config):
    """The share of forecasts in whose band the signal came to lie, and the share of the time with a trend."""
    ahead = config.analytics.horizon.seconds // config.analytics.interval.seconds
    line = trend(values, config)
    off = np.abs(values[ahead:] - line["forecast"][:-ahead])
    known = np.isfinite(off)
    inside = float((off <= line["forecast_error"][:-ahead])[known].mean())
    return inside, float(((line["r2"] > 0.7) & (line["steadiness"] > 0.5)).mean())


def main():
    """Simulate, count, print, and keep the record."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=2, help="services of each size")
    asked.add_argument("--interval", default="120s", help="between evaluations")
    options = asked.parse_args()
    config = parse({"analytics": {"interval": options.interval}})
    found = {row.name: [] for row in specified(config)}
    for requests in REQUESTS:
        for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
            rng = np.random.default_rng([seed, int(requests)])
            made = signals(rng, PAST + 2 * WEEK, config.analytics.interval.seconds, requests)
            for row in specified(config):
                found[row.name].append(counted(row, made[row.name], config, rng))
                print(f"{requests:g} requests, seed {seed}: {row.name} {found[row.name][-1]}", flush=True)
    record = {
        "weeks": 2 * len(REQUESTS) * options.seeds,
        "requests": REQUESTS,
        "interval": options.interval,
        "signals": {name: combined(rows) for name, rows in found.items()},
    }
    PATH.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"\n{summary()}\n\n{table()}")


def combined(rows):
    """One signal of all services together."""
    added = {key: sum(row[key] for row in rows) for key in ("young_alarms", "alarms", "found", "faults", "echoes")}
    return {
        **added,
        "fault": rows[0]["fault"],
        "highest": round(max(row["highest"] for row in rows), 2),
        **{key: round(sum(row[key] for row in rows) / len(rows), 3) for key in ("inside", "trending")},
    }


if __name__ == "__main__":
    main()
