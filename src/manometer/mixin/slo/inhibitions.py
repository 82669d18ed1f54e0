"""Alertmanager's inhibitions: what a service's own pages are held back for, as the cause is elsewhere."""

from collections.abc import Iterable, Iterator

from manometer.mixin.promql import any_of, matcher
from manometer.mixin.slo.service import Service

__all__ = ["SYMPTOMS", "inhibitions"]

SYMPTOMS = (
    "BreakerOpen",
    "EngineErrorBudgetBurn",
    "EngineLatencyHigh",
    "HealthCheckFailing",
    "PoolSaturated",
    "PoolTimeouts",
    "PoolWaitHigh",
    "QueueRefusals",
    "QueueSaturated",
    "QueueWaitHigh",
    "RetriesExhausted",
    "StageStuck",
)
"""The alerts of a job that what it depends on can cause. What it does to itself, such as a leak, is told as ever."""

_OBJECTIVES = "ErrorBudgetBurn"


def inhibitions(services: Iterable[Service], cluster_label: str = "") -> dict[str, object]:
    """The `inhibit_rules` of Alertmanager's configuration.

    While a page is out for what a service depends on, by the label `service` or by the label `job`, the service's
    burn rates and the symptoms of its jobs are held back. Once that page ends, what still fires is told.
    cluster_label: the label that tells clusters apart, if any: a page of one holds nothing back in another.
    """
    within = {"equal": [cluster_label]} if cluster_label else {}
    return {"inhibit_rules": [{**rule, **within} for each in services for rule in _dependent(each)]}


def _dependent(service: Service) -> Iterator[dict[str, object]]:
    if not service.depends_on:
        return
    for label in ("service", "job"):
        for target, alerts in (
            (matcher("service", service.name), matcher("alertname", _OBJECTIVES)),
            (matcher("job", any_of(service.jobs)), matcher("alertname", any_of(SYMPTOMS))),
        ):
            causes = [matcher(label, any_of(service.depends_on)), matcher("severity", "critical")]
            yield {"source_matchers": causes, "target_matchers": [target, alerts]}
