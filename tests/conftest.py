"""What every test may ask for."""

import pytest
from prometheus_client import CollectorRegistry

from manometer.meters import collect


class Figures:
    """A registry of its own, and what a collection of it says."""

    def __init__(self):
        self.registry = CollectorRegistry()

    def __call__(self, name, **labels):
        """The value of the one sample of that name that has at least these labels; None for none."""
        found = [
            sample.value
            for family in collect(self.registry)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) < 2, f"{name}{labels} is not one series"
        return found[0] if found else None

    def all(self, name, label):
        """The values of all samples of that name, by one of their labels."""
        return {
            sample.labels[label]: sample.value
            for family in collect(self.registry)
            for sample in family.samples
            if sample.name == name
        }


@pytest.fixture
def figures():
    """An empty registry; calling it collects."""
    return Figures()
