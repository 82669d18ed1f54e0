"""The settings that environment variables give."""

import logging
import re
from collections.abc import Container, Mapping
from importlib.util import find_spec
from pathlib import Path

from manometer.config.declared import OF_A_FILE, Setting, of_files
from manometer.config.mistakes import Mistakes
from manometer.config.platforms import UNREAD, said
from manometer.config.source import Given, Origin, Source

__all__ = ["CONFIG_FILE", "PREFIX", "PROFILE", "find", "find_platform_s", "prefix_of"]

PREFIX = "MANOMETER_"
CONFIG_FILE = "MANOMETER_CONFIG_FILE"
PROFILE = "MANOMETER_PROFILE"

# What Kubernetes puts into a container for a service called shop, or shop-something, after SHOP_.
_SERVICE_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_SERVICE_PORT = re.compile(r"(\w+_)?PORT=(tcp|udp|sctp)://.*", re.DOTALL)

_log = logging.getLogger("manometer")


def prefix_of(program: str) -> str:
    """What the variables of a program begin with: `SHOP_` for shop."""
    return re.sub(r"\W", "_", program).upper() + "_"


def find(
    environ: Mapping[str, str], settings: Mapping[str, Setting], prefix: str, mistakes: Mistakes
) -> dict[str, Given]:
    """What the variables with that prefix give. An empty one counts as unset, as OpenTelemetry has it."""
    values = {prefix + name.upper(): each for name, each in settings.items()}
    secrets = {prefix + name.upper(): each for name, each in of_files(settings).items()}
    reserved = (CONFIG_FILE, PROFILE) if prefix == PREFIX else ()
    found: dict[str, Given] = {}
    for variable, text in _own(environ, prefix).items():
        source = Source(Origin.VARIABLE, variable)
        if variable in values:
            setting = values[variable]
            value = setting.from_text(text)
            if text.strip() and mistakes.check(setting, value, source):
                found[setting.name] = Given(value, source)
        elif variable in secrets:
            if text.strip():
                _take_path(found, secrets[variable], text.strip(), source, environ, mistakes)
        elif variable not in reserved:
            known = [*values, *secrets, *reserved]
            mistakes.unknown("setting", variable, known, Source(Origin.VARIABLE))
    mistakes.check_together(settings, found)
    return found


def find_platform_s(
    environ: Mapping[str, str], settings: Mapping[str, Setting], taken: Container[str]
) -> dict[str, Given]:
    """What variables of other projects give of the settings that nothing else gives.

    They are set for every program on the platform, so one that cannot be used here is ignored with a warning.
    taken: the settings that something else gives.
    """
    found = {}
    if any(setting.platform for setting in settings.values()):
        for unread in filter(environ.get, UNREAD):
            _log.warning("%s is set: %s", unread, UNREAD[unread])
    for setting in settings.values():
        if setting.platform is None or setting.name in taken:
            continue
        variable, text = said(environ, setting.platform)
        if not text:
            continue
        wrong, source = Mistakes(), Source(Origin.VARIABLE, variable)
        value = setting.from_platform(text)
        extra = _missing_extra(setting.name, value)
        if extra is not None:
            _log.warning("%s is set, but that needs an extra: pip install 'manometer[%s]'", variable, extra)
            continue
        if wrong.check(setting, value, source):
            found[setting.name] = Given(value, source)
        for mistake in wrong.found:
            _log.warning("%s; it is ignored", mistake)
    return found


def _take_path(
    found: dict[str, Given],
    setting: Setting,
    path: str,
    source: Source,
    environ: Mapping[str, str],
    mistakes: Mistakes,
) -> None:
    variable = source.name.removesuffix(OF_A_FILE.upper())
    if environ.get(variable, "").strip():
        mistakes.add(f"{variable} and {source.name} are both in the environment; keep one of them")
    else:
        found[setting.name] = Given(Path(path), source, is_path=True)


def _own(environ: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The variables with the prefix, without those that Kubernetes sets for a service of that name."""
    own = {name: text for name, text in environ.items() if name.startswith(prefix)}
    links = [
        name
        for name, text in own.items()
        if _SERVICE_LINK.fullmatch(name.removeprefix(prefix))
        or _SERVICE_PORT.fullmatch(f"{name.removeprefix(prefix)}={text}")
    ]
    if links:
        _log.warning(
            "ignored variables that Kubernetes sets for a service of that name: %s; "
            "enableServiceLinks: false in the pod keeps them away",
            ", ".join(links),
        )
    return {name: text for name, text in own.items() if name not in links}


_EXTRAS = {"http": "otlp", "grpc": "grpc"}
"""By the exporters of OpenTelemetry."""


def _missing_extra(name: str, value: object) -> str | None:
    """The extra that a setting with that value needs, where it is not installed."""
    if name.startswith("otlp_") and name.endswith("_endpoint"):
        needed = "http"
    elif name.startswith("otlp_") and name.endswith("_protocol") and value == "grpc":
        needed = "grpc"
    else:
        return None
    try:
        found = find_spec(f"opentelemetry.exporter.otlp.proto.{needed}")
    except ImportError:  # not even what it is a part of
        found = None
    return _EXTRAS[needed] if found is None else None
