"""How the text formats spell a name: as it is, in quotes, or escaped, as the scraper asked.

Which letters a scheme escapes, and how, is prometheus-client's to say, down to its having two ways:
in OpenMetrics a sample's name is escaped otherwise than that of the family above it.
"""

from functools import lru_cache
from typing import NamedTuple

from prometheus_client.openmetrics import exposition as openmetrics

from manometer.prometheus_internals import escaped_sample_name, is_classic_name

__all__ = ["Form"]

_spelled_once = lru_cache(8_192)  # a name is escaped letter by letter, and every scrape has the same names


class Form(NamedTuple):
    """A text format as it was negotiated. natives: whether it has room for native histograms."""

    is_openmetrics: bool
    escaping: str
    natives: bool

    def family(self, name: str) -> str:
        """A family's name, in the lines of its help, type and unit."""
        return _family(name, self.escaping)

    def label(self, name: str) -> str:
        """A label's name."""
        return _label(name, self.escaping)

    def opening(self, name: str, labelled: bool) -> str:
        """What a sample's line begins with: all that stands before its first label, or before its value."""
        return _opening(name, labelled, self.escaping, self.is_openmetrics)


@_spelled_once
def _family(name: str, escaping: str) -> str:
    return openmetrics.escape_metric_name(name, escaping)


@_spelled_once
def _label(name: str, escaping: str) -> str:
    return openmetrics.escape_label_name(name, escaping)


@_spelled_once
def _opening(name: str, labelled: bool, escaping: str, is_openmetrics: bool) -> str:
    if escaping == openmetrics.ALLOWUTF8 and not is_classic_name(name):
        # In quotes it stands within the braces, as the first of the labels.
        return f"{{{_family(name, escaping)}" + ("," if labelled else "}")
    spelled = escaped_sample_name(name, escaping) if is_openmetrics else _family(name, escaping)
    return spelled + ("{" if labelled else "")
