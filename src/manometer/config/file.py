"""The settings that a file gives: its top level, and over that the profile that was chosen.

    port: 9464
    programs: {shop: {workers: 4}}
    profiles:
      production: {host: 0.0.0.0, programs: {shop: {workers: 16}}}

Manometer's settings stand at the top level, those of a program under `programs` and its name. A profile has both
again. All profiles are checked, whichever is chosen: a mistake in one shows before it is needed.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from manometer.config.declared import Setting, of_files
from manometer.config.mistakes import Mistakes
from manometer.config.source import Given, Origin, Source
from manometer.documents.document import Document, Entry, Table
from manometer.documents.nearest import nearest
from manometer.redaction import brief

__all__ = ["PROFILES", "PROGRAMS", "Profile", "find"]

PROFILES = "profiles"
PROGRAMS = "programs"


class Profile(NamedTuple):
    """The profile that was chosen. variable: the one that names it, where one does."""

    name: str
    variable: str = ""

    def __str__(self) -> str:
        return f"profile {self.name!r}" + (f" of variable {self.variable}" if self.variable else "")


def find(
    document: Document,
    settings: Mapping[str, Setting],
    program: str | None,
    profile: Profile | None,
    mistakes: Mistakes,
) -> dict[str, Given]:
    """What the file gives of these settings. What is wrong in their places goes to the mistakes.

    program: whose settings they are, None for Manometer's.
    """
    profiles = _named(document, document.root, PROFILES, mistakes)
    levels = {"": document.root, **profiles}
    found: dict[str, Given] = {}
    top: dict[str, Given] = {}
    for name, level in levels.items():
        if program is None:
            parts = (PROGRAMS,) if name else (PROGRAMS, PROFILES)
            _named(document, level, PROGRAMS, mistakes)
            given = dict(_given(document, level, name, settings, parts, mistakes))
        else:
            given = dict(_given(document, _section(document, level, program, mistakes), name, settings, (), mistakes))
        mistakes.check_together(settings, given)
        if name:
            mistakes.check_overruled(settings, top, given)
        else:
            top = given
        if not name or (profile is not None and name == profile.name):
            found |= given
    if profile is not None and profile.name not in profiles:
        mistakes.add(f"unknown {profile} in file {document.path}; {nearest(profile.name, profiles)}")
    return found


def _named(document: Document, level: Table, part: str, mistakes: Mistakes) -> dict[str, Table]:
    """The mappings of a part, profiles or programs, by their names."""
    entry = level.get(part)
    if entry is None or entry.value is None:
        return {}
    if not isinstance(entry.value, Table):
        mistakes.add(f"{part} is no mapping in {document.place(entry)}; it takes names, each with its settings")
        return {}
    found = {}
    for each in entry.value:
        _check_once(document, each, mistakes)
        what = f"{brief(repr(each.key))} of {part}"
        if not isinstance(each.key, str) or not each.key:
            mistakes.add(f"{what} is no name in {document.place(each)}; quote it")
        elif isinstance(each.value, Table | None):
            found[each.key] = each.value or Table()
        else:
            mistakes.add(f"{what} is no mapping in {document.place(each)}; it takes settings")
    return found


def _section(document: Document, level: Table, program: str, mistakes: Mistakes) -> Table:
    """What the level says to the program; a name that is nearly the program's is taken for a misspelt one."""
    sections = _named(document, level, PROGRAMS, mistakes)
    if program not in sections:
        for name in get_close_matches(program, sections, cutoff=0.7):
            entry = level.entries[PROGRAMS].value.entries[name]
            mistakes.unknown("program", name, [program], _source(document, entry))
    return sections.get(program, Table())


def _given(
    document: Document,
    table: Table,
    profile: str,
    settings: Mapping[str, Setting],
    parts: tuple[str, ...],
    mistakes: Mistakes,
) -> Iterator[tuple[str, Given]]:
    """The settings of one table that are right. parts: what else may stand there."""
    secrets = of_files(settings)
    for entry in table:
        source = _source(document, entry, profile)
        _check_once(document, entry, mistakes)
        if entry.key in parts:
            continue
        if entry.key in secrets:
            name = secrets[entry.key].name
            if not isinstance(entry.value, str) or not entry.value:
                mistakes.add(f"{entry.key} is no path in {source}; it takes the path of a file that holds {name}")
            elif table.get(name) is not None:
                mistakes.add(f"{name} and {entry.key} are both in {source}; keep one of them")
            else:
                yield name, Given(document.path.parent / entry.value, source, is_path=True)
        elif not isinstance(entry.key, str) or entry.key not in settings:
            mistakes.unknown("setting", entry.key, [*settings, *secrets, *parts], source)
        else:
            setting = settings[entry.key]
            value = entry.value if entry.value is None else setting.rule.from_file(entry.value)
            if mistakes.check(setting, value, source):
                yield setting.name, Given(value, source)


def _source(document: Document, entry: Entry, profile: str = "") -> Source:
    return Source(Origin.FILE, str(document.path), entry.lines[0], profile)


def _check_once(document: Document, entry: Entry, mistakes: Mistakes) -> None:
    if len(entry.lines) > 1:
        *others, last = map(str, entry.lines)
        where = f"lines {', '.join(others)} and {last}"
        mistakes.add(
            f"{brief(str(entry.key))} stands more than once in file {document.path}, {where}; keep one of them"
        )
