"""A YAML file as it was written: keys with their lines, nothing checked yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manometer.errors import ConfigError

__all__ = ["Document", "Entry", "Table"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value: a scalar, a list, or a Table. lines: of the key, where the same key comes again too."""

    key: Any
    value: Any
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The entries of a mapping, by their keys."""

    entries: Mapping[Any, Entry] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def get(self, key: str) -> Entry | None:
        """The entry of that key."""
        return self.entries.get(key)

    def __repr__(self) -> str:
        return "a mapping"  # whose text might be as long as the file, and hold a secret


@dataclass(frozen=True, slots=True)
class Document:
    """A file's one mapping."""

    path: Path
    root: Table

    def place(self, entry: Entry) -> str:
        """Where the entry is, for an error."""
        return f"file {self.path}, line {entry.lines[0]}"

    def refuse_twice(self, entry: Entry, path: str) -> None:
        """ConfigError where the key stands more than once. path: what leads to it, with a dot at the end."""
        if len(entry.lines) > 1:
            lines = ", ".join(map(str, entry.lines))
            raise ConfigError(
                f"{path}{entry.key} is there {len(entry.lines)} times in file {self.path}: lines {lines}"
            )
