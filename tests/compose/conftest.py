"""The files of compose/, read."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


class Files:
    """compose.yaml and what it mounts."""

    root = ROOT
    folder = ROOT / "compose"

    def __init__(self):
        self.compose = self.read("compose.yaml")
        self.services = self.compose["services"]

    def read(self, name):
        """A YAML file of the folder."""
        return yaml.safe_load((self.folder / name).read_text(encoding="utf-8"))

    def mounts(self, service):
        """Each bind mount and volume of a service: what is mounted, and where."""
        return [tuple(each.split(":")[:2]) for each in self.services[service].get("volumes", [])]


@pytest.fixture(scope="session")
def files():
    """The files of compose/."""
    return Files()
