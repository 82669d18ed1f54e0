"""Healthy load: the signals of a service on which nothing is wrong, by a model of days, weeks and noise.

The load rises and falls by day, is lower at weekends, wanders, and has bursts of some minutes. Each weekday a
deployment starts the processes anew: caches are cold for some minutes, and memory grows from its least again.
"""

import numpy as np

DAY = 86400
_WINDOW = 300  # seconds that a rate looks back


def signals(rng, days, step, requests):
    """Each signal as an array with a value a step, by its name. requests: a second, at noon of a weekday."""
    steps = days * DAY // step
    clock = np.arange(steps) * step
    load = _load(rng, clock, step, requests)
    age = _since_deployment(rng, clock)
    cold = np.exp(-age / 120)

    runs = rng.poisson(load * step)
    busy = load / (3 * requests)
    seconds = _mean_of(rng, 0.004 * (1 + busy**2 + 0.5 * cold), 0.006, runs)
    lookups = rng.poisson(4 * load * step)
    misses = rng.binomial(lookups, np.clip(0.05 + 0.5 * cold, 0, 1))
    attempts = rng.poisson(load * step / 2)
    loops = np.full(steps, 10 * step)
    cpu = 0.02 + load * 0.5 / (3 * requests) + 0.1 * cold
    return {
        "latency": _share(seconds * runs, runs, step),
        "errors": _share(rng.binomial(runs, 0.002), runs, step),
        "throughput": _window(runs, step) / _WINDOW,
        "in_flight": _window(rng.poisson(load * seconds * 20), step) * step / _WINDOW / 20,
        "misses": _share(misses, lookups, step),
        "evictions": _window(rng.binomial(misses, 0.8), step) / _WINDOW,
        "pool_saturation": np.clip(_window(rng.poisson(6 * busy * 3), step) * step / _WINDOW / 15, 0, 1),
        "worker_saturation": np.clip(_window(rng.poisson(8 * busy * 3), step) * step / _WINDOW / 12, 0, 1),
        "pool_wait": _share(_mean_of(rng, 0.0003 * (1 + 4 * busy**4), 0.002, runs) * runs, runs, step),
        "queue_saturation": np.clip(_window(rng.poisson(30 * busy**3), step) * step / _WINDOW / 100, 0, 1),
        "queue_wait": _share(_mean_of(rng, 0.01 * (1 + 20 * busy**3), 0.03, runs) * runs, runs, step),
        "retries": _share(rng.binomial(attempts, 0.01), attempts, step),
        "memory": 9e7 + 3e7 * (1 - np.exp(-age / 7200)) + 1e7 * busy + rng.normal(0, 5e5, steps),
        "cpu": _window(np.clip(rng.normal(cpu, 0.03), 0, None) * step, step) / _WINDOW,
        "gc": _window(np.clip(rng.normal(0.02 * busy, 0.002), 0, None) * step, step) / _WINDOW,
        "loop_lag": _share(_mean_of(rng, 0.0004 * (1 + 3 * busy), 0.002, loops) * loops, loops, step),
        "descriptors": np.round(40 + 30 * busy + rng.normal(0, 2, steps)),
    }


def _load(rng, clock, step, requests):
    """Requests a second."""
    day = 0.5 + 0.5 * np.sin(2 * np.pi * (clock / DAY - 0.25))  # 0 at midnight, 1 at noon
    weekend = np.where(clock // DAY % 7 >= 5, 0.6, 1.0)
    wander = np.exp(_wandering(rng, len(clock), 0.08, 3600 / step) + _wandering(rng, len(clock), 0.05, DAY / step))
    bursts = np.ones(len(clock))
    for start in rng.integers(0, len(clock), len(clock) * step // DAY * 6):  # six a day
        bursts[start : start + int(rng.uniform(60, 480) / step)] = rng.uniform(1.3, 2.0)
    return requests * (0.3 + 0.7 * day) * weekend * wander * bursts


def _wandering(rng, steps, spread, remembered):
    """A process that forgets: of this spread, correlated over that many steps."""
    kept = np.exp(-1 / remembered)
    shocks = rng.normal(0, spread * np.sqrt(1 - kept**2), steps)
    values = np.empty(steps)
    value = 0.0
    for place, shock in enumerate(shocks):
        value = kept * value + shock
        values[place] = value
    return values


def _since_deployment(rng, clock):
    """Seconds since the last deployment, of which each weekday has one in the afternoon."""
    days = np.arange(clock[-1] // DAY + 1)
    times = [day * DAY + rng.uniform(13, 17) * 3600 for day in days if day % 7 < 5]
    return np.min([np.where(clock >= time, clock - time, np.inf) for time in [-DAY, *times]], axis=0)


def _mean_of(rng, mean, spread, events):
    """The mean of so many events, whose times are skewed: of this mean and that spread each."""
    shape = np.maximum(events, 1) * (mean / spread) ** 2
    return rng.gamma(shape, mean / shape)


def _window(amounts, step):
    """The sum over the window that ends at each step."""
    summed = np.concatenate([[0.0], np.cumsum(amounts, dtype=float)])
    places = np.arange(1, len(summed))
    return summed[places] - summed[np.maximum(places - _WINDOW // step, 0)]


def _share(part, whole, step):
    """Both over the window, divided: no figure where there is less than one event a second."""
    events = _window(whole, step)
    return np.where(events > _WINDOW, _window(part, step) / np.maximum(events, 1), np.nan)
