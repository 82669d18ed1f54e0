"""What one metric is, in OpenTelemetry's words, and the names that Prometheus gives it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from manometer.errors import MetricError

__all__ = ["FAST_BUCKETS", "WAIT_BUCKETS", "Across", "Convention", "Kind", "MetricSpec", "Reading", "label"]

FAST_BUCKETS = (
    *(1e-05, 2.5e-05, 5e-05, 0.0001, 0.00025, 0.0005, 0.001, 0.0025),
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
"""Upper bounds in seconds for computation: 10 microseconds to 5 seconds, 18 buckets with +Inf."""

WAIT_BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper bounds in seconds for waiting: 100 microseconds to 30 seconds, 18 buckets with +Inf."""


class Kind(Enum):
    """The instrument, in OpenTelemetry's words."""

    COUNTER = "counter"
    UPDOWNCOUNTER = "updowncounter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Reading(Enum):
    """When a figure is read: as events happen, when someone collects, or whichever the library allows."""

    PUSH = "push"
    PULL = "pull"
    EITHER = "pull or push"


class Across(Enum):
    """How the figures of several processes become one, in prometheus-client's words."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    LAST = "mostrecent"
    EACH = "all"


class Convention(Enum):
    """Whose name a metric has, with the version: its unit, instrument and attributes are theirs too."""

    SEMCONV = "OpenTelemetry semantic conventions 1.44.0"
    COLLECTOR = "OpenTelemetry Collector, host metrics receiver"
    CACHES = ".NET 11 MemoryCache, as proposed for all caches"


# UCUM units of OpenTelemetry and the suffix the Prometheus name carries for each. Annotations in
# braces ({request}) count things and leave no suffix.
_UNIT_SUFFIX = {"s": "seconds", "By": "bytes", "1": "ratio"}
_NAME = re.compile(r"[a-z][a-z0-9]*([._][a-z0-9]+)*")


def label(attribute: str) -> str:
    """The Prometheus label of an OpenTelemetry attribute: `cache.request.type` is `cache_request_type`."""
    return attribute.replace(".", "_")


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One row of the catalogue.

    name: OpenTelemetry name, dotted, without a unit (`cache.load.duration`).
    unit: UCUM (`s`, `By`, `1`, or an annotation such as `{request}`).
    attributes: OpenTelemetry names of what tells the series apart (`cache.name`).
    values: the closed set of values of an attribute, where it has one.
    optional: those of the attributes that only some of the series have.
    buckets: upper bounds in the unit, for histograms; +Inf is implied.
    across: what the processes of one program make of it together.
    convention: whose name it is; None for one of our own.

    What Prometheus calls the metric follows from these:

    prometheus_name: the name of the family at `/metrics` (`cache_load_duration_seconds`).
    labels: its labels, in the order of the attributes.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    attributes: tuple[str, ...] = ()
    reading: Reading = Reading.PUSH
    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    optional: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    across: Across = Across.SUM
    convention: Convention | None = None
    prometheus_name: str = field(init=False)
    labels: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MetricError(f"metric name {self.name!r} is not dotted lower case; write it as 'cache.requests'")
        if self.unit not in _UNIT_SUFFIX and not re.fullmatch(r"\{[a-z_]+\}", self.unit):
            raise MetricError(
                f"metric {self.name!r} has unit {self.unit!r}; use s, By, 1 or an annotation like '{{request}}'"
            )
        for attribute in self.attributes:
            if not _NAME.fullmatch(attribute) or attribute == "le":
                raise MetricError(
                    f"metric {self.name!r} has attribute {attribute!r}, which is not dotted lower case, or is 'le'; "
                    "write it as 'cache.name'"
                )
        labels = tuple(map(label, self.attributes))
        if len(set(labels)) < len(labels):
            raise MetricError(f"metric {self.name!r} has attributes whose labels are the same: {', '.join(labels)}")
        for attribute in (*self.values, *self.optional):
            if attribute not in self.attributes:
                raise MetricError(
                    f"metric {self.name!r} says something of {attribute!r}, which is not one of its attributes"
                )
        if (self.kind is Kind.HISTOGRAM) != bool(self.buckets):
            raise MetricError(f"metric {self.name!r}: histograms have buckets, and nothing else has")
        object.__setattr__(self, "prometheus_name", _prometheus_name(self))
        object.__setattr__(self, "labels", labels)

    @property
    def prometheus_type(self) -> str:
        """The family's type at `/metrics`: a sum that may fall is a gauge there."""
        return "gauge" if self.kind is Kind.UPDOWNCOUNTER else self.kind.value

    @property
    def family_name(self) -> str:
        """The family's name in prometheus-client's data model: a counter's lacks its `_total`."""
        return self.prometheus_name.removesuffix("_total")

    @property
    def multiprocess_mode(self) -> str:
        """`across` as prometheus-client has it: what is summed up lasts, a state goes with the process it is of."""
        lasts = self.across is Across.SUM and self.prometheus_type != "gauge"
        return self.across.value if lasts else f"live{self.across.value}"


def _prometheus_name(row: MetricSpec) -> str:
    """The name of the row's family, by OpenTelemetry's OTLP-to-Prometheus rules.

    Dots become underscores, the unit becomes a suffix, a monotonic sum ends in `_total`. The unit 1 leaves a suffix
    on gauges alone. Source: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility".
    """
    words = row.name.replace(".", "_")
    suffix = "" if row.unit == "1" and row.kind is not Kind.GAUGE else _UNIT_SUFFIX.get(row.unit, "")
    if suffix and not words.endswith("_" + suffix):
        words += "_" + suffix
    return words + "_total" if row.kind is Kind.COUNTER else words
