"""A file of promises: what a service says of itself, each a bound of a measure or of a query.

service: shop
job: shop
window: 5m
promises:
  - name: an order is placed in 20 ms
    measure: stage_mean_seconds
    where: {engine_stage_name: place_order}
    at_most: 20 ms
  - name: no more than 3 orders wait
    query: max(max_over_time(shop_orders_waiting[5m]))
    at_most: 3
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manometer.catalogue import label
from manometer.cli.certify.quantities import number
from manometer.config.mistakes import Mistakes
from manometer.documents.document import Document, Entry, Table
from manometer.documents.nearest import nearest
from manometer.errors import ConfigError
from manometer.mixin.measures import MEASURES, Measure, peak
from manometer.mixin.thresholds import Duration
from manometer.redaction import brief

__all__ = ["Promise", "Promises", "promises_of"]

_KEYS = ("service", "job", "window", "promises")
_PARTS = ("name", "measure", "query", "where", "window", "peak_over", "at_most", "at_least")


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise. unit: as in Measure, empty for a query; at_most, at_least: None where it has no such bound."""

    name: str
    query: str
    unit: str
    at_most: float | None
    at_least: float | None

    def holds(self, value: float) -> bool:
        """Whether the value keeps to the bounds."""
        return not (
            (self.at_most is not None and value > self.at_most)
            or (self.at_least is not None and value < self.at_least)
        )


@dataclass(frozen=True, slots=True)
class Promises:
    """What a service promises."""

    service: str
    promises: tuple[Promise, ...]


def promises_of(path: Path) -> Promises:
    """Read the file; SettingsError with every mistake in it, each with its line."""
    from manometer.documents import yaml  # needs an extra

    reading = _Reading(yaml.read(path, "file of promises", "service: shop"))
    found = reading.all()
    reading.mistakes.refuse()
    return found


class _Reading:
    """One pass over a file. What is wrong goes to the mistakes, and the rest is read on."""

    def __init__(self, document: Document) -> None:
        self.mistakes = Mistakes()
        self._document = document
        root = self._known(document.root, _KEYS)
        self._service = self._text(root, "service") or document.path.stem
        self._job = self._text(root, "job")
        self._window = self._duration(root, "window") or "5m"
        self._entry = root.get("promises")

    def all(self) -> Promises:
        """The service and its promises."""
        entry = self._entry
        if entry is None or not isinstance(entry.value, list) or not entry.value:
            where = self._document.path if entry is None else self._document.place(entry)
            self.mistakes.add(f"promises is no list in {where}; write at least one: - name, measure, at_most")
            return Promises(self._service, ())
        return Promises(self._service, tuple(filter(None, (self._promise(each, entry) for each in entry.value))))

    def _promise(self, value: Any, among: Entry) -> Promise | None:
        if not isinstance(value, Table):
            self._wrong(among, f"a promise is {brief(repr(value))}", "it takes name, measure, at_most")
            return None
        before = len(self.mistakes.found)
        parts, first = self._known(value, _PARTS), next(iter(value), among)
        name, measure = self._text(parts, "name"), self._measure(parts, first)
        query = self._query(parts, measure)
        unit = "" if measure is None else measure.unit
        # The measure tells which units a bound takes. Where the measure is a mistake, its bound need not be one too.
        bounds = parts if measure or (query and not parts.get("measure")) else Table()
        at_most, at_least = (self._number(bounds.get(key), unit) for key in ("at_most", "at_least"))
        if not name and parts.get("name") is None:
            self._wrong(first, "a promise has no name", "say in a few words what is promised")
        if not (parts.get("at_most") or parts.get("at_least")):
            self._wrong(first, "a promise has no bound", "give at_most or at_least")
        past = self._duration(parts, "peak_over")
        if len(self.mistakes.found) > before or name is None or query is None:
            return None
        return Promise(name, peak(query, past) if past else query, unit, at_most, at_least)

    def _measure(self, parts: Table, first: Entry) -> Measure | None:
        entry = parts.get("measure")
        if (entry is None) == (parts.get("query") is None):
            self._wrong(first, "a promise has both measure and query, or neither", "give one of them")
        if entry is None:
            return None
        if not isinstance(entry.value, str) or entry.value not in MEASURES:
            self._unknown("measure", entry, entry.value, MEASURES)
            return None
        return MEASURES[entry.value]

    def _query(self, parts: Table, measure: Measure | None) -> str | None:
        if measure is None:
            for key in ("where", "window"):
                if (entry := parts.get(key)) is not None and parts.get("query") is not None:
                    self._wrong(entry, f"{key} stands beside a query", "put it into the query")
            return self._text(parts, "query")
        matchers = {"job": self._job} if self._job else {}
        where = parts.get("where")
        if where is not None:
            matchers |= self._matchers(where, measure)
        return measure.query(matchers, self._duration(parts, "window") or self._window)

    def _matchers(self, where: Entry, measure: Measure) -> dict[str, str]:
        """The matchers by attribute. A file may name an attribute or its label."""
        attributes = {label(each): each for each in measure.of}
        if not isinstance(where.value, Table):
            self._wrong(where, "where is no mapping", f"it takes {', '.join(attributes)}")
            return {}
        found = {}
        for each in where.value:
            if not isinstance(each.key, str) or label(each.key) not in attributes:
                self._unknown("label", each, each.key, attributes)
            elif not isinstance(each.value, str) or not each.value or {'"', "\\", "\n"} & set(each.value):
                self._wrong(each, f"{each.key} is {brief(repr(each.value))}", "it takes a value, or =~ and a pattern")
            else:
                found[attributes[label(each.key)]] = each.value
        return found

    def _known(self, table: Table, keys: Iterable[str]) -> Table:
        """The table, its unknown keys and those that stand twice noted."""
        for entry in table:
            if entry.key not in keys:
                self._unknown("key", entry, entry.key, keys)
            elif len(entry.lines) > 1:
                self._wrong(entry, f"{entry.key} stands more than once", "keep one of them")
        return table

    def _text(self, table: Table, key: str) -> str | None:
        return self._read(
            table, key, lambda value: value if isinstance(value, str) and value.strip() else None, "text"
        )

    def _duration(self, table: Table, key: str) -> str | None:
        return self._read(table, key, _duration, "one number and one unit, such as 30s or 5m")

    def _number(self, entry: Entry | None, unit: str) -> float | None:
        if entry is None:
            return None
        found = number(entry.value, unit)
        if found is None:
            units = {
                "s": " of seconds, or such as 20 ms",
                "By": " of bytes, or such as 100 MB",
                "1": ", or such as 95 %",
            }
            written = f"{entry.key} is {brief(repr(entry.value))}"
            self._wrong(entry, written, f"it takes a number{units.get(unit, '')}")
        return found

    def _read(self, table: Table, key: str, understand: Callable[[Any], str | None], takes: str) -> str | None:
        entry = table.get(key)
        if entry is None:
            return None
        found = understand(entry.value)
        if found is None:
            self._wrong(entry, f"{key} is {brief(repr(entry.value))}", f"it takes {takes}")
        return found

    def _unknown(self, what: str, entry: Entry, name: object, known: Iterable[str]) -> None:
        self._wrong(entry, f"unknown {what} {brief(repr(name))}", nearest(name, known))

    def _wrong(self, entry: Entry, what: str, mend: str) -> None:
        self.mistakes.add(f"{what} in {self._document.place(entry)}; {mend}")


def _duration(value: Any) -> str | None:
    try:
        found = Duration(str(value))
    except ConfigError:
        return None
    return found if found.seconds else None
