"""What real receivers make of the last figures: a Pushgateway, node_exporter and promtool."""

import subprocess
import sys

import pytest

from samples import samples
from serving_program import scraped, serving
from waiting import DEADLINE

pytestmark = pytest.mark.servers

JOB = """
import sys
import manometer

rows = manometer.Counter("import_rows", "Rows that the import has read.", ["source"])
latency = manometer.Histogram("import_latency_seconds", "Time of a row.")

with manometer.Manometer():
    with manometer.stage("import", engine=sys.argv[1]):
        rows.labels("Bänk").inc(float(sys.argv[2]))
        latency.observe(0.1)
"""


@pytest.fixture
def run(tmp_path):
    """Runs the job with these arguments, and with the environment of a crontab."""
    (tmp_path / "job.py").write_text(JOB)

    def run(*arguments, **settings):
        environment = {f"MANOMETER_{name.upper()}": text for name, text in ({"serve": "false"} | settings).items()}
        command = [sys.executable, "job.py", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=True
        )
        assert (done.stdout, done.stderr) == ("", "")

    return run


@pytest.fixture
def pushgateway(tmp_path, program):
    """The address of a Pushgateway."""
    # Debian's keeps what it has in a file of the machine's otherwise.
    options = ("--web.listen-address=127.0.0.1:PORT", f"--persistence.file={tmp_path / 'kept'}")
    with serving(tmp_path, program("prometheus-pushgateway", "prometheus-pushgateway"), *options) as url:
        yield url


def test_a_pushgateway_shows_the_last_run(pushgateway, run):
    """A run takes the place of the one before, whole; the gateway finds nothing wrong with it."""
    group = f"{pushgateway}/metrics/job/nightly"
    run("first", "5", pushgateway_url=group)
    run("second", "7", pushgateway_url=group)
    found = samples(scraped(f"{pushgateway}/metrics"))
    job = [("instance", ""), ("job", "nightly")]
    assert found["import_rows_total", *sorted([*job, ("source", "Bänk")])] == 7
    assert found["import_latency_seconds_count", *job] == 1
    assert found["push_failure_time_seconds", *job] == 0
    assert ("engine_name", "second") in {label for key in found for label in key[1:]}
    assert ("engine_name", "first") not in {label for key in found for label in key[1:]}
    ours = [key for key in found if ("job", "nightly") in key]
    assert [key[0] for key in ours if key[0].startswith(("process_", "python_", "system_", "manometer_"))] == []


def test_node_exporter_collects_the_files_of_several_jobs(tmp_path, program, run):
    """Nothing in them is there twice, nor is it what node_exporter tells of itself."""
    name = "prometheus-node-exporter"
    folder = tmp_path / "collected"
    folder.mkdir()
    run("first", "5", textfile=str(folder / "first.prom"))
    command = [
        *(program(name, name), "--web.listen-address=127.0.0.1:PORT", "--collector.disable-defaults"),
        *("--collector.textfile", f"--collector.textfile.directory={folder}"),
    ]
    with serving(tmp_path, *command) as url:
        found = samples(scraped(f"{url}/metrics"))
    assert found["import_rows_total", ("source", "Bänk")] == 5
    assert found[("node_textfile_scrape_error",)] == 0
    log = (tmp_path / "server.log").read_text()
    assert "error gathering" not in log
    assert "was collected before" not in log


def test_promtool_finds_nothing_wrong_with_the_file(tmp_path, program, run):
    """Not one word."""
    run("first", "5", textfile=str(tmp_path / "import.prom"))
    checked = subprocess.run(
        [program("promtool", "prometheus"), "check", "metrics"],
        input=(tmp_path / "import.prom").read_bytes(),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
