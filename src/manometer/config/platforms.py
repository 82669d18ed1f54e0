"""What the variables of other projects mean, where they do not write a setting's value as we do."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

__all__ = ["ANY_CASE", "EXPORTERS", "MILLISECONDS", "UNREAD", "Meaning", "said"]

Meaning = Callable[[str], Any]
"""Makes the setting's value of a variable's text. ValueError where the text has no such meaning."""

UNREAD = {
    "OTEL_CONFIG_FILE": "OpenTelemetry's SDK reads that file, and Manometer does not; set MANOMETER_CONFIG_FILE too",
}
"""Variables that one may take for ours, and what to do about each."""

_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"
_IN_RESOURCE = {"OTEL_SERVICE_NAME": "service.name"}
"""Variables with a name of their own for what the resource may tell too; OpenTelemetry has them go before it."""

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


def said(environ: Mapping[str, str], variable: str) -> tuple[str, str]:
    """The variable that says so and its text; that is empty where none does."""
    text = environ.get(variable, "").strip()
    if text or variable not in _IN_RESOURCE:
        return variable, text
    pairs = (each.partition("=") for each in environ.get(_RESOURCE, "").split(","))
    told = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    return _RESOURCE, told.get(_IN_RESOURCE[variable], "")
