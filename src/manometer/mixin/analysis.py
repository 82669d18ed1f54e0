"""Statistics as PromQL: the trend of a series, how far to believe it, where it leads, and what is unusual about it.

The functions build expressions from the names of recorded series. Prometheus 2 counts a sample at the oldest end of a
range, and Prometheus 3 does not: so a figure may differ by what one sample makes.
"""

from manometer.mixin.promql import over

__all__ = ["agreed", "fit", "forecast", "median", "prediction_error", "slope", "spaced_evenly", "steadiness"]


def slope(series: str, window: str) -> str:
    """What the straight line through the samples grows by a second, by least squares."""
    return f"deriv({series}[{window}])"


def forecast(series: str, window: str, horizon: int) -> str:
    """Where the straight line through the samples is in `horizon` seconds; no figure of ours is below 0."""
    return f"clamp_min(predict_linear({series}[{window}], {horizon}), 0)"


def spaced_evenly(series: str, window: str, step: int) -> str:
    """The variance of the samples' times where one comes every `step` seconds: step^2 (n^2 - 1) / 12.

    A gap makes it wrong. Where gaps matter, record the times and take `stdvar_over_time` of them.
    """
    return f"{step}^2 * ({over('count', series, window)}^2 - 1) / 12"


def fit(series: str, window: str, slope: str, times: str) -> str:
    """R-squared of the straight line, from 0 to 1: the share of the samples' variance that it explains.

    slope: that of the line. times: the variance of the samples' times, in seconds squared.
    The slope is cov(t, v) / var(t), so R-squared, cov(t, v)^2 / (var(t) var(v)), is slope^2 var(t) / var(v).
    A series that does not move has no variance to explain: nothing where its spread is under a millionth of its mean.
    """
    spread = over("stdvar", series, window)
    moves = f"(1e-6 * {over('avg', series, window)})^2"
    return f"clamp_max({slope}^2\n* {times}\n/ ({spread} > {moves}), 1)"


def steadiness(series: str, window: int, slope: str) -> str:
    """The lesser slope of the range's two halves over that of the whole: 1 for a ramp, 0 or less for a step.

    window: the range, in seconds. slope: that of the whole.
    A step has an R-squared of up to 0.75, so that the fit alone takes it for a trend; but half of its range is flat.
    Nothing where the whole has no slope.
    """
    half = f"{window // 2}s"
    late, early = f"deriv({series}[{half}])", f"deriv({series}[{half}] offset {half})"
    # The lesser of a and b is (a + b - |a - b|) / 2; where the whole falls, the lesser is the half that falls less.
    lesser = f"(({late} + {early}) * sgn({slope})\n- abs({late} - {early}))"
    return f"{lesser}\n/ (2 * abs({slope}) > 0)"


def prediction_error(series: str, window: str, fit: str, times: str, horizon: int, independent: str) -> str:
    """Half the width of the band in which a straight line predicts a sample, about 95 % of the time.

    fit: R-squared, recorded; where it has no figure the series hardly moves, and the line explains nothing of that.
    times: the samples' times, recorded. independent: how many of the samples are independent of each other, n below.
    Twice the standard error of a prediction: s sqrt(1 + 1/n + (t - mean(t))^2 / (n var(t))), with
    s^2 = var(v) (1 - R^2) n / (n - 2). Source: Draper and Smith, Applied Regression Analysis: prediction intervals.
    """
    n = independent
    spread = over("stdvar", series, window)
    unexplained = f"({spread} * (1 - {fit}) or {spread}) * {n} / ({n} - 2 > 0)"
    ahead = f"(time() + {horizon} - {over('avg', times, window)})^2 / {over('stdvar', times, window)}"
    return f"2 * sqrt({unexplained}\n* (1 + (1 + {ahead}) / {n}))"


def median(series: str, window: str, ago: str = "") -> str:
    """The middle one of the samples. ago: how long ago the range ends."""
    return f"quantile_over_time(0.5, {series}[{window}]{f' offset {ago}' if ago else ''})"


def agreed(one: str, other: str, apart: str) -> str:
    """The nearer to 0 of two signed figures, and 0 where one is above 0 and the other below.

    apart: the label that tells the two from each other; the result lacks it.
    Half of |a + b| - |a - b| is the lesser magnitude where the signs are the same, and below 0 where they are not.
    """
    total, difference = (f"{one} {operator} ignoring ({apart}) {other}" for operator in "+-")
    return f"sgn({total})\n* clamp_min((abs({total}) - abs({difference})) / 2, 0)"
