"""Each fault, and what it has to raise: what the run and the tests go by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fault_matrix.subjects import Alluse, CrashLoop, Gunicorn, Killed, Program

__all__ = ["FAULTS", "THRESHOLDS", "Fault"]

THRESHOLDS = {"runtime": {"lag_ratio": 0.5}}
"""What differs from the defaults, as in `manometer mixin --config`: on a full machine every loop runs late."""


@dataclass(frozen=True)
class Fault:
    """name: of the job. does: what is wrong, for people. subject: makes the program, with arguments and options.

    page, ticket, advice: the alerts that have to be raised, those of severity critical, warning and info.
    pace: how many times as fast as that of other faults its clock goes, where alerts look back for hours.
    cpu_cores: the threshold of CpuHigh where it differs from the default. A full machine gives no whole processor.
    """

    name: str
    does: str
    subject: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    page: tuple[str, ...] = ()
    ticket: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    pace: int = 1
    cpu_cores: float | None = None

    @property
    def alerts(self):
        """What fires, with the severity."""
        told = {"critical": self.page, "warning": self.ticket, "info": self.advice}
        return {(severity, alert) for severity, alerts in told.items() for alert in alerts}


def _alluse(fault, rate, does, load=5, environ=None, **told):
    return Fault(fault, f"ALL-USE: {does}", Alluse, (fault, rate), {"load": load, "environ": environ}, **told)


def _program(trouble, does, **told):
    return Fault(trouble, does, Program, (trouble,), **told)


FAULTS = (
    Fault("well", "ALL-USE, nothing is wrong", Alluse),
    _alluse("slow-broker", 1.0, "the broker takes half a second longer", ticket=("EngineLatencyHigh",)),
    _alluse("failing-broker", 1.0, "the broker breaks off every order", page=("BreakerOpen",)),
    _alluse("exhausted-pool", 1.0, "something else holds all connections", page=("PoolTimeouts",)),
    _alluse("cold-cache", 1.0, "nothing is found in the cache", ticket=("CacheHitRatioLow",)),
    _alluse("leaking-memory", 0.2, "the process takes 3 MB a second", ticket=("MemoryHigh",)),
    _alluse("stalled-loop", 0.9, "the event loop is blocked nine tenths of the time", ticket=("EventLoopLagHigh",)),
    _alluse("stuck-human", 1.0, "nobody answers what has to be approved", ticket=("StageStuck",)),
    _alluse(
        *("slow-human", 1.0, "each approval takes half a minute longer"),
        load=40,
        environ={"ALLUSE_APPROVALS_WAITING": "2"},  # as questions are few
        page=("QueueRefusals",),
        ticket=("StageStuck",),
    ),
    Fault("crash-loop", "ALL-USE ends soon after each start", CrashLoop, (3.0,), page=("CrashLooping",)),
    Fault("gone", "ALL-USE is gone", Killed, page=("TargetDown",)),
    Fault("gunicorn", "gunicorn, three workers: too few connections", Gunicorn, (2.0,), page=("PoolTimeouts",)),
    _program("crashing-workers", "forked workers are killed again and again", ticket=("CrashLooping",)),
    _program("busy", "the program computes without a pause", ticket=("CpuHigh",), cpu_cores=0.05),
    _program("check", "a check that is not critical fails", ticket=("HealthCheckFailing",)),
    _program("collector", "a collector raises", ticket=("CollectorFailing",)),
    _program("labels", "a label has ever new values", advice=("LabelValuesFolded",)),
    _program("full-pool", "all places of a pool are taken", ticket=("PoolSaturated",)),
    _program("crowded-pool", "many come for a pool's places at the same moment", ticket=("PoolWaitHigh",)),
    _program("full-queue", "a queue is nearly full", ticket=("QueueSaturated",)),
    _program("slow-queue", "the items of a queue are taken too slowly", ticket=("QueueWaitHigh",)),
    _program("retries", "a call fails however often it is tried", ticket=("RetriesExhausted",)),
    _program("stage", "a stage fails, and nothing else tells why", page=("EngineErrorBudgetBurn",)),
    _program("promised-stage", "the same, and a service promises that it works", page=("ErrorBudgetBurn",)),
    _program("settings", "the settings are read again, and are wrong", ticket=("SettingsRefused",)),
    _program("web-config", "the web configuration has become wrong", ticket=("WebConfigRefused",)),
    _program("filling-pool", "a pool is a little fuller each minute", ticket=("PoolExhaustionForecast",), pace=6),
    Fault(
        *("slow-leak", "ALL-USE: the process takes 32 kB a second", Alluse, ("leaking-memory", 0.002)),
        ticket=("MemoryLeak",),
        pace=6,
    ),
)
"""What there is to go wrong. Beyond these alerts, none of severity critical or warning may fire."""
