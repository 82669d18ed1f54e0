"""Grafana's JSON of a panel, by its kind."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import common as ui
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models import prometheus as queries

from manometer.catalogue import label
from manometer.mixin.dashboards.meaning import BAD, Steps
from manometer.mixin.dashboards.panel import (
    Bars,
    Column,
    Graph,
    Heatmap,
    Key,
    Panel,
    Query,
    Stat,
    Table,
    Timeline,
)

__all__ = ["SOURCE", "drawn"]

Built: TypeAlias = bargauge.Panel | heatmap.Panel | stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
_DATA = queries.PromQueryFormat


def drawn(panel: Panel, links: Iterable[build.DashboardLink]) -> Built:
    """The panel without its place. links: those that its corner offers."""
    made = _KINDS[type(panel)](panel)
    made.title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    made.thresholds(_thresholds(panel.steps)).links([*links])
    return made


def _graph(panel: Graph) -> timeseries.Panel:
    made = timeseries.Panel().targets(_targets(panel)).line_width(1).show_points(common.VisibilityMode.NEVER)
    made.fill_opacity(40 if panel.stacked else 10).axis_soft_min(0)
    if panel.stacked:
        made.stacking(ui.StackingConfig().mode(common.StackingMode.NORMAL))
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
            made.override_by_query(_ref(place), _dashed(panel.stacked))
        elif query.color:
            made.override_by_query(_ref(place), [_fixed(query.color)])
    return made


def _stat(panel: Stat) -> stat.Panel:
    made = stat.Panel().targets(_targets(panel)).reduce_options(_latest())
    made.graph_mode(common.BigValueGraphMode.AREA).color_mode(common.BigValueColorMode.BACKGROUND)
    if panel.names:
        made.mappings(_bands(panel.names))
    return made


def _heatmap(panel: Heatmap) -> heatmap.Panel:
    made = heatmap.Panel().targets(_targets(panel, _DATA.HEATMAP)).calculate(False).cell_gap(1)
    made.color(
        heatmap.HeatmapColorOptions()
        .mode(heat.HeatmapColorMode.SCHEME)
        .scheme("Blues")
        .scale(heat.HeatmapColorScale.EXPONENTIAL)
        .exponent(0.5)
        .steps(64)
        .fill("dark-blue")
        .reverse(False)
    )
    made.y_axis(heatmap.YAxisConfig().unit(panel.unit).axis_placement(common.AxisPlacement.LEFT).reverse(False))
    made.filter_values(heatmap.FilterValueRange().le(1e-9))  # where nothing happened there is no cell
    made.mode(common.TooltipDisplayMode.SINGLE).show_y_histogram().show_legend()
    return made.exemplars_color("rgba(255,0,255,0.7)")


def _timeline(panel: Timeline) -> statetimeline.Panel:
    made = statetimeline.Panel().targets(_targets(panel)).merge_values(True).row_height(0.8).fill_opacity(80)
    made.show_value(common.VisibilityMode.AUTO).mappings([_states(panel.states)])
    return made.legend(
        ui.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _bars(panel: Bars) -> bargauge.Panel:
    made = bargauge.Panel().targets(_targets(panel, instant=True)).reduce_options(_latest()).min(0)
    made.display_mode(common.BarGaugeDisplayMode.BASIC).orientation(common.VizOrientation.HORIZONTAL)
    return made if panel.top is None else made.max(panel.top)


def _table(panel: Table) -> table.Panel:
    columns = [query for query in panel.queries if isinstance(query, Column)]
    made = table.Panel().targets(_targets(panel, _DATA.TABLE, instant=True)).filterable(True)
    made.transformations(
        [
            dashboard.DataTransformerConfig(id_val="merge", options={}),
            dashboard.DataTransformerConfig(id_val="organize", options=_organized(panel.keys, columns)),
        ]
    )
    made.sort_by([ui.TableSortByFieldState().display_name(panel.sort).desc(not panel.rising)])
    for column in columns:
        made.override_by_name(column.legend, _column(column))
    for key in panel.keys:
        if key.link:
            link = {"title": f"Open {key.title.lower()}", "url": key.link}
            made.override_by_name(key.title, [dashboard.DynamicConfigValue(id_val="links", value=[link])])
    return made


_KINDS: Mapping[type[Panel], Callable[[Any], Built]] = {
    Graph: _graph,
    Stat: _stat,
    Heatmap: _heatmap,
    Timeline: _timeline,
    Bars: _bars,
    Table: _table,
}


def _organized(keys: Iterable[Key], columns: list[Column]) -> dict[str, object]:
    """The names and the order of a table's columns. Grafana numbers the values where there is more than one query."""
    named = {label(key.attribute): key.title for key in keys}
    for place, column in enumerate(columns):
        named["Value" if len(columns) == 1 else f"Value #{_ref(place)}"] = column.legend
    order = {name: place for place, name in enumerate(named)}
    return {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": named}


def _column(column: Column) -> list[dashboard.DynamicConfigValue]:
    made = [dashboard.DynamicConfigValue(id_val="unit", value=column.unit)]
    if len(column.steps) > 1:
        made.append(dashboard.DynamicConfigValue(id_val="thresholds", value=_thresholds(column.steps).build()))
        made.append(dashboard.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    return made


def _targets(
    panel: Panel, data: queries.PromQueryFormat = _DATA.TIME_SERIES, instant: bool = False
) -> list[Builder[Dataquery]]:
    made = [_target(query, _ref(place), data) for place, query in enumerate(panel.queries)]
    return [each.instant() for each in made] if instant else [*made]


def _target(query: Query, ref: str, data: queries.PromQueryFormat) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).datasource(SOURCE).range()
    if data is not _DATA.TIME_SERIES:
        made.format(data)
    return made.exemplar(True) if query.exemplars else made


def _ref(place: int) -> str:
    """What a panel calls its queries, in their order."""
    return chr(ord("A") + place)


def _latest() -> ui.ReduceDataOptions:
    return ui.ReduceDataOptions().calcs(["lastNotNull"])


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    made = [dashboard.Threshold(value=value, color=color) for value, color in steps]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(made)


def _bands(names: Mapping[float, tuple[str, str]]) -> list[dashboard.ValueMapping]:
    """Bands without gaps: each ends where the next better one starts, which comes first and takes the bound."""
    mappings: list[dashboard.ValueMapping] = []
    end: float | None = None
    for start, (text, color) in names.items():
        result = dashboard.ValueMappingResult(text=text, color=color, index=len(mappings))
        options = dashboard.DashboardRangeMapOptions(from_val=start, to=end, result=result)
        mappings.append(dashboard.RangeMap(options=options))
        end = start
    return mappings


def _states(states: Mapping[int, tuple[str, str]]) -> dashboard.ValueMapping:
    return dashboard.ValueMap(
        options={
            str(value): dashboard.ValueMappingResult(text=text, color=color, index=place)
            for place, (value, (text, color)) in enumerate(states.items())
        }
    )


def _fixed(color: str) -> dashboard.DynamicConfigValue:
    return dashboard.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})


def _dashed(stacked: bool) -> list[dashboard.DynamicConfigValue]:
    lines = [
        _fixed(BAD),
        dashboard.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
        dashboard.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    ]
    if stacked:  # the limit is no part of the whole
        lines.append(dashboard.DynamicConfigValue(id_val="custom.stacking", value={"mode": "none"}))
    return lines
