"""How long a condition lasts before its alert fires, and how long the alert goes on, by alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from manometer.mixin.thresholds.duration import Duration

__all__ = ["Timing", "timings"]


@dataclass(frozen=True, slots=True)
class Timing:
    """hold: how long a condition must last before its alert fires (Prometheus's `for`); keep: `keep_firing_for`."""

    hold: Duration
    keep: Duration = field(default=Duration("0s"))


def timings() -> Mapping[str, Timing]:
    """The holding times of every alert, or of each variant of one."""

    def after(hold: str, keep: str = "0s") -> Timing:
        return Timing(Duration(hold), Duration(keep))

    return MappingProxyType(
        {
            "BreakerOpen": after("1m"),
            "CacheHitRatioLow": after("6m", keep="2m"),  # a cache that fills after a start is no fault
            "CacheTooLarge": after("15m", keep="1h"),
            "CacheTooSmall": after("15m", keep="1h"),
            "CacheUseless": after("15m", keep="1h"),
            "CollectorFailing": after("2m", keep="5m"),
            "ContainerMemoryHigh.hard": after("1m", keep="2m"),
            "ContainerMemoryHigh.soft": after("2m", keep="5m"),
            "CrashLooping.program": after("0s", keep="5m"),
            "CrashLooping.workers": after("0s", keep="5m"),
            "CpuHigh": after("5m", keep="2m"),
            "EngineErrorBudgetBurn.fast": after("2m", keep="2m"),
            "EngineErrorBudgetBurn.slow": after("15m", keep="15m"),
            "EngineLatencyHigh": after("2m", keep="2m"),
            "ErrorBudgetBurn.fast": after("2m", keep="2m"),
            "ErrorBudgetBurn.slow": after("15m", keep="15m"),
            "EventLoopLagHigh": after("1m", keep="2m"),
            "GcPolicyCostly": after("15m", keep="1h"),
            "HealthCheckFailing": after("1m"),
            "InfoInhibitor": after("0s", keep="1m"),
            "LabelValuesFolded": after("5m", keep="15m"),
            "MemoryHigh": after("2m", keep="2m"),
            "MemoryLeak": after("15m", keep="15m"),
            "ObjectiveWithoutData": after("15m", keep="5m"),
            "PoolExhaustionForecast": after("5m", keep="5m"),
            "PoolSaturated": after("2m", keep="2m"),
            "PoolTimeouts": after("1m", keep="2m"),
            "PoolTooLarge": after("15m", keep="1h"),
            "PoolTooSmall": after("15m", keep="1h"),
            "PoolWaitHigh": after("2m", keep="2m"),
            "PrefetchUseless": after("15m", keep="1h"),
            "QueueRefusals": after("1m", keep="2m"),
            "QueueSaturated": after("2m", keep="2m"),
            "QueueWaitHigh": after("2m", keep="2m"),
            "RetriesExhausted": after("2m", keep="2m"),
            "SettingsRefused": after("5m"),
            "SignalUnusual": after("10m", keep="10m"),
            "StageStuck": after("1m"),
            "StageWorthCaching": after("15m", keep="1h"),
            "TargetDown": after("1m"),
            "TelemetryLost": after("10m", keep="5m"),
            "Watchdog": after("0s"),
            "WebConfigRefused": after("5m"),
        }
    )
