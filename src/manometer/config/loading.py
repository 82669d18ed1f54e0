"""Loads the settings of a dataclass from all their sources, and says where each came from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from manometer.config import environment, file, secret_file
from manometer.config.declared import Setting, declared
from manometer.config.mistakes import Mistakes, SettingsError
from manometer.config.source import Given, Origin, Source
from manometer.errors import ConfigError
from manometer.redaction import brief

if TYPE_CHECKING:
    from manometer.config.document import Document

__all__ = ["Loaded", "load", "mistakes_of", "read_file"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """Settings, and where each came from, by name."""

    settings: T
    sources: Mapping[str, Source]


def load(
    kind: type[T],
    program: str | None = None,
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    profile: str | None = None,
    options: Mapping[str, Any] | None = None,
    call: Mapping[str, Any] | None = None,
) -> Loaded[T]:
    """Gather the settings: a later source wins over an earlier one.

    kind: a dataclass whose fields have defaults, see `declared`. Its own checks may raise ValueError.
    program: the name of the program whose settings they are: `shop` reads `programs: {shop: ...}` of the file, and
    variables SHOP_<NAME>. None is for Manometer's own.
    path: a YAML file, by default the one that MANOMETER_CONFIG_FILE names.
    profile: which of the file's `profiles` counts over its top level; by default that which MANOMETER_PROFILE names.
    options: what the command line gives, by name; None is for what it does not give. call: the program's own word.
    Raises SettingsError, which has all mistakes, each with the setting, the place and what it takes.
    """
    settings, mistakes = declared(kind), Mistakes()
    prefix = environment.PREFIX if program is None else environment.prefix_of(program)
    given = {
        **_from_file(settings, program, _path(path, environ), _profile(profile, environ), mistakes),
        **environment.find(environ, settings, prefix, mistakes),
        **_told(options or {}, settings, Origin.COMMAND_LINE, mistakes),
        **_told(call or {}, settings, Origin.CALL, mistakes),
    }
    given = {**environment.find_platform_s(environ, settings, given), **given}
    values: dict[str, Given] = {}
    for name, each in given.items():
        found = secret_file.read(settings[name], each, mistakes) if each.is_path else each
        if found is not None:
            values[name] = found
    mistakes.refuse()
    made = _made(kind, settings, values, mistakes)
    sources = {name: values[name].source if name in values else Source(Origin.DEFAULT) for name in settings}
    return Loaded(made, sources)


def read_file(path: str | os.PathLike[str]) -> "Document":
    """A settings file; ConfigError where it cannot be read."""
    if not isinstance(path, str | os.PathLike):
        told = (
            f"{path}; a port is passed as port={path}" if isinstance(path, int) else f"a {type(path).__name__} object"
        )
        raise ConfigError(f"a settings file is named by its path, not by {told}")
    from manometer.config import yaml  # needs an extra

    return yaml.read(Path(path))


def _path(path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> str | os.PathLike[str] | None:
    return path if path is not None else environ.get(environment.CONFIG_FILE, "").strip() or None


def _profile(profile: str | None, environ: Mapping[str, str]) -> file.Profile | None:
    if profile is not None:
        return file.Profile(profile)
    name = environ.get(environment.PROFILE, "").strip()
    return file.Profile(name, environment.PROFILE) if name else None


def _from_file(
    settings: Mapping[str, Setting],
    program: str | None,
    path: str | os.PathLike[str] | None,
    profile: file.Profile | None,
    mistakes: Mistakes,
) -> dict[str, Given]:
    if path is not None:
        return file.find(read_file(path), settings, program, profile, mistakes)
    if profile is not None:
        mistakes.add(f"{profile} is chosen, and there is no settings file; name one, as by {environment.CONFIG_FILE}")
    return {}


def _told(
    values: Mapping[str, Any], settings: Mapping[str, Setting], origin: Origin, mistakes: Mistakes
) -> dict[str, Given]:
    source, found = Source(origin), {}
    for name, value in values.items():
        if name not in settings:
            mistakes.unknown("setting", name, settings, source)
        elif value is None and origin is Origin.COMMAND_LINE:
            continue
        elif mistakes.check(settings[name], value, source):
            found[name] = Given(value, source)
    mistakes.check_together(settings, found)
    return found


def _made(kind: type[T], settings: Mapping[str, Setting], given: Mapping[str, Given], mistakes: Mistakes) -> T:
    """The dataclass of these values, of which each is right by itself."""
    try:
        return kind(**{name: each.value for name, each in given.items()})
    except ValueError as error:
        hides = any(settings[name].secret for name in given)
        mistakes.add(f"these are wrong together: {', '.join(sorted(given))}" if hides else brief(str(error)))
        raise SettingsError(mistakes.found) from None


def mistakes_of(document: "Document", kinds: Mapping[str | None, type]) -> list[str]:
    """Everything that is wrong in a settings file, by itself: no variable is looked at, and no secret's file.

    kinds: what declares the settings of each program; None is for Manometer's own.
    """
    mistakes = Mistakes()
    for program, kind in kinds.items():
        file.find(document, declared(kind), program, None, mistakes)
    return list(dict.fromkeys(mistakes.found))  # each program finds what is wrong around its own part
