"""YAML files: what is in one with settings, with the line of each key; and the nodes of any."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manometer.config.document import Document, Entry, Table
from manometer.errors import ConfigError
from manometer.redaction import brief

try:
    import yaml
except ImportError:
    raise ConfigError("a YAML file needs an extra: pip install 'manometer[yaml]'") from None

__all__ = ["node_of", "read", "understood"]

LARGEST = 1_000_000
"""Bytes of a file that is read."""
DEEPEST = 10
"""Mappings and lists within each other; settings need five."""

_MERGE = "tag:yaml.org,2002:merge"

_USERS_TEXT = re.compile(r"""(['"])(?!<[\w ]+>\1|\W{1,3}\1).*\1""", re.DOTALL)
"""What the parser quotes of the file, which may be of a secret. Its own names, as '<block end>' and ',', are none."""


def read(path: Path, kind: str, example: str) -> Document:
    """What the file holds; ConfigError, without anything of the file's text, where that is no mapping.

    kind: of file, for errors; example: of a line in such a file.
    """
    what = f"the {kind} {path}"
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # the second of a path that no system takes
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"cannot read {what}: {reason}") from None
    if len(content) > LARGEST:
        raise ConfigError(f"{what} is longer than {LARGEST:,} bytes; is it the right one?")
    with understood(what):
        node = node_of(content.decode("utf-8"))
        root = Table() if node is None else _Reading(yaml.SafeLoader("")).value(node, ())
    if not isinstance(root, Table):
        raise ConfigError(f"{what} holds a {type(root).__name__}; write lines such as '{example}'")
    return Document(path, root)


def node_of(text: str) -> yaml.Node | None:
    """The one document of a text, None where there is nothing. Call it amid `understood`, which tells of errors."""
    loader = yaml.SafeLoader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Raise ConfigError, without anything of the text, where what is read in this block is no YAML.

    what: names it in the error.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what} is no YAML: it is not UTF-8 ({error.reason})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        problem = brief(_USERS_TEXT.sub("…", error.problem or error.context or ""))
        raise ConfigError(f"{what} is no YAML: {problem}{where}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{what} is no YAML: {brief(str(error))}") from None
    except RecursionError:
        raise ConfigError(f"{what} is nested too deeply") from None


class _Reading:
    """One pass over the nodes of a file: each is read once, however many aliases it has. loader: knows the types."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._read: dict[yaml.Node, Any] = {}

    def value(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Any:
        """A scalar, a list, or a Table. above: the nodes that it is a part of, which it must not contain in turn."""
        if node in above or len(above) > DEEPEST:
            raise _refused("it is nested too deeply", node)
        if node not in self._read:
            if isinstance(node, yaml.MappingNode):
                self._read[node] = self._table(node, (*above, node))
            elif isinstance(node, yaml.SequenceNode):
                self._read[node] = [self.value(each, (*above, node)) for each in node.value]
            else:
                self._read[node] = _scalar(self._loader, node)
        return self._read[node]

    def _table(self, node: yaml.MappingNode, above: tuple[yaml.Node, ...]) -> Table:
        entries: dict[Any, Entry] = {}
        merged: list[Table] = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused("a key is a list or a mapping", key_node)
            value = self.value(value_node, above)
            if key_node.tag == _MERGE:
                merged += _tables(value, key_node)
                continue
            key, line = _scalar(self._loader, key_node), key_node.start_mark.line + 1
            if key in entries:
                first = entries[key]
                entries[key] = Entry(first.key, first.value, (*first.lines, line))
            else:
                entries[key] = Entry(key, value, (line,))
        for table in merged:
            entries = {**table.entries, **entries}
        return Table(entries)


def _tables(value: Any, key: yaml.Node) -> list[Table]:
    """What the key `<<` merges: one mapping or a list of them, of which an earlier one wins."""
    tables = value if isinstance(value, list) else [value]
    if not all(isinstance(each, Table) for each in tables):
        raise _refused("<< takes a mapping", key)
    return tables


def _scalar(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    try:
        return loader.construct_object(node)
    except (ValueError, KeyError, IndexError, OverflowError, TypeError, AttributeError):  # such as of the 99th of May
        raise _refused("it is no value of the kind that it looks like; quote it", node) from None


def _refused(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
