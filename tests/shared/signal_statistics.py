"""The analytics of the rules once more, in numpy and by the book: what the rules are compared with.

A signal is an array with a value a step, NaN where there is none; so is each result. Ranges are as in Prometheus 2,
where a sample at the oldest end counts.
"""

import warnings

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_AT_ONCE = 2_000  # windows; of a day at a time, that is some 50 MB


def rolling(statistic, values, samples, back=0):
    """`statistic` of each window of `samples` steps and the sample at its start, that ends `back` steps ago.

    statistic: of an array with a row a window; NaN stands for a sample that is not there.
    """
    padded = np.concatenate([np.full(samples + back, np.nan), values])
    windows = sliding_window_view(padded, samples + 1)[: len(values)]
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of windows without a sample
        return np.concatenate(
            [statistic(windows[start : start + _AT_ONCE]) for start in range(0, len(values), _AT_ONCE)]
        )


def _count(windows):
    return np.isfinite(windows).sum(axis=1)


def _median(windows):
    return np.nanmedian(windows, axis=1) if np.isnan(windows).any() else np.median(windows, axis=1)


def trend(values, config):
    """Slope, r2, steadiness, forecast and forecast_error of a signal, by name."""
    step = config.analytics.interval.seconds
    past = config.analytics.trend_range.seconds // step
    horizon = config.analytics.horizon.seconds
    enough = np.isfinite(values) & (rolling(_count, values, past) >= config.analytics.samples_ratio * past)

    def line(windows):
        """A row a window: slope, mean time from the end, mean, squares of times, of values, of residuals, count."""
        times = np.where(np.isfinite(windows), np.arange(-(windows.shape[1] - 1), 1) * float(step), np.nan)
        middle, mean = np.nanmean(times, axis=1), np.nanmean(windows, axis=1)
        off = windows - mean[:, None]
        apart = times - middle[:, None]
        squares = np.nansum(apart**2, axis=1)
        slope = np.nansum(apart * off, axis=1) / squares
        left = np.nansum((off - slope[:, None] * apart) ** 2, axis=1)
        return np.stack([slope, middle, mean, squares, np.nansum(off**2, axis=1), left, _count(windows)], axis=1)

    slope, middle, mean, squares, total, left, count = rolling(line, values, past).T
    late = rolling(line, values, past // 2)[:, 0]
    early = rolling(line, values, past // 2, past // 2)[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = enough & (total / count > (1e-6 * mean) ** 2)
        own = count * min(1.0, step / 300)
        unexplained = np.where(moves, left, 0) / count * own / (own - 2)
        error = 2 * np.sqrt(unexplained * (1 + 1 / own + (horizon - middle) ** 2 / (own * squares / count)))
        found = {
            "slope": slope,
            "forecast": np.maximum(mean + slope * (horizon - middle), 0),
            "forecast_error": error,
            "r2": np.where(moves, 1 - left / total, np.nan),
            "steadiness": np.where(moves, np.minimum(late / slope, early / slope), np.nan),
        }
    return {name: np.where(enough, figure, np.nan) for name, figure in found.items()}


def scores(values, grain, config):
    """The usual figure, the deviation, its spread and the score of a signal, by season and name."""
    step, limits = config.analytics.interval.seconds, config.analytics
    day, hour = limits.usual_range.seconds // step, limits.season_range.seconds // step
    logarithm = np.log(values + grain)
    found = {}
    for season, back in (("level", None), ("daily", 86400 // step), ("weekly", 7 * 86400 // step)):
        residual = logarithm
        if back is not None:
            ended = back - hour // 2
            then = rolling(_median, logarithm, hour, ended)
            known = rolling(_count, logarithm, hour, ended) >= limits.samples_ratio * hour
            residual = np.where(known, logarithm - then, np.nan)
        centre = _where_enough(residual, day, limits)
        deviation = residual - centre
        usual = np.exp(logarithm - deviation) - grain
        spread = 1.4826 * np.maximum(_where_enough(np.abs(deviation), day, limits), limits.tolerance_ratio)
        width = np.exp(limits.anomaly * spread)
        found[season] = {
            "usual": usual,
            "usual_highest": (usual + grain) * width - grain,
            "usual_lowest": np.maximum((usual + grain) / width - grain, 0),
            "spread": spread,
            "deviation": deviation,
            "zscore": deviation / spread,
        }
    return found


def anomaly(scored):
    """The deviation nearer to 0 of the two longest seasons that are known, over the spread of the longer of the two.

    0 where the two are of different signs.
    """
    found = scored["level"]["zscore"]
    for season, longer in (("level", "daily"), ("daily", "weekly")):
        one, other = scored[season]["deviation"], scored[longer]["deviation"]
        nearer = np.where(np.abs(one) < np.abs(other), one, other)
        score = np.where(one * other > 0, nearer, 0.0) / scored[longer]["spread"]
        found = np.where(np.isfinite(one) & np.isfinite(score), score, found)
    return found


def _where_enough(values, samples, limits):
    """The median of each window, at the steps at which enough of its samples are there."""
    known = rolling(_count, values, samples) >= limits.samples_ratio * samples
    return np.where(known & np.isfinite(values), rolling(_median, values, samples), np.nan)
