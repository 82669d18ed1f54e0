"""Quantities as people write them: `15.5 ms`, `100 MB`, `95 %`."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

__all__ = ["number", "shown"]

_UNITS: Mapping[str, Mapping[str, Decimal]] = {
    "s": {
        "ns": Decimal("1e-9"),
        "us": Decimal("1e-6"),
        "ms": Decimal("0.001"),
        "s": Decimal(1),
        "min": Decimal(60),
        "h": Decimal(3600),
    },
    "By": {
        "B": Decimal(1),
        "kB": Decimal(10**3),
        "MB": Decimal(10**6),
        "GB": Decimal(10**9),
        "KiB": Decimal(2**10),
        "MiB": Decimal(2**20),
        "GiB": Decimal(2**30),
    },
    "1": {"%": Decimal("0.01")},
}
_SCALES = {"s": ("s", "ms", "us"), "By": ("GB", "MB", "kB")}


def number(text: object, unit: str) -> float | None:
    """The quantity in the base unit, which is `s`, `By`, `1` or a noun in braces; None where it is none."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text) if math.isfinite(text) else None
    found = (
        re.fullmatch(r"\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*([A-Za-z%]+)\s*", text) if isinstance(text, str) else None
    )
    factor = _UNITS.get(unit, {}).get(found[2]) if found else None
    return None if found is None or factor is None else float(Decimal(found[1]) * factor)


def shown(value: float, unit: str) -> str:
    """The quantity in the unit that suits its size, to four figures."""
    if unit == "1":
        return f"{100 * value:.4g} %"
    for each in _SCALES.get(unit, ()):
        scaled = value / float(_UNITS[unit][each])
        if abs(scaled) >= 1 or each == _SCALES[unit][-1]:
            return f"{scaled:.4g} {each}"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
