"""Grafana's JSON of a dashboard, by its Foundation SDK, which writes and does not validate."""

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from manometer.catalogue import label, process
from manometer.errors import ConfigError
from manometer.mixin.dashboards.panel import SELECTED, Dashboard, Panel, Query, Row, Stat, Variable
from manometer.mixin.promql import select

try:
    from grafana_foundation_sdk.builders import common as ui
    from grafana_foundation_sdk.builders import dashboard as build
    from grafana_foundation_sdk.builders import prometheus, stat, timeseries
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models import common, dashboard
except ImportError as error:
    raise ConfigError("the mixin needs an extra: pip install 'manometer[mixin]'") from error

__all__ = ["lost_keys", "render"]

B = TypeVar("B", stat.Panel, timeseries.Panel)

_SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDTH = 24
_NOT_AN_ALERT = "!~Watchdog|InfoInhibitor"


def render(board: Dashboard) -> str:
    """The dashboard's JSON; ConfigError where Grafana's own model would lose a part of it."""
    text = json.dumps(_build(board), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
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


def _build(board: Dashboard) -> dashboard.Dashboard:
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
        .annotations([_restarts(), _alerts()])
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
            made.with_panel(_panel(panel).id(next(ids)).grid_pos(place))
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


def _panel(panel: Panel) -> stat.Panel | timeseries.Panel:
    return _stat(panel) if isinstance(panel, Stat) else _graph(panel)


def _graph(panel: Panel) -> timeseries.Panel:
    made = _shared(timeseries.Panel(), panel)
    made.line_width(1).fill_opacity(10).show_points(common.VisibilityMode.NEVER).axis_soft_min(0)
    made.tooltip(ui.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
    made.legend(
        ui.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["mean", "max", "lastNotNull"])
    )
    if panel.top is not None:
        made.axis_soft_max(panel.top)
    for place, query in enumerate(panel.queries):
        if query.limit:
            made.override_by_query(_ref(place), _dashed())
    return made


def _stat(panel: Stat) -> stat.Panel:
    made = _shared(stat.Panel(), panel)
    made.reduce_options(ui.ReduceDataOptions().calcs(["lastNotNull"]))
    made.graph_mode(common.BigValueGraphMode.AREA).color_mode(common.BigValueColorMode.BACKGROUND)
    if panel.names:
        made.mappings(_mappings(panel))
    return made


def _mappings(panel: Stat) -> list[dashboard.ValueMapping]:
    """Bands without gaps: each ends where the next better one starts, which comes first and takes the bound."""
    mappings: list[dashboard.ValueMapping] = []
    end: float | None = None
    for start, (text, color) in panel.names.items():
        result = dashboard.ValueMappingResult(text=text, color=color, index=len(mappings))
        options = dashboard.DashboardRangeMapOptions(from_val=start, to=end, result=result)
        mappings.append(dashboard.RangeMap(options=options))
        end = start
    return mappings


def _shared(made: B, panel: Panel) -> B:
    steps = [dashboard.Threshold(value=value, color=color) for value, color in panel.steps]
    made.title(panel.title).description(panel.description).unit(panel.unit).datasource(_SOURCE)
    made.thresholds(build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps))
    made.targets([_target(query, _ref(place)) for place, query in enumerate(panel.queries)])
    return made


def _ref(place: int) -> str:
    """What a panel calls its queries, in their order."""
    return chr(ord("A") + place)


def _target(query: Query, ref: str) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).datasource(_SOURCE).range()
    return made.exemplar(True) if query.exemplars else made


def _dashed() -> list[dashboard.DynamicConfigValue]:
    return [
        dashboard.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": "red"}),
        dashboard.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
        dashboard.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    ]


def _datasource() -> build.DatasourceVariable:
    return (
        build.DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus that scrapes the programs.")
        .type("prometheus")
    )


def _variable(variable: Variable) -> build.QueryVariable:
    made = (
        build.QueryVariable(variable.name)
        .label(variable.title)
        .description(variable.description)
        .datasource(_SOURCE)
        .query(f"label_values({variable.selector}, {label(variable.attribute)})")
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
        .include_all(True)
        .multi(True)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )
    return made if variable.closed else made.all_value(".+")


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


def _restarts() -> build.AnnotationQuery:
    age = select(process.UPTIME, SELECTED)
    return _annotation("Restarts", "blue", f"resets({age}[$__rate_interval]) > 0")


def _alerts() -> build.AnnotationQuery:
    # Alerts about a whole job have no instance.
    about = {name: f"{matcher}|" for name, matcher in SELECTED.items()}
    firing = select("ALERTS", {"alertstate": "firing", "alertname": _NOT_AN_ALERT, **about})
    return _annotation("Firing alerts", "red", firing)


def _annotation(name: str, color: str, expr: str) -> build.AnnotationQuery:
    return (
        build.AnnotationQuery().name(name).datasource(_SOURCE).enable(True).hide(False).icon_color(color).expr(expr)
    )
