"""What a real collector passes on of ALL-USE's figures is, by the written rules, what a scrape of them gives."""

from contextlib import closing

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from alluse.engine import Engine
from alluse.instrumentation import instrument
from alluse.settings import Settings
from manometer.exposition.render import rendered
from manometer.otlp.destination import GRPC, Destination
from manometer.otlp.metrics.sender import Sender
from manometer.process import measure
from manometer.registry.collection import collect
from manometer.registry.self_metrics import SelfMetrics
from otlp_collector import forwarding
from otlp_receiver import Receiver
from otlp_translation import scraped, translated
from waiting import until

pytestmark = pytest.mark.servers

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Once:
    """One collection, for a push and a scrape alike."""

    def __init__(self, families):
        self.families = families

    def turn(self, *, last):
        return True

    def instance(self, given):
        return "one"

    def collect(self, patience):
        return self.families


@pytest.fixture
def families(traced, registry, tmp_path):
    """What ALL-USE has measured in some seconds of work, each run of a stage traced."""
    traced(ALWAYS_ON)
    undo = measure(registry)
    with closing(Engine(Settings(book=f"sqlite:///{tmp_path / 'book.sqlite'}"))) as engine:
        instrument(engine, registry)
        engine.start(40)
        orders = {"engine_name": "protocol", "engine_stage_name": "classify_week", "engine_stage_outcome": "ok"}
        until(lambda: (registry.get_sample_value("engine_stage_duration_seconds_count", orders) or 0) > 20)
        found = collect(registry)
    undo()
    return found


@pytest.mark.parametrize("protocol", ["http/protobuf", GRPC])
def test_a_push_of_all_use_gives_what_a_scrape_gives(collector, registry, families, tmp_path, protocol):
    """Every name, label, value and exemplar, through a collector, over either protocol."""
    body, _ = rendered(registry, families, OPENMETRICS)
    expected = scraped(body.decode())
    with closing(Receiver()) as receiver, forwarding(collector, tmp_path, receiver.url) as on:
        url = on.grpc if protocol == GRPC else f"{on.http}/v1/metrics"
        destination = Destination(url, protocol=protocol, compression="gzip")
        sender = Sender(Once(families), destination, "alluse", SelfMetrics.of(registry))
        assert sender.send(60.0, 5.0)
        until(lambda: len(translated(receiver.metrics).values) >= len(expected.values))
        told = translated(receiver.metrics)
    assert told.values == expected.values
    assert told.exemplars == expected.exemplars
    assert len(told.values) > 500
    assert told.exemplars
