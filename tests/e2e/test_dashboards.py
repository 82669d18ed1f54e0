"""Every query of every dashboard has data: finite, within its unit's range, with the labels that its legend names.

They run against ALL-USE with some of its faults on, a program of two processes that has every trouble of the kit
itself, and one whose histograms are native.
"""

import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from alluse.inbox import Inbox
from alluse.stack import Stack, missing_programs
from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FILES = [*(ROOT / "dashboards").glob("*.json"), *(ROOT / "compose" / "grafana" / "dashboards").glob("*.json")]
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FILES)}

# What Grafana puts in the place of its own variables, with a second between scrapes.
VARIABLES = {"__rate_interval": "20s", "__interval": "15s", "__range": "1h", "__range_s": "3600"}

# The least and the greatest value that makes sense in a unit.
RANGES = {
    "Bps": (0, None),
    "bytes": (0, None),
    "decbytes": (0, None),
    "iops": (0, None),
    "none": (0, None),
    "ops": (0, None),
    "percentunit": (0, 1),
    "reqps": (0, None),
    "s": (0, None),
    "short": (0, None),
    "suffix: cores": (0, None),
}

UNSEEN = {
    "job:manometer_signal:": "analytics need days of figures, which tests/analytics/test_board.py has",
    "pool_idle_minimum": "no library that the kit has an adapter for tells it; an adapter of others may",
    "manometer_server_shortages_total": "an exporter that lacks nothing",
}
"""The series without which a query has no data here, each with the reason."""


def panels(rows):
    """The panels in their order, those of collapsed rows too."""
    for panel in rows:
        yield panel
        yield from panels(panel.get("panels", []))


def targets(*names):
    """Every query of every dashboard, or of these."""
    for name, board in DASHBOARDS.items():
        for panel in panels(board["panels"]) if name in names or not names else ():
            for target in panel.get("targets", []):
                identity = re.sub(r"\W+", "_", f"{name}-{panel['title']}-{target['refId']}")
                yield pytest.param(name, panel, target, id=identity)


def substituted(promql, values):
    """The expression with its variables replaced."""
    return re.sub(r"\$\{?(\w+)(?::\w+)?\}?", lambda found: values[found[1]], promql)


@functools.cache
def everything(name):
    """What Grafana puts in the place of a dashboard's variables where all is chosen."""
    listed = DASHBOARDS[name]["templating"]["list"]
    return VARIABLES | {each["name"]: each["allValue"] for each in listed if each["type"] == "query"}


@contextmanager
def program(name, *arguments):
    """The address of the exporter of a program of this folder, which runs until the end of the block."""
    command = [sys.executable, str(HERE / name), *arguments]
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            url = running.stdout.readline().strip()
            said.seek(0)
            assert url, said.read()
            yield url.removeprefix("http://")
        finally:
            running.terminate()
            running.wait(DEADLINE)
            running.stdout.close()


def checkout(folder, jobs):
    """The stack's files with more to scrape, each job with its targets, and native histograms."""
    shutil.copytree(ROOT / "compose", folder / "compose")
    config = folder / "compose" / "prometheus" / "prometheus.yml"
    content = yaml.safe_load(config.read_text())
    for job, addresses in jobs.items():
        content["scrape_configs"].append({"job_name": job, "static_configs": [{"targets": addresses}]})
    config.write_text(yaml.safe_dump(content))
    services = folder / "compose" / "compose.yaml"
    content = yaml.safe_load(services.read_text())
    content["services"]["prometheus"]["command"].append("--enable-feature=exemplar-storage,native-histograms")
    services.write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="module")
def watched(engine_process, world_of, span_sink):
    """ALL-USE, not quite well, and the other two programs, seen by a Prometheus of their own."""
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="manometer-boards-")))
        (folder / "exhibit").mkdir()
        spans = span_sink()
        started.callback(spans.close)
        faults = ("--fault", "failing-broker=0.3", "--fault", "exhausted-pool=0.2")
        engine = engine_process(folder, "--otlp", spans.url, "--rate", "40", *faults)
        started.callback(engine.stop)
        jobs = {
            "exhibit": [started.enter_context(program("exhibit.py", str(folder / "exhibit")))],
            "native": [started.enter_context(program("native.py"))],
        }
        inbox = started.enter_context(Inbox(port=0, heard=lambda alert: None, refused=lambda what: None))
        root = checkout(folder, jobs)
        stack = started.enter_context(Stack(root, engine=engine.address, inbox=inbox.address, every=1))
        world = world_of(engine, spans, stack, inbox)
        for job in ("alluse", *jobs):
            until(lambda job=job: world.query(f'up{{job="{job}"}} == 1'), lambda job=job: f"no scrape of {job}")
        yield world


def answer(world, target, values):
    """The series of a query: now, for what shows the present alone, or of the last minute."""
    promql = substituted(target["expr"], values)
    return world.query(promql) if target.get("instant") else world.query_past(promql)


def test_there_are_dashboards():
    """A test over nothing would pass."""
    assert len(list(targets())) >= 200


def test_all_targets_are_those_with_manometer(watched):
    """Prometheus's and Alertmanager's own are scraped too, and would stay up when the engine is down."""
    [up] = [each for each in panels(DASHBOARDS["fleet"]["panels"]) if each["title"] == "Targets up by job"]
    found = watched.query(substituted(up["targets"][0]["expr"], everything("fleet")))
    assert {each.labels["job"] for each in found} == {"alluse", "exhibit", "native"}


@pytest.mark.parametrize(("name", "panel", "target"), list(targets()))
def test_a_panel_has_sensible_data(watched, eventually, name, panel, target):
    """The query returns series, all finite, in the range of the unit, each with the labels that the legend names."""
    if any(each in target["expr"] for each in UNSEEN):
        watched.query(substituted(target["expr"], everything(name)))  # it is a query, all the same
        return
    found = eventually(lambda: answer(watched, target, everything(name)), 180, f"data of {target['expr']}")
    assert all(each.finite for each in found), found
    unit = column_unit(panel, target) or panel["fieldConfig"]["defaults"]["unit"]
    assert unit in RANGES, f"unit {unit!r} has no range; add it to this test"
    least, greatest = RANGES[unit]
    values = [value for each in found for value in each.values]
    assert min(values) >= least
    if greatest is not None and "predict_linear" not in target["expr"] and "forecast" not in target["expr"]:
        assert max(values) <= greatest + 1e-9
    for label in {*re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"])} - {"le"} | keys(panel):
        assert all(label in each.labels for each in found), f"a series has no label {label!r}: {found}"


def column_unit(panel, target):
    """The unit of a table's column, which its title is given by."""
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == target["legendFormat"]:
            return next((each["value"] for each in override["properties"] if each["id"] == "unit"), None)
    return None


def keys(panel):
    """The labels that are columns of a table; an alert may be about a job alone."""
    if panel["type"] != "table":
        return set()
    named = panel["transformations"][1]["options"]["renameByName"]
    return {name for name in named if not name.startswith("Value")} - (
        {"instance"} if "alertname" in named else set()
    )


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_variable_offers_what_there_is(watched, eventually, name):
    """Each of its values, with all chosen before it."""
    for variable in DASHBOARDS[name]["templating"]["list"][1:]:
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
        promql = f"group by ({label}) ({substituted(selector, everything(name))})"
        found = eventually(lambda promql=promql: watched.query(promql), 60, f"values of {variable['name']}")
        assert all(each.labels[label] for each in found)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_marks_are_queries(watched, name):
    """Whether or not anything happened."""
    for mark in DASHBOARDS[name]["annotations"]["list"]:
        watched.query_past(substituted(mark["expr"], everything(name)))


OF_DURATIONS = re.compile(r"\b(?:cache_load|pool_(?:wait|use|create)|queue_wait|engine_stage)_duration_seconds\b")


def of_durations_alone():
    """The queries that need nothing but histograms."""
    for each in targets("cache", "pool", "workers", "engine"):
        expr = each.values[2]["expr"]
        read = re.findall(r"([a-z_:0-9]+)\{", expr)
        if OF_DURATIONS.search(expr) and all(re.search(r"^[a-z_]+_duration_seconds(_|$)", name) for name in read):
            yield each


@pytest.mark.parametrize(("name", "panel", "target"), list(of_durations_alone()))
def test_a_panel_has_data_of_native_histograms(watched, eventually, name, panel, target):
    """Where Prometheus has no `_bucket`, `_sum` and `_count`: it was told to scrape them so, or to convert them."""
    chosen = everything(name) | {"job": "native"}
    assert eventually(lambda: answer(watched, target, chosen), 60, f"data of {target['expr']}")


@pytest.mark.parametrize(("name", "panel", "target"), list(targets("runtime", "exporter", "fleet")))
def test_a_panel_shows_processes_of_one_target_together(watched, eventually, name, panel, target):
    """One line a target, whatever the number of its processes: no label tells the processes apart."""
    chosen = everything(name) | {"job": "exhibit"}
    series = answer(watched, target, chosen)
    assert all("pid" not in each.labels for each in series)
