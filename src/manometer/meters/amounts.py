"""Amounts as they are written: real numbers, each as a float."""

from typing import Any

from manometer.errors import MetricError

__all__ = ["real"]


def real(meter: str, amount: Any) -> float:
    """The amount as a float; MetricError where it is a complex number, an array, or the like.

    meter: the name, for the error. Raises TypeError, as adding would, where it is no number at all.
    """
    if type(amount) is float:
        return amount
    number = amount + 0.0
    try:
        return float(number)
    except (TypeError, ValueError):
        raise MetricError(f"{meter} takes real numbers, not {amount!r}") from None
