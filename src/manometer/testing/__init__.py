"""What tests of instrumented programs, and of adapters, need. Nothing here imports pytest but `testing.fixtures`."""

from manometer.testing.clock import ManualClock
from manometer.testing.figures import Changes, Figures

__all__ = ["Changes", "Figures", "ManualClock"]
