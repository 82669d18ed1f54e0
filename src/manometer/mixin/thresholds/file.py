"""A file of thresholds: what it says in the place of the defaults."""

from pathlib import Path

from manometer.documents import yaml
from manometer.documents.document import Document, Table
from manometer.errors import ConfigError
from manometer.mixin.thresholds import Thresholds, parse

__all__ = ["read"]


def read(path: Path) -> Thresholds:
    """The thresholds of a YAML file over the defaults; ConfigError names what is wrong, and the file."""
    document = yaml.read(path, "file of thresholds", "jobs: [shop]")
    values = _plain(document, document.root, "")
    try:
        return parse(values)
    except ConfigError as error:
        raise ConfigError(f"in file {path}: {error}") from None


def _plain(document: Document, value: object, path: str) -> object:
    """The value with mappings and lists of Python's. path: what leads to it, with a dot at the end."""
    if isinstance(value, list):
        return [_plain(document, each, path) for each in value]
    if not isinstance(value, Table):
        return value
    for entry in value:
        document.refuse_twice(entry, path)
    return {entry.key: _plain(document, entry.value, f"{path}{entry.key}.") for entry in value}
