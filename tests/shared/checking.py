"""Health checks whose clock and threads a test has in its hands."""

from holding import StillClock
from manometer.health import Check, Checks

__all__ = ["Rig"]


class Rig:
    """Checks on a registry, with a clock and threads under the test's control."""

    def __init__(self, registry):
        self.registry = registry
        self.clock = StillClock()
        self.clock.now = 100.0
        self.spawned = []
        self.checks = Checks(self.clock, self.spawned.append)
        registry.register(self.checks)

    def add(self, name, function=lambda: None, **settings):
        return self.checks.add(Check(self.checks, name, function, **settings))

    def run(self):
        """Run what is due, to its end."""
        self.checks.run_due()
        while self.spawned:
            self.spawned.pop(0)()
