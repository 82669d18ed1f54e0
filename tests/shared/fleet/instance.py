"""One instance, as a scrape of the reference application showed it: `instance.txt`, and how its figures go on."""

import re
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from manometer.catalogue import SUBJECTS, Kind

__all__ = ["PATH", "Series", "kept", "series"]

PATH = Path(__file__).with_name("instance.txt")

_KINDS = {row.prometheus_name: row.kind for rows in SUBJECTS.values() for row in rows}
_PART = re.compile("_(bucket|sum|count)$")


class Series(NamedTuple):
    """One series: its labels, the name among them; its value; what it grows by a second, 0 where it is a gauge's."""

    labels: dict[str, str]
    value: float
    growth: float


def series():
    """The series of the instance, of those that the rules read."""
    samples = [
        sample
        for family in text_string_to_metric_families(PATH.read_text(encoding="utf-8"))
        for sample in family.samples
    ]
    [lived] = (sample.value for sample in samples if sample.name == "process_uptime_seconds")
    return [
        Series(
            {"__name__": sample.name, **sample.labels},
            sample.value,
            sample.value / lived if _counts(sample.name) else 0,
        )
        for sample in samples
    ]


def kept(exposition, names):
    """The lines of an exposition that have samples of these names."""
    lines = (line for line in exposition.splitlines() if re.split("[{ ]", line, maxsplit=1)[0] in names)
    return "".join(f"{line}\n" for line in lines)


def _counts(name):
    """Whether the series of that name only grows, as the catalogue says."""
    kind = _KINDS.get(name)
    if kind is None and _PART.search(name):
        return _KINDS[_PART.sub("", name)] is Kind.HISTOGRAM
    return kind is Kind.COUNTER
