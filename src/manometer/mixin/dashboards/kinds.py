"""Grafana's JSON of a panel, by its kind."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    heatmap,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import common as ui
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import heatmap as heat

from manometer.catalogue import label
from manometer.mixin.dashboards.panel import (
    Bars,
    Column,
    Graph,
    Heatmap,
    Key,
    Panel,
    Stat,
    Table,
    Timeline,
)
from manometer.mixin.dashboards.parts import (
    DATA,
    SOURCE,
    bands,
    dashed,
    fixed,
    latest,
    ref,
    states,
    targets,
    thresholds,
)

__all__ = ["drawn"]

Built: TypeAlias = bargauge.Panel | heatmap.Panel | stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel


def drawn(panel: Panel, links: Iterable[build.DashboardLink]) -> Built:
    """The panel without its place. links: those that its corner offers."""
    made = _KINDS[type(panel)](panel)
    made.title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    made.thresholds(thresholds(panel.steps)).links([*links])
    return made


def _graph(panel: Graph) -> timeseries.Panel:
    made = timeseries.Panel().targets(targets(panel)).line_width(1).show_points(common.VisibilityMode.NEVER)
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
            made.override_by_query(ref(place), dashed(panel.stacked))
        elif query.color:
            made.override_by_query(ref(place), [fixed(query.color)])
    return made


def _stat(panel: Stat) -> stat.Panel:
    made = stat.Panel().targets(targets(panel)).reduce_options(latest())
    made.graph_mode(common.BigValueGraphMode.AREA).color_mode(common.BigValueColorMode.BACKGROUND)
    if panel.names:
        made.mappings(bands(panel.names))
    return made


def _heatmap(panel: Heatmap) -> heatmap.Panel:
    made = heatmap.Panel().targets(targets(panel, DATA.HEATMAP)).calculate(False).cell_gap(1)
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
    made = statetimeline.Panel().targets(targets(panel)).merge_values(True).row_height(0.8).fill_opacity(80)
    made.show_value(common.VisibilityMode.AUTO).mappings([states(panel.states)])
    return made.legend(
        ui.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _bars(panel: Bars) -> bargauge.Panel:
    made = bargauge.Panel().targets(targets(panel, instant=True)).reduce_options(latest()).min(0)
    made.display_mode(common.BarGaugeDisplayMode.BASIC).orientation(common.VizOrientation.HORIZONTAL)
    for place, query in enumerate(panel.queries):
        if query.color:
            made.override_by_query(ref(place), [fixed(query.color)])
    return made if panel.top is None else made.max(panel.top)


def _table(panel: Table) -> table.Panel:
    columns = [query for query in panel.queries if isinstance(query, Column)]
    made = table.Panel().targets(targets(panel, DATA.TABLE, instant=True)).filterable(True)
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
        named["Value" if len(columns) == 1 else f"Value #{ref(place)}"] = column.legend
    order = {name: place for place, name in enumerate(named)}
    return {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": named}


def _column(column: Column) -> list[dashboard.DynamicConfigValue]:
    made = [dashboard.DynamicConfigValue(id_val="unit", value=column.unit)]
    if len(column.steps) > 1:
        made.append(dashboard.DynamicConfigValue(id_val="thresholds", value=thresholds(column.steps).build()))
        made.append(dashboard.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    return made
