"""The forms that the mixin's files are written in: for Prometheus itself, for its operator, for jsonnet."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from manometer.mixin.formats import jsonnet, operator
from manometer.mixin.thresholds import Thresholds

__all__ = ["FORMATS", "Files"]

Files: TypeAlias = Mapping[str, str]
"""Each file's text by its path."""


def _as_they_are(plain: Files, config: Thresholds) -> Files:  # noqa: ARG001 - the others' parameter
    """The files that Prometheus and Grafana read."""
    return plain


FORMATS: Mapping[str, Callable[[Files, Thresholds], Files]] = MappingProxyType(
    {"prometheus": _as_they_are, "operator": operator.files, "jsonnet": jsonnet.files}
)
"""What makes each format's files of the plain ones, by the format's name."""
