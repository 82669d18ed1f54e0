"""Rules about the watching itself: targets, the kit, the alerting chain, and the thresholds in force."""

from collections.abc import Iterable, Mapping

from manometer.catalogue import MetricSpec, self_metrics
from manometer.mixin.promql import TARGET, any_of, both, by, either, increase, lately, over, recorded, select
from manometer.mixin.rules import telemetry
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, told
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["KNOWN", "groups", "thresholds"]

KNOWN = recorded(TARGET, "manometer_target", "known")
"""1 for each target that has shown Manometer's figures, for as long as Prometheus is to scrape it."""

# What reads a series of every collector: which targets are ours, and what nobody is paged for.
_EACH_MINUTE, _SELDOM = Duration("60s"), Duration("120s")


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules about the watching itself, without the recorded thresholds."""
    known = either(
        by(TARGET, select(self_metrics.COLLECT_DURATION), "group"),
        both(over("last", KNOWN, "1h"), "on (job, instance) up"),
    )
    about = "Watchdog|InfoInhibitor"
    info = by(
        ("job",), select("ALERTS", {"alertstate": "firing", "severity": "info", "alertname": f"!~{about}"}), "max"
    )
    worse = select("ALERTS", {"alertstate": "firing", "severity": "=~critical|warning"})
    return (
        Group("targets", (Record(KNOWN, known),), interval=_EACH_MINUTE),
        Group("exporter", (*_kit(config), *telemetry.rules()), interval=_SELDOM),
        Group(
            "meta",
            (
                Alert(
                    name="TargetDown",
                    expr=_down(config),
                    severity=Severity.CRITICAL,
                    fires="a target that has shown Manometer's figures cannot be scraped; or one of the named `jobs`,"
                    " or such a job has no target",
                    summary="{{ $labels.job }} cannot be scraped",
                    description="Prometheus gets no figures from {{ if $labels.instance }}{{ $labels.instance }}"
                    "{{ else }}any target{{ end }} of {{ $labels.job }}: it is down, or cannot be reached.",
                ),
                Alert(
                    name="Watchdog",
                    expr="vector(1)",
                    severity=Severity.NONE,
                    fires="always: its absence means that alerts do not arrive",
                    summary="Alerting works",
                    description="This alert always fires. Whoever waits for it should be told when it stops coming.",
                ),
                Alert(
                    name="InfoInhibitor",
                    expr=f"{info} == 1\nunless on (job) {worse}",
                    severity=Severity.NONE,
                    fires="a job has alerts of severity info alone: Alertmanager holds those back while this fires",
                    summary="{{ $labels.job }} has nothing worse than advice",
                    description="Only alerts of severity info fire for {{ $labels.job }}; they are held back until"
                    " something worse joins them.",
                ),
            ),
            fast=True,
        ),
    )


def _kit(config: Thresholds) -> tuple[Alert, ...]:
    """What the kit says of itself: something is missing or wrong, and the program works all the same."""
    failures = _growing(self_metrics.COLLECT_FAILURES, "5m")
    folds = _growing(self_metrics.LABEL_FOLDS, "15m")
    settings, web_config = (
        by(TARGET, lately("min", select(successful), config.lookback), "min")
        for successful in (self_metrics.CONFIG_RELOAD_SUCCESSFUL, self_metrics.SERVER_CONFIG_RELOAD_SUCCESSFUL)
    )
    return (
        Alert(
            name="CollectorFailing",
            expr=failures,
            severity=Severity.WARNING,
            fires="a collector raised while it was read, so its series are missing",
            summary=f"Collector {told('manometer.collector.name')} of {told('job')} fails",
            description=f"Collector {told('manometer.collector.name')} on {told('instance')} failed"
            ' {{ $value | printf "%.0f" }} times in five minutes; its series are missing from those scrapes.',
        ),
        Alert(
            name="LabelValuesFolded",
            expr=folds,
            severity=Severity.INFO,
            fires="a family is at its cap of series, and new label values are counted as `other`",
            summary=f"Label values of {told('manometer.family.name')} of {told('job')} are folded",
            description=f"{told('manometer.family.name')} on {told('instance')} has as many series as it may;"
            " new label values are counted under 'other'.",
        ),
        Alert(
            name="SettingsRefused",
            expr=f"{settings} == 0",
            severity=Severity.WARNING,
            fires="settings that were read again are wrong, so the old ones still hold",
            summary=f"New settings of {told('job')} are refused",
            description=f"{told('instance')} of {told('job')} runs with its old settings: those that it was"
            " last told to read are wrong. Its next start would fail.",
        ),
        Alert(
            name="WebConfigRefused",
            expr=f"{web_config} == 0",
            severity=Severity.WARNING,
            fires="a web configuration or certificate that has changed is wrong, so the old one is in force",
            summary=f"The web configuration of {told('job')} is refused",
            description=f"The exporter of {told('instance')} of {told('job')} goes by its old certificate,"
            " users and headers: its web configuration file or a certificate has changed, and is wrong."
            " Its next start would fail.",
        ),
    )


def _growing(counter: MetricSpec, window: str) -> str:
    """What the counter grew by, where it did. Its series begin with their first event, which no increase shows."""
    labels = (*TARGET, *counter.attributes)
    began = f"{by(labels, select(counter))} > 0\nunless {by(labels, f'{select(counter)} offset {window}')}"
    return either(
        f"{by(labels, increase(select(counter), window))} > 0",
        f"({both(began, f'on (job, instance) {KNOWN} offset {window}')})",
    )


def _down(config: Thresholds) -> str:
    """The targets that cannot be scraped, of those that are ours to watch, and the named jobs without any."""

    def seen(matchers: Mapping[str, str]) -> str:
        return f"{by(TARGET, over('max', select('up', matchers), config.lookback), 'max')} == 0"

    named = [seen({"job": any_of(config.jobs)})] if config.jobs else []
    gone = [f"absent({select('up', {'job': job})})" for job in config.jobs]
    return either(both(seen({}), f"on (job, instance) {KNOWN}"), *named, *gone)


def thresholds(alerts: Iterable[Alert]) -> Group:
    """The thresholds that the alerts compare with, as series, so that panels can draw them."""
    return Group(
        "thresholds",
        tuple(
            Record(
                f"manometer:threshold:{alert.threshold.unit}",
                f"vector({alert.threshold.value:.9g})",
                {"alert": alert.name},
            )
            for alert in alerts
            if alert.threshold is not None
        ),
    )
