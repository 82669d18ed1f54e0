"""Which targets a dashboard shows: its first variables, the marks in its graphs, and what narrows every query."""

from dataclasses import replace

from manometer.catalogue import process, self_metrics
from manometer.mixin.dashboards.meaning import BAD, NOTE
from manometer.mixin.dashboards.panel import Annotation, Dashboard, Panel, Query, Row, Variable
from manometer.mixin.dashboards.query import RATE, alerts, chosen
from manometer.mixin.promql import select
from manometer.mixin.thresholds import Narrowing

__all__ = ["board", "narrowed"]

_JOB = 'job=~"$job'
"""What every selector of the chosen targets has; a selector of an alert goes on after it."""

_NOT_AN_ALERT = "!~Watchdog|InfoInhibitor"


def board(
    name: str, title: str, description: str, rows: tuple[Row, ...], choices: tuple[Variable, ...] = ()
) -> Dashboard:
    """A dashboard of the usual form: the targets come first among its choices, restarts and alerts are marked.

    name: of its file, and the end of its uid. choices: of the subject's own.
    """
    carried = self_metrics.SERIES  # by every target that has Manometer
    of_job = select(carried, {"job": "=~$job"})
    return Dashboard(
        uid=f"manometer-{name}",
        title=f"Manometer / {title}",
        description=description,
        variables=(
            Variable("job", "job", "Job", select(carried), "Scrape jobs whose targets carry Manometer."),
            Variable("instance", "instance", "Instance", of_job, "Targets of the job."),
            *choices,
        ),
        rows=rows,
        annotations=(
            Annotation("Restarts", NOTE, f"resets({chosen(process.UPTIME)}[{RATE}]) > 0"),
            Annotation("Firing alerts", BAD, alerts({"alertname": _NOT_AN_ALERT})),
        ),
    )


def narrowed(made: Dashboard, narrowing: Narrowing) -> Dashboard:
    """The dashboard with a choice of the cluster, and with the configured matchers in every selector of a target."""
    cluster, matchers = narrowing.cluster_label, narrowing.matchers
    if not cluster and not matchers:
        return made
    prefix = ",".join([*([f'{cluster}=~"$cluster"'] if cluster else []), *([matchers] if matchers else [])])

    def narrow(expr: str) -> str:
        return expr.replace(_JOB, f"{prefix},{_JOB}")

    def narrow_query(query: Query) -> Query:
        return replace(query, expr=narrow(query.expr))

    def narrow_panel(panel: Panel) -> Panel:
        return replace(panel, queries=tuple(map(narrow_query, panel.queries)))

    first, *others = made.variables
    # The job's own choice has no job to follow.
    carried = self_metrics.SERIES.prometheus_name
    of_cluster = f"{carried}{{{prefix}}}"
    everywhere = f"{carried}{{{matchers}}}" if matchers else carried
    clusters = (
        (Variable("cluster", cluster, "Cluster", everywhere, "Clusters that the targets are in."),) if cluster else ()
    )
    return replace(
        made,
        variables=(
            *clusters,
            replace(first, selector=of_cluster),
            *(replace(each, selector=narrow(each.selector)) for each in others),
        ),
        rows=tuple(replace(row, panels=tuple(map(narrow_panel, row.panels))) for row in made.rows),
        annotations=tuple(replace(each, expr=narrow(each.expr)) for each in made.annotations),
    )
