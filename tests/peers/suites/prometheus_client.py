"""prometheus-client: its suite with Manometer's counters, gauges and histograms in the place of its own."""

import prometheus_client
from prometheus_client import core, metrics
from prometheus_client import multiprocess as _  # noqa: F401 - asks the library's own gauge something when it is imported

import manometer

SOURCE = "prometheus-client"
# The deselected test fails on the bare library too: the client hears of the refusal in another way than it expects.
TESTS = ["tests", "--deselect=tests/test_exposition.py::TestWsgiTLS::test_mtls_untrusted_client_cert_raises"]

for name in ("Counter", "Gauge", "Histogram"):
    for module in (prometheus_client, core, metrics):
        setattr(module, name, getattr(manometer, name))

_REPR = "the representation names the class with its module, and that is Manometer's"
_FILES = "reads the files of prometheus-client; how Manometer's processes share theirs, tests/processes tests"

KNOWN = {f"Test{kind}::test_repr": _REPR for kind in ("Counter", "Gauge", "Histogram")} | {
    f"TestMultiProcess::test_{name}": _FILES
    for name in (
        "child_name_is_built_once_with_namespace_subsystem_unit",
        "collect",
        "collect_histogram_ordering",
        "collect_preserves_help",
        "counter_across_forks",
        "counter_adds",
        "gauge_all",
        "gauge_liveall",
        "gauge_livemax",
        "gauge_livemin",
        "gauge_livemostrecent",
        "gauge_livesum",
        "gauge_max",
        "gauge_min",
        "gauge_mostrecent",
        "gauge_sum",
        "histogram_adds",
        "initialization_detects_pid_change",
        "merge_no_accumulate",
        "namespace_subsystem",
        "remove_clear_warning",
        "restrict",
    )
}
