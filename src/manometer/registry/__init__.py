"""What a registry has: meters, beside them what is measured of themselves, and one guarded collection of it all."""

from manometer.meters import Counter, Gauge, Histogram
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Counter", "Gauge", "Histogram", "SelfMetrics"]
