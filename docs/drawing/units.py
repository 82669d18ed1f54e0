"""A figure in its unit, as short as a panel wants it."""

import math

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BINARY = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_SECONDS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "us"))


def told(value: float, unit: str) -> str:
    """The figure as text. unit: Grafana's id of it."""
    if not math.isfinite(value):
        return "-"
    if unit == "percentunit":
        return f"{_digits(100 * value)} %"
    if unit == "s":
        return _scaled(value, _SECONDS, "s")
    if unit == "bytes":
        return _scaled(value, _BINARY, "B")
    suffix = {"decbytes": "B", "Bps": "B/s", "ops": "/s", "reqps": "/s", "iops": "/s"}.get(unit, "")
    if unit.startswith("suffix: "):
        suffix = unit.removeprefix("suffix: ")
    for size, letter in _STEPS:
        if abs(value) >= size:
            return f"{_digits(value / size)} {letter}{suffix}"
    return f"{_digits(value)} {suffix}".rstrip()


def _scaled(value: float, steps: tuple[tuple[float, str], ...], otherwise: str) -> str:
    for size, name in steps:
        if abs(value) >= size:
            return f"{_digits(value / size)} {name}"
    return f"{_digits(value)} {otherwise}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
