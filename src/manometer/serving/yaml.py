"""The YAML of a web configuration file, with the line of each value: texts, lists of texts, and mappings of such."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manometer.errors import ConfigError
from manometer.redaction import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Entry", "entries"]

_NULL = "tag:yaml.org,2002:null"


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
        import yaml
    except ImportError:
        raise ConfigError(f"{what} needs an extra: pip install 'manometer[web]'") from None
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:  # whose own text would show the line, and so maybe a password
        where = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        problem = re.sub(r"'.*'", "...", error.problem or error.context or "")
        raise ConfigError(f"{what}{where}: no YAML: {problem}") from None
    except yaml.YAMLError:
        raise ConfigError(f"{what} is no YAML") from None
    except RecursionError:
        raise ConfigError(f"{what} is nested too deeply") from None
    finally:
        loader.dispose()
    return Entry({}, 1) if node is None else _entry(node, what)


def _entry(node: Any, what: str) -> Entry:
    line = node.start_mark.line + 1
    if node.id == "scalar":
        return Entry("" if node.tag == _NULL else node.value, line)
    if node.id == "sequence":
        return Entry([_entry(each, what) for each in node.value], line)
    found: dict[str, Entry] = {}
    for key, value in node.value:
        name = key.value if key.id == "scalar" else "?"
        if name in found:
            raise ConfigError(f"{what}, line {key.start_mark.line + 1}: {brief(name)} is there twice")
        found[name] = Entry(_entry(value, what).value, key.start_mark.line + 1)
    return Entry(found, line)
