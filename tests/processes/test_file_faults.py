"""What goes wrong with the files of a group is counted each time, and logged once until it is well again."""

import logging
import struct
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.values import MultiProcessValue

from collected import collect
from manometer import Counter
from manometer.processes import Worker, group_registry, prometheus_files
from manometer.processes.file_faults import Faults
from manometer.processes.prometheus_files import families_of_files
from manometer.registry.self_metrics import SelfMetrics


@pytest.fixture
def faults(figures):
    """The faults of a process that has met none; `figures` has their counts."""
    return Faults(SelfMetrics.of(figures.registry))


def logged(caplog):
    """What the log has, without the words of exceptions."""
    return [record.getMessage() for record in caplog.records]


def test_only_so_many_files_are_logged(faults, figures, caplog):
    """Each once; past a hundred they are only counted."""
    for number in [*range(105), *range(105)]:
        faults.unreadable(Path(f"/group/{number}"), ValueError("odd"))
    assert logged(caplog) == [f"/group/{number} is left out of the figures: odd" for number in range(100)]
    assert figures("manometer_process_file_failures_total", manometer_process_file_operation="read") == 210


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(faults, figures, caplog):
    """With its place, however often it fails in between; the next one anew."""
    caplog.set_level(logging.INFO, "manometer")
    for _ in range(2):
        for _ in range(3):
            try:
                raise OSError(28, "No space left on device")
            except OSError as error:
                faults.unwritten(Path("/group"), error)
        for _ in range(2):
            faults.written(Path("/group"))
    full = "[Errno 28] No space left on device"
    begins = f"figures cannot be written to /group ({full}); they go on in memory until they can"
    assert logged(caplog) == [begins, "figures are written to /group again", begins]
    assert caplog.records[0].exc_info[0] is OSError
    assert figures("manometer_process_file_failures_total", manometer_process_file_operation="write") == 6


def test_a_fault_of_ours_is_logged_while_the_disk_is_full_too(faults, caplog):
    """The one says what to do about the disk, the other what is wrong in here."""
    for error in (OSError(28, "No space left on device"), KeyError("ours"), OSError(5, "Input/output error")):
        try:
            raise error
        except Exception as caught:
            faults.unwritten(Path("/group"), caught)
    assert [record.exc_info[0] for record in caplog.records] == [OSError, KeyError]


def test_faults_are_untold_until_figures_are_written(faults):
    """What the files say already is not said again."""

    def untold():
        return {operation: reading.total for family in faults.untold() for (operation,), reading in family.series}

    assert untold() == {}
    faults.unreadable(Path("/group/1"), ValueError("odd"))
    faults.unwritten(Path("/group"), OSError("full"))
    assert untold() == {"read": 1, "write": 1}
    faults.written(Path("/group"))
    assert untold() == {}
    faults.unwritten(Path("/group"), OSError("full"))
    assert untold() == {"write": 1}


def test_a_family_that_this_process_cannot_show_loses_only_itself(tmp_path, monkeypatch, caplog):
    """As where another process allows for more in a name; it is counted, and logged once."""
    registries = [CollectorRegistry() for _ in range(2)]
    Counter("ä", "Help.", registry=registries[0]).inc()
    Counter("c", "Help.", registry=registries[1]).inc()
    other, worker = (Worker.of(registry, str(tmp_path)) for registry in registries)
    other.flush()
    monkeypatch.setattr("prometheus_client.validation._legacy_validation", True)
    for _ in range(2):
        found = {s.name: s.value for metric in collect(group_registry(worker)) for s in metric.samples}
    assert found["c_total"] == 1
    assert "ä_total" not in found
    assert found["manometer_collect_failures_total"] == 1
    assert logged(caplog) == ["the adding up of 'ä' failed; its series are missing until it works again"]


def test_a_file_of_prometheus_client_that_went_away_is_no_fault(tmp_path, monkeypatch):
    """It was listed, and its process has tidied it up; a damaged one beside it is told of."""
    monkeypatch.setattr("prometheus_client.values.ValueClass", MultiProcessValue(lambda: 1))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    prometheus_client.Counter("c", "Help.", registry=None).inc(2)
    (tmp_path / "counter_2.db").write_bytes(struct.pack("ii", 100, 0) + b"\x01" * 100)
    (tmp_path / "counter_3.db").touch()
    opened = prometheus_files.regular

    def too_late(path):
        (tmp_path / "counter_3.db").unlink(missing_ok=True)
        return opened(path)

    monkeypatch.setattr(prometheus_files, "regular", too_late)
    told = []
    (family,) = families_of_files([tmp_path], lambda path, _: told.append(path.name))
    assert [reading.total for _, reading in family.series] == [2]
    assert told == ["counter_2.db"]
