"""What leaves the programs besides scrapes, and what is lost on the way: panels of the exporter's dashboard."""

from manometer.catalogue import MetricSpec
from manometer.catalogue import self_metrics as kit
from manometer.mixin.dashboards.meaning import RED_FROM_ANY
from manometer.mixin.dashboards.panel import Graph, Query
from manometer.mixin.dashboards.query import per_second, shown

__all__ = ["panels"]


def panels() -> tuple[Graph, ...]:
    """One of each kind of telemetry."""
    return (
        _sent(
            "Spans sent",
            kit.SPANS,
            "Spans a second that were handed to the OTLP exporter, by what became of them. Lost ones (error):"
            " the receiver cannot be reached; rejected ones: it took others of the batch, and its log says why.",
        ),
        _sent(
            "Traces left afterwards",
            kit.TRACES_AFTERWARDS,
            "Traces a second of runs that were not recorded, but failed or were slow. Over the limit"
            " (over_limit): more of them than traces_afterwards allows; their runs are counted, and have no trace.",
        ),
        _sent(
            "Figures pushed",
            kit.POINTS,
            "Figures a second that were pushed over OTLP, by what became of them. Not delivered (error): the"
            " receiver cannot be reached, and the next push makes up for it; rejected: it took others, and the"
            " log says why.",
        ),
        _sent(
            "Log lines sent",
            kit.LOG_RECORDS,
            "Log lines a second that were sent over OTLP, by what became of them. Lost ones (error): the"
            " receiver cannot be reached; rejected ones: it took others of the request, and the program's log"
            " says why.",
        ),
        _sent(
            "Last figures handed over",
            kit.HANDOVERS,
            "Times a second that programs gave their last figures to a text file or a Pushgateway, by whether"
            " they got there. Where they did not (error), the figures of that run are lost, and the program's log"
            " says why.",
        ),
        Graph(
            "Log lines that fail",
            "Log lines a second that could not be written where the settings say, as on a full disk or where"
            " nobody reads the output any more. They went to standard error, and what collects logs may miss them.",
            "ops",
            (Query(per_second(kit.LOG_FAILURES, kit.LOG_FAILURES.attributes), _named(kit.LOG_FAILURES)),),
            steps=RED_FROM_ANY,
        ),
    )


def _sent(title: str, sent: MetricSpec, description: str) -> Graph:
    """How many a second, by what became of them."""
    return Graph(title, description, "ops", (Query(per_second(sent, sent.attributes), _named(sent)),), stacked=True)


def _named(spec: MetricSpec) -> str:
    return " ".join(map(shown, spec.attributes))
