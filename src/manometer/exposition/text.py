"""A family's lines, written from its readings without a sample in between.

Byte for byte they are what prometheus-client writes of the same family. Counters, gauges and histograms are written
series by series, at a tenth of the time: what the series of a family have in common is put together once, and a
series' own part is filled in by one C call. Other kinds, and parts of a family, are written line by line.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from manometer.exposition.kept_lines import lines_of
from manometer.exposition.text_form import Form
from manometer.exposition.text_pieces import (
    EXPONENT,
    Labels,
    escaped,
    escaped_help,
    exemplar_text,
    native_text,
    number,
    tail,
)
from manometer.meters.family import Family, Group, Values
from manometer.meters.parts import parts_of
from manometer.meters.readings import CounterReading, HistogramReading

__all__ = ["is_plain", "write"]

Lines = tuple[str, str]
"""A series' lines, and those that stand behind the lines of all series."""

Writes = Callable[[Values, Any], Lines]
"""Writes one series from its label values and its reading."""


def is_plain(family: Family) -> bool:
    """Whether all its series are counters, gauges, or histograms with a count for each bucket."""
    return family.kind in _WRITERS and all(_is_plain(family.kind, group) for group in family.groups)


def _is_plain(kind: str, group: Group) -> bool:
    if group.suffix is not None:
        return False
    return kind != "histogram" or not group.series or len(group.series[0][1].running) == len(group.bounds) > 0


def write(family: Family, form: Form, names: Collection[str] = ()) -> Iterator[bytes]:
    """The family's lines in Prometheus's text format, or in OpenMetrics, part by part.

    names: where given, only lines of samples of these names, and nothing where there are none.
    """
    if names or not is_plain(family):
        yield from _line_by_line(family, form, names)
        return
    yield _head(family, form)
    created: list[bytes] = []
    for group in family.groups:
        writes = _WRITERS[family.kind](family.name, group, form)
        yield from lines_of(group, (family.name, group.labelnames, group.bounds, form), writes, created)
    if created:
        yield _head_apart(family, "_created", form)
        yield from created


def _line_by_line(family: Family, form: Form, names: Collection[str]) -> list[bytes]:
    lines: list[str] = []
    apart: dict[str, list[str]] = {}
    for group in family.groups:
        parts = parts_of(family.kind, group)
        labels, labels_of_bucket = Labels(group.labelnames, form), Labels((*group.labelnames, "le"), form)
        for values, reading in group.series:
            for suffix, value, bound, exemplar, native in parts(reading):
                name = family.name + suffix
                if (names and name not in names) or (native is not None and not form.natives):
                    continue
                own, all_values = (labels, values) if bound is None else (labels_of_bucket, (*values, bound))
                what = number(value) if native is None else native_text(native)
                behind = exemplar_text(exemplar) if exemplar and form.is_openmetrics else ""
                line = f"{own.opening(name)}{own.text(all_values)} {what}{behind}\n"
                if suffix in _APART and not form.is_openmetrics:
                    apart.setdefault(suffix, []).append(line)
                else:
                    lines.append(line)
    if names:
        if not lines and not apart:
            return []
        family = family._replace(unit="")  # as prometheus-client has it
    found = [_head(family, form), "".join(lines).encode()]
    for suffix, those in sorted(apart.items()):
        found += [_head_apart(family, suffix, form), "".join(those).encode()]
    return found


_APART = ("_created", "_gcount", "_gsum")
"""Samples that Prometheus's text format does not know of: there they make families of their own."""

_IN_TEXT = {
    "counter": ("_total", "counter"),
    "info": ("_info", "gauge"),
    "stateset": ("", "gauge"),
    "gaugehistogram": ("", "histogram"),
    "unknown": ("", "untyped"),
}
"""What is added to a family's name in that format, and what its kind is called, where they differ."""


def _head(family: Family, form: Form) -> bytes:
    if form.is_openmetrics:
        name, text, kind = form.family(family.name), escaped(family.help), family.kind
        unit = f"# UNIT {name} {family.unit}\n" if family.unit else ""
    else:
        suffix, kind = _IN_TEXT.get(family.kind, ("", family.kind))
        name, text, unit = form.family(family.name + suffix), escaped_help(family.help), ""
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n{unit}".encode()


def _head_apart(family: Family, suffix: str, form: Form) -> bytes:
    name = form.family(family.name + suffix)
    return f"# HELP {name} {escaped_help(family.help)}\n# TYPE {name} gauge\n".encode()


def _counters(name: str, group: Group, form: Form) -> Writes:
    labels = Labels(group.labelnames, form)
    total_of, creation_of = labels.opening(f"{name}_total"), labels.opening(f"{name}_created")

    def written(values: Values, reading: CounterReading) -> Lines:
        total, since, exemplar, _ = reading
        own = labels.text(values)
        tail = exemplar_text(exemplar) if form.is_openmetrics and exemplar else ""
        created = "" if since is None else f"{creation_of}{own} {number(since)}\n"
        return _parted(f"{total_of}{own} {number(total)}{tail}\n", created, "", form)

    return written


def _gauges(name: str, group: Group, form: Form) -> Writes:
    labels = Labels(group.labelnames, form)
    value_of = labels.opening(name)
    return lambda values, reading: (f"{value_of}{labels.text(values)} {number(reading[0])}\n", "")


def _histograms(name: str, group: Group, form: Form) -> Writes:
    labels = Labels(group.labelnames, form)
    numbers, texts = _Template(name, group, form, "%d.0"), _Template(name, group, form, "%s")
    count_of, sum_of = labels.opening(f"{name}_count"), labels.opening(f"{name}_sum")
    creation_of, native_of = labels.opening(f"{name}_created"), labels.opening(name)

    def written(values: Values, reading: HistogramReading) -> Lines:
        running, total, since, exemplars, native = reading
        around, own = labels.around_le(values)
        if exemplars and form.is_openmetrics:
            tails = [number(float(count)) + tail(exemplars.get(at)) for at, count in enumerate(running)]
            buckets = texts.filled(*around, tuple(tails))
        elif running[-1] < EXPONENT and type(running[-1]) is int:
            buckets = numbers.filled(*around, tuple(running))
        else:
            buckets = texts.filled(*around, tuple([number(float(count)) for count in running]))
        count = f"{count_of}{own} {number(float(running[-1]))}\n"
        sum_ = "" if total is None else f"{sum_of}{own} {number(total)}\n"
        created = "" if since is None else f"{creation_of}{own} {number(since)}\n"
        # Elsewhere a native histogram would be a series of zeros.
        last = "" if native is None or not form.natives else f"{native_of}{own} {native_text(native)}\n"
        return _parted(f"{buckets}{count}{sum_}", created, last, form)

    return written


def _parted(lines: str, created: str, last: str, form: Form) -> Lines:
    """The lines of a series, and what stands apart from those of all series.

    In OpenMetrics the time of a series' creation is among its lines. Prometheus's text format knows of none, so there
    the times make a family of their own at the end.
    """
    return (lines + created + last, "") if form.is_openmetrics else (lines + last, created)


_WRITERS: Mapping[str, Callable[[str, Group, Form], Writes]] = {
    "counter": _counters,
    "gauge": _gauges,
    "histogram": _histograms,
}


class _Template:
    """The bucket lines of one series, to be filled with its labels and then with its running counts.

    count: how a count is written, for `%`.
    """

    def __init__(self, name: str, group: Group, form: Form, count: str) -> None:
        self._head, self._foot = _literal(form.opening(f"{name}_bucket", labelled=True)), f"}} {count}\n"
        self._le = [f'le="{_literal(escaped(bound))}"' for bound in group.bounds]

    def filled(self, before: str, behind: str, counts: tuple[object, ...]) -> str:
        """The lines. The labels come first, as literals, so that nothing of them is filled in."""
        head, foot = self._head + _literal(before), _literal(behind) + self._foot
        return f"{head}{f'{foot}{head}'.join(self._le)}{foot}" % counts


def _literal(text: str) -> str:
    """The text for a place in a template of `%`."""
    return text.replace("%", "%%")
