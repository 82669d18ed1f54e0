"""Debian's Prometheus, native histograms on, scrapes protobuf, and makes of it what was observed."""

import json
import math
import random
import subprocess
import urllib.parse
import urllib.request

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from manometer import Counter, Gauge, Histogram
from manometer.serving.pages import Site
from manometer.serving.server import Server
from ports import reserved_port
from waiting import until

pytestmark = pytest.mark.servers

SECONDS = 30
CONFIGURATION = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: program
    static_configs: [{targets: ["%s"]}]
"""


class Others(Collector):
    """Families that Manometer has no meter for."""

    def collect(self):
        yield GaugeHistogramMetricFamily("queue", "Help.", buckets=[("1.0", 2), ("+Inf", 3)], gsum_value=7)
        odd = GaugeMetricFamily("odd", "Help.", value=1)
        odd.add_sample("odd_max", {}, 4)
        yield odd
        yield GaugeMetricFamily("empty", "Help.", labels=["a"])


class Scraped:
    """A registry that is served, and what the Prometheus that scrapes it answers."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.server = Server(Site(self.registry), "127.0.0.1", 0).start()
        self.url = ""

    def api(self, path, **parameters):
        """The data of an answer of the HTTP API."""
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
            return json.load(answer)["data"]

    def vector(self, promql):
        """The series of an expression now."""
        return self.api("query", query=promql)["result"]

    def value(self, promql):
        """The value of the one series that is the answer."""
        (found,) = self.vector(promql)
        return float(found["value"][1])


def observed(registry):
    """Meters of every kind with known figures; the amounts of the two native histograms."""
    chance = random.Random(7)
    latencies = [chance.lognormvariate(-4, 1.2) for _ in range(5_000)]
    mixed = [chance.gauss(0, 3) for _ in range(2_000)] + [0.0] * 50
    both = Histogram("latency_seconds", "Help.", ["path"], registry=registry, native_schema=3)
    alone = Histogram("mixed", "Help.", registry=registry, buckets=(), native_schema=5, max_native_buckets=200)
    for amount in latencies:
        both.labels("/").observe(amount)
    for amount in mixed:
        alone.observe(amount)
    Histogram("idle", "Help.", registry=registry, buckets=(), native_schema=3)
    whole = Histogram("everything", "Help.", registry=registry, native_schema=8, buckets=())
    for amount in (math.inf, -math.inf, 1e308, -1e308, 1e-300, 5):
        whole.observe(amount)
    spoilt = Histogram("spoilt", "Help.", registry=registry, native_schema=3)
    for amount in (1, math.nan):
        spoilt.observe(amount)
    classic = Histogram("classic", "Help.", registry=registry, buckets=(0.1, 1, 10))
    for amount in (0.05, 0.5, 0.5, 5, 50):
        classic.observe(amount, {"trace_id": "ab"})
    Counter("orders", "Help.", ["side"], registry=registry).labels('b"\\\nuy').inc(3, {"trace_id": "cd"})
    Gauge("level", "Help.", registry=registry).set(-2.5)
    Counter("dotted.näme", "Help.", ["la.bel"], unit="m/s", registry=registry).labels("x").inc(4)
    pause = prometheus_client.Summary("pause", "Help.", registry=registry)
    pause.observe(4)
    prometheus_client.Info("build", "Help.", registry=registry).info({"version": "1"})
    prometheus_client.Enum("mode", "Help.", states=["on", "off"], registry=registry).state("off")
    registry.register(Others())
    return latencies, mixed


@pytest.fixture(scope="module")
def scraped(program, tmp_path_factory):
    """A Prometheus that has scraped an exporter."""
    prometheus = program("prometheus", "prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    world = Scraped()
    world.latencies, world.mixed = observed(world.registry)
    (folder / "prometheus.yml").write_text(CONFIGURATION % world.server.url.removeprefix("http://"))
    with reserved_port() as port, (folder / "log").open("wb") as log:
        world.url = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(
            [
                prometheus,
                "--enable-feature=native-histograms,exemplar-storage",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            until(lambda: process.poll() is not None or _has_scraped(world), (folder / "log").read_text)
            assert process.poll() is None, (folder / "log").read_text()
            yield world
        finally:
            process.terminate()
            process.wait(SECONDS)
            world.server.close()


def _has_scraped(world):
    try:
        return bool(world.vector("up == 1"))
    except OSError:
        return False


def bounds(amounts, quantile, schema):
    """What a quantile by buckets of that schema may be: within its bucket's factor of the exact one."""
    exact = sorted(amounts)[math.ceil(quantile * len(amounts)) - 1]
    factor = 2**2**-schema
    return sorted((exact / factor, exact * factor))


def test_every_sample_is_taken(scraped):
    """The scrape succeeds, and none of it is refused."""
    (target,) = scraped.api("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    assert scraped.value("scrape_samples_scraped") == scraped.value("scrape_samples_post_metric_relabeling")


@pytest.mark.parametrize("quantile", [0.01, 0.25, 0.5, 0.9, 0.99, 0.999])
def test_quantiles_are_within_the_bound_of_the_schema(scraped, quantile):
    """Of five thousand durations, whose buckets are each 9 % wider than the one before."""
    low, high = bounds(scraped.latencies, quantile, 3)
    assert low <= scraped.value(f"histogram_quantile({quantile}, latency_seconds)") <= high


@pytest.mark.parametrize("quantile", [0.01, 0.25, 0.4, 0.6, 0.9, 0.99])
def test_quantiles_of_values_of_both_signs_are_within_the_bound(scraped, quantile):
    """With negative buckets and a zero bucket, at the schema that is left after merging."""
    (found,) = [s.native_histogram for f in scraped.registry.collect() for s in f.samples if s.name == "mixed"]
    assert found.schema < 5
    low, high = bounds(scraped.mixed, quantile, found.schema)
    assert low <= scraped.value(f"histogram_quantile({quantile}, mixed)") <= high


def test_count_sum_and_fractions_agree(scraped):
    """Count and sum exactly; a fraction where a bucket ends exactly, too."""
    assert scraped.value("histogram_count(latency_seconds)") == len(scraped.latencies)
    assert scraped.value("histogram_sum(latency_seconds)") == pytest.approx(sum(scraped.latencies))
    share = sum(0 < amount <= 2**-6 for amount in scraped.latencies) / len(scraped.latencies)
    assert scraped.value(f"histogram_fraction(0, {2**-6}, latency_seconds)") == pytest.approx(share)
    below = sum(amount < 0 for amount in scraped.mixed) / len(scraped.mixed)
    assert scraped.value("histogram_fraction(-Inf, 0, mixed)") == pytest.approx(below, abs=0.03)


def test_it_is_one_series_with_its_labels(scraped):
    """The whole histogram is one sample, and can be summed."""
    (found,) = scraped.vector("latency_seconds")
    assert found["metric"]["path"] == "/"
    assert found["histogram"][1]["count"] == str(len(scraped.latencies))
    assert scraped.value("histogram_count(sum(latency_seconds))") == len(scraped.latencies)


def test_the_ends_of_the_numbers_do_no_harm(scraped):
    """No event at all, infinities, values near the ends of the floats; NaN spoils the sum, not the count."""
    assert scraped.value("histogram_count(idle)") == 0
    assert scraped.value("histogram_count(everything)") == 6
    assert scraped.value("histogram_count(spoilt)") == 2
    assert math.isnan(scraped.value("histogram_sum(spoilt)"))


def test_classic_histograms_are_as_before(scraped):
    """Those that are not native keep their buckets, under the very label values that text gives them."""
    found = {each["metric"]["le"]: float(each["value"][1]) for each in scraped.vector("classic_bucket")}
    assert found == {"0.1": 1, "1.0": 3, "10.0": 4, "+Inf": 5}
    assert scraped.value("classic_count") == 5
    assert scraped.value("classic_sum") == 56.05


def test_the_other_kinds_are_as_before(scraped):
    """Counters, gauges, summaries, info, state sets, and what collectors of others bring."""
    (orders,) = scraped.vector("orders_total")
    assert (orders["metric"]["side"], orders["value"][1]) == ('b"\\\nuy', "3")
    assert scraped.value("level") == -2.5
    assert (scraped.value("pause_count"), scraped.value("pause_sum")) == (1, 4)
    assert scraped.value('build_info{version="1"}') == 1
    assert {each["metric"]["mode"]: each["value"][1] for each in scraped.vector("mode")} == {"on": "0", "off": "1"}
    assert {each["metric"]["le"] for each in scraped.vector("queue_bucket")} == {"1.0", "+Inf"}
    assert (scraped.value("odd"), scraped.value("odd_max")) == (1, 4)


def test_names_of_other_letters_arrive_escaped(scraped):
    """By underscores, since this Prometheus asks for no other way."""
    assert scraped.value('dotted_n_me_m_s_total{la_bel="x"}') == 4


def test_exemplars_arrive(scraped):
    """Of a counter, and of classic buckets."""
    for name, trace in (("orders_total", "cd"), ("classic_bucket", "ab")):
        found = scraped.api("query_exemplars", query=name, start=0, end=2**32)
        assert {each["labels"]["trace_id"] for series in found for each in series["exemplars"]} == {trace}
