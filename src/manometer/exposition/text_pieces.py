"""The pieces of a line of text: labels, numbers, exemplars, native histograms, as prometheus-client writes them."""

from bisect import bisect_left
from math import inf

from prometheus_client.samples import Exemplar, NativeHistogram
from prometheus_client.utils import floatToGoString

from manometer.exposition.text_form import Form
from manometer.meters.family import Values

__all__ = ["EXPONENT", "Labels", "escaped", "escaped_help", "exemplar_text", "native_text", "number", "tail"]

EXPONENT = 1_000_000
"""From here on, Go writes a number with an exponent."""


class Labels:
    """The label names of a family, sorted as they are written, to be joined with the values of a series."""

    def __init__(self, names: Values, form: Form) -> None:
        places = sorted((name, place) for place, name in enumerate(names))
        self._parts = [(form.label(name), place) for name, place in places]
        self._le = bisect_left([name for name, _ in places], "le")
        self._form = form

    def opening(self, name: str) -> str:
        """What a line of a sample begins with, up to its labels."""
        return self._form.opening(name, labelled=bool(self._parts))

    def text(self, values: Values) -> str:
        """All of them, with the brace that closes them; nothing where there are none."""
        return f"{','.join(self._pairs(values))}}}" if self._parts else ""

    def around_le(self, values: Values) -> tuple[tuple[str, str], str]:
        """Those before `le` and those behind it, with the commas that part them from it; and all of them as text."""
        pairs, at = self._pairs(values), self._le
        before = f"{','.join(pairs[:at])}," if at else ""
        behind = f",{','.join(pairs[at:])}" if at < len(pairs) else ""
        return (before, behind), f"{','.join(pairs)}}}" if pairs else ""

    def _pairs(self, values: Values) -> list[str]:
        return [f'{name}="{escaped(values[place])}"' for name, place in self._parts]


def native_text(found: NativeHistogram) -> str:
    """A native histogram in the place of a number, and its exemplars."""
    parts = [
        f"count:{found.count_value},sum:{found.sum_value},schema:{found.schema}",
        f"zero_threshold:{found.zero_threshold},zero_count:{found.zero_count}",
    ]
    for sign, spans, deltas in (
        ("negative", found.neg_spans, found.neg_deltas),
        ("positive", found.pos_spans, found.pos_deltas),
    ):
        if spans:
            parts.append(f"{sign}_spans:[{','.join([f'{offset}:{length}' for offset, length in spans])}]")
            parts.append(f"{sign}_deltas:[{','.join(map(str, deltas or ()))}]")
    return f"{{{','.join(parts)}}}{''.join(map(exemplar_text, found.nh_exemplars or ()))}"


def tail(exemplar: Exemplar | None) -> str:
    """What stands behind the value of a line; nothing where it has no exemplar."""
    return "" if exemplar is None else exemplar_text(exemplar)


def exemplar_text(exemplar: Exemplar) -> str:
    """An exemplar, behind the value of its line."""
    pairs = ",".join([f'{name}="{escaped(value)}"' for name, value in sorted(exemplar.labels.items())])
    when = "" if exemplar.timestamp is None else f" {exemplar.timestamp}"
    return f" # {{{pairs}}} {number(exemplar.value)}{when}"


def number(value: float) -> str:
    """A float as Go writes it, which differs from Python's way for large and special ones alone."""
    value = float(value)
    return repr(value) if -inf < value < EXPONENT else str(floatToGoString(value))  # type: ignore[no-untyped-call]


def escaped(text: str) -> str:
    """A label's value, or a help text in OpenMetrics."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def escaped_help(text: str) -> str:
    """A help text in Prometheus's text format, where quotes stay as they are."""
    return text.replace("\\", r"\\").replace("\n", r"\n")
