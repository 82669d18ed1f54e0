"""The rules read no more samples of an instance than the committed counts say."""

import importlib.util
import json
from pathlib import Path

import pytest

from fleet.instance import series
from fleet.reach import groups, reaches
from fleet.samples import count
from manometer.catalogue import SUBJECTS, Kind

HERE = Path(__file__).parent
COUNTS = HERE / "samples.json"
MORE = 0.01  # of what is committed: Prometheus 2 and 3 differ by the sample at the end of a range


@pytest.fixture(scope="module")
def read():
    """What each group reads now."""
    return {name: samples._asdict() for name, samples in count().items()}


@pytest.mark.servers
def test_no_group_reads_more_samples_than_before(read):
    """Where it is worth that, `python tests/scale/run.py --samples` commits the new counts."""
    kept = json.loads(COUNTS.read_text())
    assert kept.keys() == read.keys()
    worse = {
        f"{name}: {part}": (kept[name][part], figure)
        for name, samples in read.items()
        for part, figure in samples.items()
        if figure - kept[name][part] > MORE * abs(kept[name][part])
    }
    assert worse == {}


def test_an_instance_has_what_the_rules_read_of_it():
    """So that the renaming of a metric does not make its rules cost nothing here."""
    there = {each.labels["__name__"] for each in series()}
    native = {row.prometheus_name for rows in SUBJECTS.values() for row in rows if row.kind is Kind.HISTOGRAM}
    read = {
        name for name in reaches(rule["expr"] for group in groups() for rule in group["rules"]) if ":" not in name
    }
    assert read - there - native <= ABSENT
    assert there <= read


ABSENT = {
    *("ALERTS", "up"),
    *("manometer_label_folds_total", "manometer_log_failures_total"),
    *("manometer_otlp_log_records_total", "manometer_otlp_points_total", "manometer_otlp_spans_total"),
    "manometer_server_config_last_reload_successful",
    *("container_memory_available_bytes", "container_memory_working_set_bytes"),
}
"""What is Prometheus's own, or has no series: nothing was folded or lost, no web configuration, and no container."""


def test_the_table_adds_up():
    """The share of all is that of the groups together."""
    spec = importlib.util.spec_from_file_location("costs", HERE / "costs.py")
    costs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(costs)
    group = {"interval": 30, "rules": 2, "seconds": 1.5}
    told = costs.table({"instances": 1000, "series": 500, "groups": {"a": group, "b": group}})
    assert "| all | 4 |  |  | **10.0%** |" in told.splitlines()
