"""Settings: defaults, then a YAML file, then the environment, then the program's own word."""

import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Self, TypedDict, Unpack

from manometer.errors import ConfigError
from manometer.redaction import brief

__all__ = ["SettingValues", "Settings"]

_PREFIX = "MANOMETER_"
_STANDARD = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "otlp_endpoint",
    "OTEL_SERVICE_NAME": "service_name",
    "PROMETHEUS_MULTIPROC_DIR": "processes_dir",
}
"""OpenTelemetry's and prometheus-client's own variables, honoured under a MANOMETER_ one of the same meaning."""

# What Kubernetes puts into a container for a service called manometer, or manometer-something.
_SERVICE_LINK = re.compile(
    r"MANOMETER_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_PORT = re.compile(r"MANOMETER_(\w+_)?PORT=(tcp|udp|sctp)://.*")

_log = logging.getLogger("manometer")


class _Rule(NamedTuple):
    """What values a setting takes: from text (a variable's) and as they are, and how to say so."""

    allowed: str
    from_text: Callable[[str], Any]
    accepts: Callable[[Any], bool]


def _whole_number(low: int, high: int) -> _Rule:
    return _Rule(
        f"a whole number from {low} to {high}",
        int,
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
    )


def _number(allowed: str, within: Callable[[float], bool]) -> _Rule:
    def accepts(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and within(value)

    return _Rule(allowed, float, accepts)


def _choice(*choices: str) -> _Rule:
    return _Rule(f"one of {', '.join(choices)}", str, lambda value: value in choices)


def _text(allowed: str, within: Callable[[str], bool] = bool) -> _Rule:
    return _Rule(allowed, str, lambda value: isinstance(value, str) and within(value))


_FLAG = _Rule(
    "true or false",
    lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
    lambda value: isinstance(value, bool),
)
_URL = _text(
    "a URL such as http://127.0.0.1:4318", lambda value: value.startswith(("http://", "https://")) and len(value) > 8
)


_SECONDS = _number("a number of seconds over 0", lambda value: 0 < value < float("inf"))


def _setting(default: Any, meaning: str, rule: _Rule) -> Any:
    return field(default=default, metadata={"help": meaning, "rule": rule})


class SettingValues(TypedDict, total=False):
    """The fields of Settings as keyword arguments, so that a type checker refuses one that is misspelt."""

    host: str
    port: int
    allowed_hosts: str | None
    service_name: str
    processes_dir: str | None
    db_client_connections: bool
    collector_timeout: float
    otlp_endpoint: str | None
    trace_ratio: float
    health_interval: float
    drain_time: float
    crash_report: str | None
    logs: bool
    log_level: str
    log_format: str
    log_file: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a program may decide about its Manometer; each value is checked on the way in."""

    host: str = _setting("127.0.0.1", "Address that the exporter listens on.", _text("an address or a host name"))
    port: int = _setting(9464, "Port that the exporter listens on; 0 picks a free one.", _whole_number(0, 65535))
    allowed_hosts: str | None = _setting(
        None,
        "Names by which an exporter on the loopback may be asked for besides its own, as by a proxy; * allows any.",
        _text("host names with commas between them"),
    )
    service_name: str = _setting(
        "python", "Name of the program on traces and the landing page.", _text("a short name")
    )
    processes_dir: str | None = _setting(
        None,
        "Directory in which the worker processes of one program share their figures; unset shows each alone.",
        _text("a path"),
    )
    db_client_connections: bool = _setting(
        False,
        "Whether pools of database connections are shown under OpenTelemetry's db.client.connection.* names too.",
        _FLAG,
    )
    collector_timeout: float = _setting(
        5.0,
        "Seconds that a scrape waits for a collector; less where the scraper itself waits less.",
        _SECONDS,
    )
    otlp_endpoint: str | None = _setting(
        None, "Base URL of an OTLP/HTTP receiver that spans go to; unset sends none.", _URL
    )
    trace_ratio: float = _setting(
        1.0, "Share of traces that are recorded.", _number("a number from 0 to 1", lambda value: 0 <= value <= 1)
    )
    health_interval: float = _setting(
        30.0,
        "Seconds between two runs of a health check that sets no interval of its own.",
        _SECONDS,
    )
    drain_time: float = _setting(
        0.0,
        "Seconds that a program in a Life goes on with its work after it was told to end, not ready any more.",
        _number("a number of seconds, 0 or more", lambda value: 0 <= value < float("inf")),
    )
    crash_report: str | None = _setting(
        None,
        "File that a crash leaves a last report in: where each thread was, and the last figures; unset leaves none.",
        _text("a path"),
    )
    logs: bool = _setting(False, "Whether Manometer sets up the program's logging.", _FLAG)
    log_level: str = _setting(
        "info", "Least severe level that is logged.", _choice("debug", "info", "warning", "error", "critical")
    )
    log_format: str = _setting("json", "Log lines for machines or for people.", _choice("json", "console"))
    log_file: str | None = _setting(
        None, "File that logs go to, kept in 10 MB pieces; unset logs to standard output.", _text("a path")
    )

    def __post_init__(self) -> None:
        for name, rule in _rules().items():
            _check(name, getattr(self, name), rule, f"Settings({name}=...)")

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] = os.environ,
        **overrides: Unpack[SettingValues],
    ) -> Self:
        """Gather the settings: a later source wins over an earlier one.

        path: a YAML file with settings by name; environ: MANOMETER_<NAME>, and OpenTelemetry's own
        OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME; overrides: settings by name.
        Raises ConfigError naming the setting, where it came from and what is allowed. What a platform
        sets for others too (OpenTelemetry's variables, Kubernetes's for a service called manometer)
        is never an error: where it cannot be used, it is ignored with a warning.
        """
        from_file = {} if path is None else _read_yaml(Path(path))
        _check_overrides(overrides)
        return cls(**{**from_file, **_read_environment(environ), **overrides})


def _rules() -> dict[str, _Rule]:
    return {each.name: each.metadata["rule"] for each in fields(Settings)}


def _defaults() -> dict[str, Any]:
    return {each.name: each.default for each in fields(Settings)}


def _check(name: str, value: Any, rule: _Rule, source: str) -> None:
    if value is None and _defaults()[name] is None:
        return
    if not rule.accepts(value):
        raise ConfigError(f"{name} is {brief(repr(value))} in {source}; it takes {rule.allowed}")


def _refuse_unknown(names: Mapping[str, Any], known: Mapping[str, Any], source: str) -> None:
    for name in names:
        if name not in known:
            close = get_close_matches(str(name), known)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise ConfigError(f"unknown setting {name!r} in {source}; {hint}")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise ConfigError("a settings file needs an extra: pip install 'manometer[yaml]'") from None
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the settings file {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"the settings file {path} is no YAML: {error}") from None
    except yaml.MarkedYAMLError as error:  # whose text would show the line itself
        mark = error.problem_mark
        where = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        problem = brief(error.problem or error.context or "")
        raise ConfigError(f"the settings file {path} is no YAML: {problem}{where}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"the settings file {path} is no YAML: {brief(str(error))}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(
            f"the settings file {path} holds a {type(document).__name__}; write settings as 'port: 9464'"
        )
    rules = _rules()
    _refuse_unknown(document, rules, f"file {path}")
    for name, value in document.items():
        _check(name, value, rules[name], f"file {path}")
    return document


def _read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    rules = _rules()
    ours = _without_service_links({name: text for name, text in environ.items() if name.startswith(_PREFIX)})
    _refuse_unknown(ours, {_PREFIX + name.upper(): None for name in rules}, "the environment")
    values: dict[str, Any] = {}
    for variable, text in ours.items():
        if text.strip():  # an empty variable counts as unset, as OpenTelemetry has it
            name = variable.removeprefix(_PREFIX).lower()
            values[name] = _from_text(name, text.strip(), rules[name], f"variable {variable}")
    for variable, name in _STANDARD.items():
        text = environ.get(variable, "").strip()
        if text and name not in values:
            values |= _read_standard(variable, name, text, rules[name])
    return values


def _without_service_links(ours: Mapping[str, str]) -> Mapping[str, str]:
    links = [
        name
        for name, text in ours.items()
        if _SERVICE_LINK.fullmatch(name) or _SERVICE_PORT.fullmatch(f"{name}={text}")
    ]
    if links:
        _log.warning(
            "ignored variables that Kubernetes sets for a service of that name: %s; "
            "enableServiceLinks: false in the pod keeps them away",
            ", ".join(links),
        )
    return {name: text for name, text in ours.items() if name not in links}


def _read_standard(variable: str, name: str, text: str, rule: _Rule) -> dict[str, Any]:
    """The setting that a variable of another project makes; nothing where it cannot be used here."""
    if name == "otlp_endpoint" and not _sends_spans():
        _log.warning("%s is set, but sending spans needs an extra: pip install 'manometer[otlp]'", variable)
        return {}
    try:
        return {name: _from_text(name, text, rule, f"variable {variable}")}
    except ConfigError as error:
        _log.warning("%s; it is ignored", error)
        return {}


def _sends_spans() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ImportError:  # not even what it is a part of
        return False


def _from_text(name: str, text: str, rule: _Rule, source: str) -> Any:
    try:
        value = rule.from_text(text)
    except (ValueError, KeyError):
        value = text
    _check(name, value, rule, source)
    return value


def _check_overrides(overrides: Mapping[str, Any]) -> None:
    rules = _rules()
    _refuse_unknown(overrides, rules, "the call")
    for name, value in overrides.items():
        _check(name, value, rules[name], "the call")
