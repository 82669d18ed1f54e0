"""Grafana's JSON of a dashboard, by its Foundation SDK, which writes and does not validate."""

import json
from collections.abc import Iterator
from typing import Any

from manometer.catalogue import label
from manometer.errors import ConfigError
from manometer.mixin.dashboards.panel import Annotation, Dashboard, Panel, Row, Variable
from manometer.mixin.dashboards.targets import narrowed
from manometer.mixin.rules.rule import runbook
from manometer.mixin.thresholds import Thresholds

try:
    from grafana_foundation_sdk.builders import dashboard as build
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models import dashboard

    from manometer.mixin.dashboards.kinds import drawn
    from manometer.mixin.dashboards.parts import SOURCE
except ImportError as error:
    raise ConfigError("the mixin needs an extra: pip install 'manometer[mixin]'") from error

__all__ = ["lost_keys", "render"]

_WIDTH = 24
_KEPT = "${__url_time_range}&${__all_variables}"
"""What a link to another dashboard carries: the time and every choice."""


def render(board: Dashboard, config: Thresholds) -> str:
    """The dashboard's JSON; ConfigError where Grafana's own model would lose a part of it."""
    made = _build(narrowed(board, config.dashboards), config)
    text = json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
    lost = lost_keys(json.loads(text))
    if lost:
        raise ConfigError(f"dashboard {board.uid!r} has keys that Grafana's model does not know: {', '.join(lost)}")
    return text


def lost_keys(written: dict[str, Any]) -> list[str]:
    """The paths in a dashboard's JSON that are gone, or different, once Grafana's model has read it."""
    register_default_plugins()
    read = json.loads(json.dumps(dashboard.Dashboard.from_json(written), cls=JSONEncoder))
    return list(_differences(written, read, ""))


def _differences(written: object, read: object, path: str) -> Iterator[str]:
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            yield from _differences(value, read.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for place, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]")
    elif written != read:
        yield path


def _build(board: Dashboard, config: Thresholds) -> dashboard.Dashboard:
    made = (
        build.Dashboard(board.title)
        .uid(board.uid)
        .description(f"{board.description} Generated, do not edit: make mixin.")
        .tags(list(board.tags))
        .readonly()
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .link(_siblings(board.tags[0]))
        .annotations([_annotation(each) for each in board.annotations])
        .variables([_datasource(), *map(_variable, board.variables)])
    )
    ids = iter(range(1, 1000))
    top = 0
    for row in board.rows:
        made.with_row(
            build.Row(row.title).id(next(ids)).grid_pos(dashboard.GridPos(h=1, w=_WIDTH, x=0, y=top)).collapsed(False)
        )
        top += 1
        for panel, place in _laid_out(row, top):
            made.with_panel(drawn(panel, _links(panel, config)).id(next(ids)).grid_pos(place))
            bottom = place.y + place.h
        top = bottom
    return made.build()


def _laid_out(row: Row, top: int) -> Iterator[tuple[Panel, dashboard.GridPos]]:
    """Left to right, and a new line where a panel does not fit, below the highest of the last one."""
    left = high = 0
    for panel in row.panels:
        if left + panel.width > _WIDTH:
            left, top, high = 0, top + high, 0
        yield panel, dashboard.GridPos(h=panel.height, w=panel.width, x=left, y=top)
        left, high = left + panel.width, max(high, panel.height)


def _links(panel: Panel, config: Thresholds) -> Iterator[build.DashboardLink]:
    """To the dashboards that tell more, with the choices and the time, and to the runbooks of the panel's alerts."""
    for name in panel.opens:
        url = f"/d/manometer-{name}?{_KEPT}"
        yield build.DashboardLink(f"Open {name}").type(dashboard.DashboardLinkType.LINK).url(url)
    if "://" in config.runbooks:  # a path leads nowhere from Grafana
        for query in panel.queries:
            if query.alert:
                page = build.DashboardLink(f"Runbook of {query.alert}").type(dashboard.DashboardLinkType.LINK)
                yield page.url(runbook(query.alert, config)).target_blank(True)


def _datasource() -> build.DatasourceVariable:
    return (
        build.DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus that scrapes the programs.")
        .type("prometheus")
    )


def _variable(variable: Variable) -> build.QueryVariable:
    return (
        build.QueryVariable(variable.name)
        .label(variable.title)
        .description(variable.description)
        .datasource(SOURCE)
        .query(f"label_values({variable.selector}, {label(variable.attribute)})")
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
        .include_all(True)
        .all_value(".+")
        .multi(True)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )


def _siblings(tag: str) -> build.DashboardLink:
    return (
        build.DashboardLink("Manometer")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([tag])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
        .icon("external link")
        .tooltip("The other dashboards, with the same choices and time.")
    )


def _annotation(marked: Annotation) -> build.AnnotationQuery:
    made = build.AnnotationQuery().name(marked.name).datasource(SOURCE).enable(True).hide(False)
    return made.icon_color(marked.color).expr(marked.expr)
