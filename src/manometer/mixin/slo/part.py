"""One mapping of a file that a person wrote: its values by name, each error with its line."""

import re
from collections.abc import Collection, Iterator

from manometer.documents.document import Document, Entry, Table
from manometer.documents.nearest import nearest
from manometer.errors import ConfigError
from manometer.redaction import brief

__all__ = ["Part"]


class Part:
    """The entries of a mapping.

    path: what leads to it, with a dot at the end, empty at the top. known: the names that may be there, None for any;
    needed: those that must. Each method takes a name, and raises ConfigError where its value is of another kind.
    """

    def __init__(
        self,
        document: Document,
        table: Table,
        path: str,
        known: Collection[str] | None,
        needed: Collection[str] = (),
        above: Entry | None = None,
    ) -> None:
        self._document, self._path, self._above = document, path, above
        self._entries: dict[str, Entry] = {}
        for entry in table:
            document.refuse_twice(entry, path)
            if not isinstance(entry.key, str):
                raise ConfigError(f"{path}{brief(repr(entry.key))} is no name in {document.place(entry)}; quote it")
            self._entries[entry.key] = entry
            if known is not None and entry.key not in known:
                raise self.unknown_key(entry.key, "key", known)
        for name in needed:
            if name not in self._entries:
                what = path.rstrip(".") or "the service"
                raise ConfigError(f"{what} has no {name} in {self._place()}")

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def wrong(self, name: str, takes: str) -> ConfigError:
        """The error for a value that is none of those that the name takes."""
        entry = self._entries[name]
        return ConfigError(
            f"{self._path}{name} is {brief(repr(entry.value))} in {self._document.place(entry)}; it takes {takes}"
        )

    def unknown(self, name: str, what: str, known: Collection[str]) -> ConfigError:
        """The error for a value that names nothing that there is. what: the kind of thing."""
        entry = self._entries[name]
        where = self._document.place(entry)
        return ConfigError(f"unknown {what} {brief(repr(entry.value))} in {where}; {nearest(entry.value, known)}")

    def unknown_key(self, name: str, what: str, known: Collection[str]) -> ConfigError:
        """The error for a name that is none of those that may be there. what: the kind of name."""
        where = self._document.place(self._entries[name])
        return ConfigError(f"unknown {what} '{self._path}{brief(name)}' in {where}; {nearest(name, known)}")

    def refused(self, reason: str) -> ConfigError:
        """The error for the mapping as a whole."""
        return ConfigError(f"{self._path.rstrip('.')} {reason} in {self._place()}")

    def value(self, name: str) -> object:
        """The value as YAML has it."""
        return self._entries[name].value

    def text(self, name: str, takes: str, pattern: re.Pattern[str]) -> str:
        """A text of a pattern."""
        value = self._entries[name].value
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.wrong(name, takes)
        return value

    def choice(self, name: str, what: str, known: Collection[str]) -> str:
        """One of some names."""
        value = self._entries[name].value
        if not isinstance(value, str) or value not in known:
            raise self.unknown(name, what, known)
        return value

    def number(self, name: str, takes: str, least: float, most: float) -> float:
        """A number between the two, or as great as one of them."""
        value = self._entries[name].value
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.wrong(name, takes)
        return value

    def names(self, name: str, takes: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """A list of texts of a pattern."""
        value = self._entries[name].value
        if not isinstance(value, list) or not value:
            raise self.wrong(name, takes)
        if not all(isinstance(each, str) and pattern.fullmatch(each) for each in value):
            raise self.wrong(name, takes)
        return tuple(value)

    def part(self, name: str, known: Collection[str] | None, needed: Collection[str] = ()) -> "Part":
        """A mapping within this one."""
        entry = self._entries[name]
        if not isinstance(entry.value, Table):
            raise self.wrong(name, "a mapping" + (f" of {', '.join(known)}" if known else ""))
        return Part(self._document, entry.value, f"{self._path}{name}.", known, needed, entry)

    def _place(self) -> str:
        return f"file {self._document.path}" if self._above is None else self._document.place(self._above)
