"""How a figure is kept: meters with prometheus-client's interface, and what a collection of them reads."""

from manometer.meters.counter import Counter
from manometer.meters.gauge import Gauge
from manometer.meters.histogram import Histogram
from manometer.meters.meter import Meter

__all__ = ["Counter", "Gauge", "Histogram", "Meter"]
