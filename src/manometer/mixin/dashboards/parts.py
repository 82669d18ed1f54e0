"""What panels of several kinds have: their queries, colours and names of values, as Grafana's JSON."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders import common as ui
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import prometheus as queries

from manometer.mixin.dashboards.meaning import BAD, Steps
from manometer.mixin.dashboards.panel import Panel, Query

__all__ = ["DATA", "SOURCE", "bands", "dashed", "fixed", "latest", "ref", "states", "targets", "thresholds"]

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
DATA = queries.PromQueryFormat


def targets(
    panel: Panel, data: queries.PromQueryFormat = DATA.TIME_SERIES, instant: bool = False
) -> list[Builder[Dataquery]]:
    """The queries of a panel. instant: they are asked for the present alone."""
    made = [_target(query, ref(place), data) for place, query in enumerate(panel.queries)]
    return [each.instant() for each in made] if instant else [*made]


def _target(query: Query, ref: str, data: queries.PromQueryFormat) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).datasource(SOURCE).range()
    if data is not DATA.TIME_SERIES:
        made.format(data)
    return made.exemplar(True) if query.exemplars else made


def ref(place: int) -> str:
    """What a panel calls its queries, in their order."""
    return chr(ord("A") + place)


def latest() -> ui.ReduceDataOptions:
    """The last figure of each series."""
    return ui.ReduceDataOptions().calcs(["lastNotNull"])


def thresholds(steps: Steps) -> build.ThresholdsConfig:
    """Colours from a value on."""
    made = [dashboard.Threshold(value=value, color=color) for value, color in steps]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(made)


def bands(names: Mapping[float, tuple[str, str]]) -> list[dashboard.ValueMapping]:
    """Bands without gaps: each ends where the next better one starts, which comes first and takes the bound."""
    mappings: list[dashboard.ValueMapping] = []
    end: float | None = None
    for start, (text, color) in names.items():
        result = dashboard.ValueMappingResult(text=text, color=color, index=len(mappings))
        options = dashboard.DashboardRangeMapOptions(from_val=start, to=end, result=result)
        mappings.append(dashboard.RangeMap(options=options))
        end = start
    return mappings


def states(states: Mapping[int, tuple[str, str]]) -> dashboard.ValueMapping:
    """What each value is called, and its colour."""
    return dashboard.ValueMap(
        options={
            str(value): dashboard.ValueMappingResult(text=text, color=color, index=place)
            for place, (value, (text, color)) in enumerate(states.items())
        }
    )


def fixed(color: str) -> dashboard.DynamicConfigValue:
    """A colour that a series keeps whatever its values."""
    return dashboard.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})


def dashed(stacked: bool) -> list[dashboard.DynamicConfigValue]:
    """A line that is a threshold or a limit."""
    lines = [
        fixed(BAD),
        dashboard.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
        dashboard.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    ]
    if stacked:  # the limit is no part of the whole
        lines.append(dashboard.DynamicConfigValue(id_val="custom.stacking", value={"mode": "none"}))
    return lines
