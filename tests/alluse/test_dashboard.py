"""The application's own dashboard: written anew, of its own figures, in the manner of the kit's."""

import json
import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from alluse.dashboard import dashboard
from alluse.faults import Faults
from alluse.metrics import Metrics
from alluse.trust import HITLTrustSystem
from manometer.dashboards import written

COMMITTED = Path(__file__).parents[2] / "compose" / "grafana" / "dashboards" / "alluse.json"


def shown():
    """The names of the application's own series that the panels read."""
    expressions = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    return set(re.findall(r"alluse_[a-z_]+", " ".join(expressions)))


def panels():
    """What is written, panel by panel."""
    return json.loads(written(dashboard()))["panels"]


def test_the_committed_file_is_what_is_written():
    """`make mixin` after a change, and commit what it wrote."""
    assert COMMITTED.read_text() == written(dashboard())


def test_every_figure_of_the_application_is_on_a_panel():
    """A renamed metric breaks this test, and not the dashboard."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, HITLTrustSystem(None, patience=1), Faults())
    names = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in registry.collect()
        if family.name.startswith("alluse_")
    }
    metrics.close()
    assert shown() == names


def test_it_is_one_of_the_kit_s_dashboards_to_look_at():
    """Its links lead to them, and theirs to it."""
    board = json.loads(written(dashboard()))
    assert board["uid"] == "manometer-alluse"
    assert board["tags"] == ["manometer"]
    assert next(panel["title"] for panel in board["panels"] if panel["type"] == "row") == "Is it well?"
