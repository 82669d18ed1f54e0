"""The exporter: what measuring costs, what of it fails, and what the targets refused."""

from manometer.catalogue import self_metrics as kit
from manometer.mixin.dashboards import sending
from manometer.mixin.dashboards.meaning import BAD, GOOD, RED_FROM_ANY, WORRY
from manometer.mixin.dashboards.panel import PRESSURE, SINCE, WELL, Bars, Dashboard, Graph, Query, Row, Stat, Timeline
from manometer.mixin.dashboards.query import SELECTED, SHOWN, chosen, grown, highest, per_second, shown, watched
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import TARGET, by, increase, select
from manometer.mixin.rules.telemetry import LOST
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_COLLECTOR = ("manometer.collector.name",)
_FAMILY = ("manometer.family.name",)
_TARGET = shown("instance")


def dashboard(config: Thresholds) -> Dashboard:
    """What is known about the figures themselves."""
    del config  # no threshold of the rules is drawn here
    return board(
        "exporter",
        "Exporter",
        "What measuring costs, what of it fails, what the exporters refused, and with which settings they run.",
        (
            Row(WELL, (_failing(), _folding(), _lost(), _settings(), _failures(), _folds())),
            Row(PRESSURE, (_collect_time(), _scrape_time(), _series(), _shortages(), _refusals())),
            Row(
                SINCE,
                (_reloads(), _good_settings(), *sending.panels(), _processes(), _files()),
            ),
        ),
    )


def _failing() -> Stat:
    return Stat(
        "Collectors that fail",
        "Readings of collectors that raised or did not end in time, in the time shown. Their series are missing from"
        " those scrapes, and panels have gaps: see the runbook of CollectorFailing.",
        "short",
        (Query(f"sum({increase(chosen(kit.COLLECT_FAILURES), SHOWN)}) or vector(0)", "failures"),),
        steps=((None, GOOD), (1, BAD)),
        width=4,
        height=6,
    )


def _folding() -> Stat:
    return Stat(
        "Folded lookups",
        "Lookups of labelled series in the time shown that went to `other`, because their family is at its cap: see"
        " the runbook of LabelValuesFolded.",
        "short",
        (Query(f"sum({increase(chosen(kit.LABEL_FOLDS), SHOWN)}) or vector(0)", "folds"),),
        steps=((None, GOOD), (1, WORRY)),
        width=4,
        height=6,
    )


def _lost() -> Stat:
    lost = select(LOST, SELECTED)
    return Stat(
        "Telemetry lost",
        "Figures, spans and log lines of the last five minutes that did not arrive, or could not be written. The"
        " panels below tell which: see the runbook of TelemetryLost.",
        "short",
        (Query(f"sum({lost}) or vector(0)", "lost"),),
        steps=((None, GOOD), (1, WORRY)),
        width=4,
        height=6,
    )


def _settings() -> Timeline:
    return Timeline(
        "Settings",
        "Whether the settings, and the web configuration, that were last read are right. Refused: the old ones still"
        " hold, and the next start would fail: see the runbooks of SettingsRefused and WebConfigRefused."
        " Ten of each, the worst ones.",
        "none",
        (
            Query(f"bottomk(10, {by(TARGET, chosen(kit.CONFIG_RELOAD_SUCCESSFUL), 'min')})", f"settings {_TARGET}"),
            Query(f"bottomk(10, {by(TARGET, chosen(kit.SERVER_CONFIG_RELOAD_SUCCESSFUL), 'min')})", f"web {_TARGET}"),
        ),
        width=12,
        height=6,
        states={0: ("refused", BAD), 1: ("right", GOOD)},
    )


def _failures() -> Graph:
    return Graph(
        "Failures by collector",
        "Readings of each collector that failed a second. The program's log has the exception, once, when it begins.",
        "ops",
        (Query(highest(per_second(kit.COLLECT_FAILURES, _COLLECTOR)), shown("manometer.collector.name")),),
        steps=RED_FROM_ANY,
        width=12,
    )


def _folds() -> Graph:
    return Graph(
        "Folds by family",
        "Lookups a second that went to `other`, by family; the ten greatest. A label takes values without bound, such"
        " as ids: leave the label out.",
        "ops",
        (Query(highest(per_second(kit.LABEL_FOLDS, _FAMILY)), shown("manometer.family.name")),),
        steps=((None, GOOD), (1e-9, WORRY)),
        width=12,
    )


def _collect_time() -> Graph:
    return Graph(
        "Time of collectors",
        "How long the last reading of each collector took, on the slowest target; the ten greatest. Each scrape pays"
        " their sum.",
        "s",
        (
            Query(
                highest(by(_COLLECTOR, chosen(kit.COLLECT_DURATION), "max")),
                shown("manometer.collector.name"),
            ),
        ),
        width=12,
    )


def _scrape_time() -> Graph:
    return Graph(
        "Time of a scrape",
        "How long Prometheus took to fetch the figures of each target; the ten greatest. Near the scrape's time-out"
        " targets are shown as down while they are not.",
        "s",
        (Query(highest(by(TARGET, watched(chosen("scrape_duration_seconds")), "max")), _TARGET),),
        width=12,
    )


def _series() -> Bars:
    return Bars(
        "Largest families",
        "Series of each family on the largest target; the fifteen greatest. What a name costs to scrape and to keep:"
        " look here first where Prometheus grows.",
        "short",
        (Query(highest(by(_FAMILY, chosen(kit.SERIES), "max"), 15), shown("manometer.family.name")),),
        width=8,
        height=12,
    )


def _shortages() -> Graph:
    return Graph(
        "What the server lacked",
        "Connections and requests a second that the exporter had wait or refused, by what was lacking. Somebody asks"
        " far more often than a Prometheus does, or connections are left open.",
        "ops",
        (
            Query(
                per_second(kit.SERVER_SHORTAGES, ("manometer.server.resource",)), shown("manometer.server.resource")
            ),
        ),
        steps=((None, GOOD), (1e-9, WORRY)),
        height=12,
    )


def _refusals() -> Graph:
    reason = "manometer.server.refusal.reason"
    return Graph(
        "What the server refused",
        "Connections and requests a second that the exporter refused, by what was wrong with them. A password that is"
        " wrong all the time is an old configuration; many reasons at once are a stranger.",
        "ops",
        (Query(per_second(kit.SERVER_REFUSALS, (reason,)), shown(reason)),),
        steps=((None, GOOD), (1e-9, WORRY)),
        height=12,
    )


def _reloads() -> Graph:
    settings, web = "manometer.config.reload.outcome", "manometer.server.config.reload.outcome"
    return Graph(
        "Reloads",
        "How often settings, and web configuration files or certificates, were read again, by how that ended.",
        "short",
        (
            Query(grown(kit.CONFIG_RELOADS, (settings,)), f"settings {shown(settings)}"),
            Query(grown(kit.SERVER_CONFIG_RELOADS, (web,)), f"web {shown(web)}"),
        ),
    )


def _good_settings() -> Graph:
    settings, web = (
        f"time() - {by(TARGET, chosen(time), 'min')}"
        for time in (kit.CONFIG_RELOAD_TIME, kit.SERVER_CONFIG_RELOAD_TIME)
    )
    return Graph(
        "Age of the settings",
        "Time since right settings, and a right web configuration, were last read; the ten greatest. After a change"
        " was rolled out, each line falls to 0; one that does not has still what was there before.",
        "s",
        (Query(highest(settings), f"settings {_TARGET}"), Query(highest(web), f"web {_TARGET}")),
    )


def _processes() -> Graph:
    return Graph(
        "Processes of a target",
        "Live processes whose figures a scrape shows together, where a program has several; the ten greatest. Fewer"
        " than the server was told to run: some do not share their figures.",
        "short",
        (Query(highest(by(TARGET, chosen(kit.PROCESSES), "max")), _TARGET),),
        width=12,
    )


def _files() -> Graph:
    operation = "manometer.process.file.operation"
    return Graph(
        "Files of figures that fail",
        "Files of a process's figures a second that could not be written, as on a full disk, or made no sense when"
        " read. What these processes count is not shown.",
        "ops",
        (Query(per_second(kit.PROCESS_FILE_FAILURES, (operation,)), shown(operation)),),
        steps=RED_FROM_ANY,
        width=12,
    )
