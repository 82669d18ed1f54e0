"""What a dashboard is, as data: rows of panels of each kind, their queries, and the variables that narrow them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from manometer.mixin.dashboards.meaning import PLAIN, Steps

__all__ = [
    "COMING",
    "PRESSURE",
    "SINCE",
    "WELL",
    "Annotation",
    "Bars",
    "Column",
    "Dashboard",
    "Graph",
    "Heatmap",
    "Key",
    "Panel",
    "Query",
    "Row",
    "Stat",
    "Table",
    "Timeline",
    "Variable",
]

WELL, PRESSURE, SINCE, COMING = "Is it well?", "Where is the pressure?", "Since when?", "What comes?"
"""The questions that the rows of a dashboard answer, in this order."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. legend: a template of labels; exemplars: whether to show traces beside it.

    limit: it is a threshold or a limit, to be drawn as dashed lines. alert: the alert that draws the line.
    color: of its series, where they mean something: see `meaning`.
    """

    expr: str
    legend: str
    exemplars: bool = False
    limit: bool = False
    alert: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Column(Query):
    """A column of figures in a table; its title is the legend. unit, steps: as a panel's."""

    unit: str = "none"
    steps: Steps = PLAIN


@dataclass(frozen=True, slots=True)
class Panel:
    """What every kind of panel has.

    description: how to read it, and what to do when it looks bad. unit: Grafana's id of it.
    steps: what its values mean by colour. opens: the files of the dashboards that tell more, without their ending.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    steps: Steps = PLAIN
    width: int = 8
    height: int = 8
    opens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph(Panel):
    """Lines over time. top: the most that the axis can show, for ratios. stacked: the lines add up to a whole."""

    top: float | None = None
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Stat(Panel):
    """The latest value, large. names: text and colour of the values from each figure on, greatest first."""

    names: Mapping[float, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heatmap(Panel):
    """How often each duration occurred, over time. Its query is one of `heat`."""


@dataclass(frozen=True, slots=True)
class Timeline(Panel):
    """Which state each thing was in, over time. states: text and colour of each value."""

    states: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bars(Panel):
    """The latest values side by side, each a bar. top: where a bar is full; None where the greatest is."""

    top: float | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A column of a table that tells its lines apart.

    attribute: an attribute or a label, by which every query of the table groups.
    link: a URL that a value of the column opens; empty for none.
    """

    attribute: str
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Table(Panel):
    """The latest values as lines that can be sorted by any column. Its queries are columns.

    sort: the title of the column that it is sorted by at first, the greatest on top unless `rising`.
    """

    keys: tuple[Key, ...] = ()
    sort: str = ""
    rising: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading, which is the question that they answer."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice of values of a label, out of those that a selector's series carry.

    attribute: its OpenTelemetry name, or the label's. title: what the choice is called.
    """

    name: str
    attribute: str
    title: str
    selector: str
    description: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark in every graph at the times at which the expression has a value."""

    name: str
    color: str
    expr: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard. uid: what links point at, never changed: `manometer-` and the name of the file."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    annotations: tuple[Annotation, ...] = ()
    tags: tuple[str, ...] = ("manometer",)
