"""The YAML of a web configuration file, with the line of each value: texts, lists of texts, and mappings of such."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manometer.errors import ConfigError
from manometer.redaction import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Entry", "entries"]

_NULL = "tag:yaml.org,2002:null"
_DEEPEST = 10
"""Mappings and lists within each other; a web configuration needs four."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, and the line that it is in. A text is as it is written, whatever type YAML would see in it."""

    value: "str | Sequence[Entry] | Mapping[str, Entry]"
    line: int


def entries(text: str, what: str) -> Entry:
    """The document of a text; nothing is an empty mapping.

    what: names the file in errors. Raises ConfigError for what is no YAML, or names a key twice, or needs the extra.
    """
    try:
        from manometer.documents.yaml import node_of, understood
    except ConfigError:
        raise ConfigError(f"{what} needs an extra: pip install 'manometer[web]'") from None
    with understood(what):
        node = node_of(text)
    return Entry({}, 1) if node is None else _Reading(what).entry(node)


class _Reading:
    """One pass over the nodes of a file: each is read once, however many aliases it has."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._read: dict[Any, Entry] = {}

    def entry(self, node: Any, depth: int = 0) -> Entry:
        """The value of a node, and the line of the node. depth: of how many others it is a part."""
        if depth > _DEEPEST:  # a node that contains itself is so at last
            raise self._refused(node, "it is nested too deeply")
        if node not in self._read:
            self._read[node] = Entry(self._value(node, depth + 1), node.start_mark.line + 1)
        return self._read[node]

    def _value(self, node: Any, depth: int) -> "str | Sequence[Entry] | Mapping[str, Entry]":
        if node.id == "scalar":
            return "" if node.tag == _NULL else str(node.value)
        if node.id == "sequence":
            return [self.entry(each, depth) for each in node.value]
        found: dict[str, Entry] = {}
        for key, value in node.value:
            name = key.value if key.id == "scalar" else "?"
            if name in found:
                raise self._refused(key, f"{brief(name)} is there twice")
            found[name] = Entry(self.entry(value, depth).value, key.start_mark.line + 1)
        return found

    def _refused(self, node: Any, reason: str) -> ConfigError:
        return ConfigError(f"{self._what}, line {node.start_mark.line + 1}: {reason}")
