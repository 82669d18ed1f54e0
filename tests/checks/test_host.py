"""Checks of memory, disk and processor: of the container where it has limits, of the host elsewhere."""

import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from holding import StillClock
from manometer.checks import cpu, disk, memory
from manometer.checks.host import Processor
from manometer.errors import BindingError, UnsupportedError
from manometer.health import Finding
from manometer.instrumentation.runtime.cgroups import own_cgroups


class Times(NamedTuple):
    """What a processor spent its seconds on."""

    user: float
    system: float
    idle: float
    iowait: float
    guest: float


class Usage(NamedTuple):
    """Of a disk."""

    total: int
    used: int
    free: int


MIB = 1 << 20


def _cgroup(folder, **files):
    """Write a folder as the kernel shows one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{text}\n")
    return folder


def _none():
    """A host without cgroups."""
    return []


def test_memory_of_a_container_is_what_its_limit_leaves(tmp_path):
    """95 of 100 MiB are used, of which the kernel can drop 10 at once."""
    _cgroup(tmp_path, memory_max=100 * MIB, memory_current=95 * MIB, memory_stat=f"anon 1\ninactive_file {10 * MIB}")
    found = memory(cgroups=lambda: [tmp_path])()
    assert found == Finding(None, 85.0, "percent", "utilization")
    (tmp_path / "memory.current").write_text(str(101 * MIB))
    assert memory(cgroups=lambda: [tmp_path])().problem == "91.0% of the container's memory is used, over 90%"


def test_the_tightest_limit_counts(tmp_path):
    """A pod may have less left than its container."""
    pod = _cgroup(tmp_path / "pod", memory_max=100 * MIB, memory_current=99 * MIB)
    container = _cgroup(
        pod / "container", memory_max=80 * MIB, memory_current=40 * MIB, memory_stat="inactive_file 0"
    )
    for each in (pod, container):
        _cgroup(each, memory_stat="inactive_file 0")
    assert memory(cgroups=lambda: [container, pod, tmp_path])().value == 99.0


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory_max": "max", "memory_current": 5, "memory_stat": "inactive_file 0"},
        {"memory_max": "nonsense", "memory_current": 5, "memory_stat": "inactive_file 0"},
        {"memory_max": 0, "memory_current": 5, "memory_stat": "inactive_file 0"},
        {"memory_max": 5},
    ],
)
def test_without_a_limit_memory_is_the_host_s(tmp_path, files):
    """Also where the files say nothing that can be read."""
    _cgroup(tmp_path, **files)
    found = memory(1.0, cgroups=lambda: [tmp_path])()
    assert found.problem is None
    assert 0 < found.value <= 100
    assert memory(1e-9, cgroups=lambda: [tmp_path])().problem.endswith("of the host's memory is used, over 0%")


def test_the_disk_of_a_path_is_checked(tmp_path, monkeypatch):
    """The path as it was, whatever folder the program goes to; what is kept for root is no part of it."""
    seen = []
    monkeypatch.setattr("shutil.disk_usage", lambda path: seen.append(path) or Usage(1000, 455, 45))
    monkeypatch.chdir(tmp_path)
    check = disk("data")
    monkeypatch.chdir("/")
    assert check() == Finding(
        f"91.0% of the disk of {tmp_path / 'data'} is used, over 90%", 91.0, "percent", "utilization"
    )
    assert seen == [tmp_path / "data"]


def test_a_disk_of_this_machine_is_read(tmp_path):
    """For real; a path that is not there is an error that says so."""
    assert 0 <= disk(tmp_path, 1.0)().value <= 100
    with pytest.raises(FileNotFoundError):
        disk(tmp_path / "none")()


def test_processor_is_judged_by_a_second_or_more():
    """A moment after the start there is nothing to say, however busy that moment was."""
    clock = StillClock()
    readings = iter([Times(10, 5, 100, 1, 9), Times(20, 8, 100, 1, 9)])
    processor = Processor(0.9, times=lambda: next(readings), cgroups=_none, clock=clock)
    clock.now += 0.005
    assert processor() == Finding()
    clock.now += 0.995
    assert processor() == Finding("100.0% of the processor is used, over 90%", 100.0, "percent", "utilization")


def test_processor_is_judged_by_what_came_since_the_last_reading():
    """Waiting for a disk is idle, and a guest's time counts once."""
    clock = StillClock()
    readings = iter(
        [Times(0, 0, 0, 0, 0), Times(95, 0, 4, 1, 95), Times(184, 0, 15, 1, 184), Times(184, 0, 15, 1, 184)]
    )
    processor = Processor(0.9, times=lambda: next(readings), cgroups=_none, clock=clock)
    told = []
    for _ in range(3):
        clock.now += 30
        told.append(processor().value)
    assert told == [95.0, 89.0, 0.0]


def test_processor_of_a_container_is_what_its_quota_leaves(tmp_path):
    """Half a processor, of which 14 seconds were used in half a minute; the pod's two have hardly been."""
    clock = StillClock()
    pod = _cgroup(tmp_path / "pod", cpu_max="200000 100000", cpu_stat="usage_usec 1000000\nuser_usec 5")
    container = _cgroup(pod / "container", cpu_max="50000 100000", cpu_stat="usage_usec 1000000\nuser_usec 5")
    processor = Processor(0.9, times=None, cgroups=lambda: [container, pod, tmp_path], clock=clock)
    for each in (pod, container):
        _cgroup(each, cpu_stat="usage_usec 15000000\nuser_usec 5")
    clock.now += 30
    assert processor().problem == "93.3% of the processor is used, over 90%"
    clock.now += 30
    assert processor() == Finding(None, 0.0, "percent", "utilization")


def test_a_quota_that_changes_begins_anew(tmp_path):
    """Seconds of one quota say nothing of another's."""
    clock = StillClock()
    _cgroup(tmp_path, cpu_max="50000 100000", cpu_stat="usage_usec 1000000")
    processor = Processor(0.9, times=None, cgroups=lambda: [tmp_path], clock=clock)
    _cgroup(tmp_path, cpu_max="100000 100000", cpu_stat="usage_usec 2000000")
    clock.now += 30
    assert processor() == Finding()
    _cgroup(tmp_path, cpu_stat="usage_usec 5000000")
    clock.now += 30
    assert processor().value == 10.0


def test_a_container_without_a_quota_has_the_host_s_processors(tmp_path):
    """`max` is no quota."""
    clock = StillClock()
    _cgroup(tmp_path, cpu_max="max 100000", cpu_stat="usage_usec 1000000")
    readings = iter([Times(0, 0, 0, 0, 0), Times(50, 0, 50, 0, 0)])
    processor = Processor(0.9, times=lambda: next(readings), cgroups=lambda: [tmp_path], clock=clock)
    clock.now += 30
    assert processor().value == 50.0


def test_memory_and_processor_of_this_machine_are_read():
    """By whatever it tells."""
    assert memory()().value > 0
    assert cpu()() == Finding()  # it was made a moment ago


@pytest.mark.parametrize(
    ("line", "made", "found"),
    [
        ("0::/", ["."], ["."]),
        ("1:cpu:/x\n0::/pod/container", ["pod/container"], ["pod/container", "pod", "."]),
        ("0::/of/the/host", ["."], ["."]),
        ("0::/../../elsewhere", ["."], ["."]),
        ("1:cpu:/x", ["."], None),
        (None, ["."], None),
    ],
)
def test_the_cgroups_of_a_process_are_found(tmp_path, line, made, found):
    """From its own to the root; a container may see its own alone, under a path that is not there."""
    mounted, own = tmp_path / "cgroup", tmp_path / "own"
    for each in made:
        (mounted / each).mkdir(parents=True)
    if line is not None:
        own.write_text(f"{line}\n")
    assert own_cgroups(mounted, own) == [] if found is None else [mounted / each for each in found]


@pytest.mark.parametrize("at_most", [0, -0.1, 1.1, 90, float("nan")])
@pytest.mark.parametrize("make", [memory, cpu, lambda at_most: disk(".", at_most)])
def test_a_share_that_is_none_is_refused(make, at_most):
    """90 is no share."""
    with pytest.raises(BindingError, match=r"pass a share over 0 and up to 1, such as 0\.9"):
        make(at_most)


@pytest.mark.parametrize(("make", "what"), [(memory, "memory"), (cpu, "processor")])
def test_where_psutil_cannot_be_loaded_the_check_says_so(make, what, monkeypatch):
    """As in a subinterpreter; a disk needs none."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(UnsupportedError, match=f"the {what} cannot be checked: psutil cannot be loaded here"):
        make()
    assert disk()().value >= 0


def test_importing_the_checks_is_light():
    """What is slow to import waits until a check needs it."""
    script = "import sys, manometer.checks; print({'psutil', 'asyncio', 'sqlalchemy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "set()\n"
