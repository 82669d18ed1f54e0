"""`manometer config`: check a settings file, show the settings with their sources, print the schema of a file."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from manometer.config import Loaded, Settings, SettingsError, load
from manometer.config.declared import HIDDEN, Setting, declared, readable, shown
from manometer.config.file import PROFILES, PROGRAMS
from manometer.config.loading import mistakes_of, read_file
from manometer.config.source import Origin, Source
from manometer.errors import ConfigError
from manometer.redaction import without_secrets

__all__ = ["add_parser"]

Kinds = dict[str | None, type]
"""What declares the settings of each program; None is for Manometer's own."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "config",
        help="check a settings file, and show where settings come from",
        description="Check a settings file, show each setting and where it comes from, or print a file's schema.",
    )
    parts = parser.add_subparsers(title="parts", dest="part", metavar="part", required=True)
    check = parts.add_parser(
        "check",
        help="tell every mistake in a settings file",
        description="Tell every mistake in a settings file, all of its profiles included.",
    )
    check.add_argument("file", metavar="FILE", type=Path)
    check.set_defaults(run=_check)
    show = parts.add_parser(
        "show",
        help="print each setting and where it comes from",
        description="Print each setting and where it comes from: a line of the file, a variable, or the default.",
    )
    show.add_argument("--config", metavar="FILE", type=Path, help="settings file (default: MANOMETER_CONFIG_FILE)")
    show.add_argument("--profile", metavar="NAME", help="profile of the file (default: MANOMETER_PROFILE)")
    show.add_argument(
        "--format", choices=("text", "json"), default="text", help="for people or programs (default: text)"
    )
    show.set_defaults(run=_show)
    schema = parts.add_parser(
        "schema",
        help="print the JSON Schema of a settings file",
        description="Print the JSON Schema of a settings file, for editors and other checkers.",
    )
    schema.set_defaults(run=_schema)
    for each in (check, show, schema):
        each.add_argument(
            "--program",
            action="append",
            default=[],
            metavar="NAME=MODULE:CLASS",
            help="look at the settings of that program too, which the dataclass declares",
        )


def _check(args: argparse.Namespace) -> int:
    kinds = _kinds(args.program)
    document = read_file(args.file)
    mistakes = mistakes_of(document, kinds)
    if mistakes:
        return _told(mistakes)
    sys.stdout.write(f"{args.file} is right\n")
    for name in sorted(_programs(document.root) - {str(name) for name in kinds}):
        sys.stdout.write(f"not checked: the settings of {name}; add --program {name}=MODULE:CLASS\n")
    return 0


def _show(args: argparse.Namespace) -> int:
    found: list[tuple[str, Setting, Any, Source]] = []
    mistakes: dict[str, None] = {}
    for program, kind in _kinds(args.program).items():
        try:
            loaded: Loaded[Any] = load(kind, program, args.config, profile=args.profile)
        except SettingsError as error:
            mistakes |= dict.fromkeys(error.mistakes)
            continue
        prefix = "" if program is None else f"{program}."
        for name, each in declared(kind).items():
            found.append((prefix + name, each, getattr(loaded.settings, name), loaded.sources[name]))
    if mistakes:
        return _told(mistakes)
    if args.format == "json":
        rows = [{"name": name, "value": _plain(*rest), "source": _source(rest[2])} for name, *rest in found]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    table = [(name, _text(*rest), _where(rest[2])) for name, *rest in found]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    for name, value, where in table:
        sys.stdout.write(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {where}\n")
    return 0


def _schema(args: argparse.Namespace) -> int:
    from manometer.config.schema import schema  # the other parts do not need it

    kinds = {program: declared(kind) for program, kind in _kinds(args.program).items()}
    own = kinds.pop(None)
    programs = {str(program): each for program, each in kinds.items()}
    sys.stdout.write(json.dumps(schema(own, programs), indent=2, ensure_ascii=False) + "\n")
    return 0


def _told(mistakes: Mapping[str, None] | list[str]) -> int:
    sys.stderr.writelines(f"manometer: {mistake}\n" for mistake in mistakes)
    return 2


def _kinds(programs: list[str]) -> Kinds:
    """Manometer's settings and those of the programs, each given as NAME=MODULE:CLASS."""
    kinds: Kinds = {None: Settings}
    for given in programs:
        name, _, place = given.partition("=")
        module, _, kind = place.partition(":")
        if not (name and module and kind):
            raise ConfigError(f"--program is {given!r}; write it as shop=shop.settings:Settings")
        kinds[name] = _imported(module, kind)
    return kinds


def _imported(module: str, name: str) -> type:
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as the path has it
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - where a program is that is not installed
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"--program names {module}:{name}, which is not there: {error}") from None
    if not (isinstance(found, type) and hasattr(found, "__dataclass_fields__")):
        raise ConfigError(f"--program names {module}:{name}, which is no dataclass")
    return found


def _programs(level: Any) -> set[str]:
    """The programs that a right file has settings of."""
    entry = level.get(PROGRAMS)
    profiles = level.get(PROFILES)
    found = set(entry.value.entries) if entry is not None and entry.value is not None else set()
    for each in profiles.value if profiles is not None and profiles.value is not None else ():
        found |= _programs(each.value) if each.value is not None else set()
    return found


def _text(each: Setting, value: Any, source: Source) -> str:
    return readable(value) if source.origin is Origin.DEFAULT and value is not None else shown(each, value)


def _plain(each: Setting, value: Any, source: Source) -> Any:
    """The value as JSON has it."""
    if each.secret and source.origin is not Origin.DEFAULT:
        return HIDDEN
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, tuple):
        return [_plain(each, part, source) for part in value]
    return without_secrets(str(value))


def _where(source: Source) -> str:
    return f"{source}, profile {source.profile}" if source.profile else str(source).removeprefix("the ")


def _source(source: Source) -> dict[str, Any]:
    told = {"kind": source.origin.value, "name": source.name, "line": source.line, "profile": source.profile}
    return {name: value for name, value in told.items() if value not in ("", None)}
