"""What the variables of other projects mean, where they do not write a setting's value as we do."""

from collections.abc import Callable
from typing import Any

__all__ = ["ANY_CASE", "EXPORTERS", "MILLISECONDS", "UNREAD", "Meaning"]

Meaning = Callable[[str], Any]
"""Makes the setting's value of a variable's text. ValueError where the text has no such meaning."""

UNREAD = {
    "OTEL_CONFIG_FILE": "OpenTelemetry's SDK reads that file, and Manometer does not; set MANOMETER_CONFIG_FILE too",
}
"""Variables that one may take for ours, and what to do about each."""

_OTHER_EXPORTERS = frozenset({"none", "prometheus", "console", "logging", "zipkin"})


def MILLISECONDS(text: str) -> float:  # noqa: N802 - used as a constant, as rules are
    """Seconds."""
    return float(text) / 1000


def ANY_CASE(text: str) -> str:  # noqa: N802
    """The word in small letters."""
    return text.lower()


def EXPORTERS(text: str) -> str:  # noqa: N802
    """`otlp` where that is one of the exporters in the list, else `none`: the others are not ours to run."""
    named = {each.strip() for each in text.split(",")}
    if "otlp" in named:
        return "otlp"
    if named <= _OTHER_EXPORTERS:
        return "none"
    raise ValueError("an exporter that nobody knows")
