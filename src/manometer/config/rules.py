"""What values a setting takes: from text, from a file, and how to say so to people and to a schema."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from manometer.errors import ConfigError

__all__ = [
    "ADDRESS",
    "ADDRESSES",
    "FLAG",
    "HEADERS",
    "PATH",
    "SECONDS",
    "URL",
    "Rule",
    "choice",
    "headers",
    "number",
    "rule_of",
    "text",
    "whole_number",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """What values a setting takes.

    allowed: what it takes, in words; accepts: whether it takes the value; schema: JSON Schema of the value in a file.
    from_text: reads a variable's text; from_file: reads a file's value. Both leave alone, or refuse with ValueError,
    what they cannot read.
    """

    allowed: str
    accepts: Callable[[Any], bool]
    schema: Mapping[str, Any]
    from_text: Callable[[str], Any] = str
    from_file: Callable[[Any], Any] = lambda value: value


def whole_number(low: int | None = None, high: int | None = None) -> Rule:
    """From the one to the other; None for no bound."""

    def accepts(value: Any) -> bool:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and (low is None or low <= value) and (high is None or value <= high)

    bounds = {"minimum": low, "maximum": high}
    schema = {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
    within = "".join(f" {word} {bound}" for word, bound in (("from", low), ("to", high)) if bound is not None)
    return Rule(f"a whole number{within}", accepts, schema, int)


_BOUNDS: Mapping[str, Callable[[float, float], bool]] = {"minimum": ge, "maximum": le, "exclusiveMinimum": gt}


def number(allowed: str, **bounds: float) -> Rule:
    """A number with or without a fraction, and never without end.

    bounds: as JSON Schema names them: `minimum`, `maximum`, `exclusiveMinimum`.
    """

    def accepts(value: Any) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
        return is_number and all(_BOUNDS[name](value, bound) for name, bound in bounds.items())

    return Rule(allowed, accepts, {"type": "number", **bounds}, float)


def choice(*choices: str) -> Rule:
    """One of these texts."""
    return Rule(f"one of {', '.join(choices)}", lambda value: value in choices, {"enum": list(choices)})


def text(allowed: str, pattern: str = "", within: Callable[[str], bool] = bool) -> Rule:
    """A text, by default any but the empty one.

    pattern: a regular expression of the whole text, of the kind that Python and JSON Schema both have.
    within: what a pattern cannot say.
    """

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and within(value) and (not pattern or bool(re.fullmatch(pattern, value)))

    form = {"pattern": f"^(?:{pattern})$"} if pattern else {}
    return Rule(allowed, accepts, {"type": "string", "minLength": 1, **form})


def headers(value: str) -> dict[str, str]:
    """HTTP headers written as OpenTelemetry's variables have them: `name=value,name=value`, percent-encoded.

    Lines separate them too, as in a file. ValueError where a part is no such pair.
    Source: the specification of OTEL_EXPORTER_OTLP_HEADERS, which takes W3C Baggage's form.
    """
    from urllib.parse import unquote  # few programs send headers

    found = {}
    for part in filter(str.strip, value.replace("\n", ",").split(",")):
        name, equals, content = part.partition("=")
        name, content = unquote(name).strip().lower(), unquote(content).strip()
        if not (equals and name.isascii() and content.isascii() and content.isprintable()) or not _is_token(name):
            raise ValueError("no pair of a name and a value")
        found[name] = content
    return found


def _is_token(name: str) -> bool:
    """Whether HTTP allows for the name of a header (RFC 9110, token)."""
    return bool(name) and all(each.isalnum() or each in "!#$%&'*+-.^_`|~" for each in name)


def _are_headers(value: str) -> bool:
    try:
        return bool(headers(value))
    except ValueError:
        return False


def _flag(value: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    except KeyError:
        raise ValueError("no flag") from None


_PORT = "[0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
ADDRESS = rf"(?:\[([^\[\],\s]+)\]|([^\[\]:,\s]*)):({_PORT})|unix:(/(?:[^,]*[^,\s])?)"
"""One address to listen on: in groups, an IPv6 address or else a host, and the port; or a Unix socket's path."""
ADDRESSES = text(
    "addresses with commas between them: 127.0.0.1:9464, [::1]:9464, :9464 for every address of the machine, or "
    "unix:/run/app.sock",
    rf"(?:\s*,)*\s*(?:{ADDRESS})\s*(?:,\s*(?:(?:{ADDRESS})\s*)?)*",
)

_OTHER_PAGES = "livez|readyz|startupz|health"

FLAG = Rule("true or false", lambda value: isinstance(value, bool), {"type": "boolean"}, _flag)
SECONDS = number("a number of seconds over 0", exclusiveMinimum=0)
URL = text("a URL such as http://127.0.0.1:4318", "https?://.+")
PATH = text("a path such as /metrics, and of no other page", rf"/(?!(?:{_OTHER_PAGES})$)[A-Za-z0-9_./~-]*")
HEADERS = text("HTTP headers as name=value with commas between them", within=_are_headers)

_BY_TYPE = {
    bool: FLAG,
    int: whole_number(),
    float: number("a number"),
    str: Rule("text", lambda value: isinstance(value, str), {"type": "string"}),
    Path: Rule(
        "a path",
        lambda value: isinstance(value, Path),
        {"type": "string", "minLength": 1},
        Path,
        lambda value: Path(value) if isinstance(value, str) and value else value,
    ),
}


def rule_of(kind: Any) -> Rule:
    """The rule of a type: bool, int, float, str, Path, a tuple of any number of these, or one of them or None.

    A variable has the values of a tuple with commas between them, a file as a list.
    Raises ConfigError for another type.
    """
    if get_origin(kind) in (Union, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        if len(kinds) == 1:
            return rule_of(kinds[0])
    if get_origin(kind) is tuple and get_args(kind)[1:] == (...,):
        return _several(rule_of(get_args(kind)[0]))
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    names = ", ".join(each.__name__ for each in _BY_TYPE)
    raise ConfigError(f"{kind} is no type of a setting; take {names}, or a tuple[..., ...] of these")


def _several(each: Rule) -> Rule:
    def accepts(value: Any) -> bool:
        return isinstance(value, tuple) and all(map(each.accepts, value))

    def from_file(value: Any) -> Any:
        return tuple(map(each.from_file, value)) if isinstance(value, list) else value

    def from_text(value: str) -> Any:
        return tuple(each.from_text(part.strip()) for part in value.split(",") if part.strip())

    schema = {"type": "array", "items": dict(each.schema)}
    return Rule(f"a list, each {each.allowed}", accepts, schema, from_text, from_file)
