"""What a push sends, when, and what becomes of it where the receiver is dead, slow or refuses."""

import time
from contextlib import closing
from threading import enumerate as enumerate_threads

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from forking import in_child
from manometer.meters.family import Family, Group
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import HistogramReading
from manometer.otlp.destination import Destination
from manometer.otlp.metrics import push as push_module
from manometer.version import __version__
from otlp_receiver import Receiver
from otlp_translation import points, resource, size, translated
from ports import reserved_port
from waiting import DEADLINE, joined, until


def _total(request):
    return translated([request]).values.get(("orders_total", frozenset()))


def test_figures_are_pushed_after_each_interval_and_at_the_end(receiver, pushing, orders):
    """The last ones too, which came after the last interval."""
    orders.inc()
    push = pushing(receiver.url, interval=0.01)
    until(lambda: len(receiver.metrics) >= 2)
    orders.inc(41)
    push.close()
    push.close()
    assert _total(receiver.metrics[0]) == 1
    assert _total(receiver.metrics[-1]) == 42
    sent = len(receiver.metrics)
    time.sleep(0.05)
    assert len(receiver.metrics) == sent


def test_who_sends_is_in_each_request(receiver, pushing, orders, registry, monkeypatch):
    """The service and its instance, what the environment adds, and what the registry says of its target."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    registry.set_target_info({"region": "oslo"})
    push = pushing(Destination(f"{receiver.url}/v1/metrics", {"X-Token": "secret"}, compression="gzip"))
    assert push.flush()
    assert push.flush()
    push.close()
    first, *others = receiver.metrics
    who = resource(first)
    assert (who["service.name"], who["deployment.environment.name"], who["region"]) == ("orders", "test", "oslo")
    assert {resource(each)["service.instance.id"] for each in others} == {who["service.instance.id"]}
    (scope,) = first.resource_metrics[0].scope_metrics
    assert (scope.scope.name, scope.scope.version) == ("manometer", __version__)
    assert "target_info" not in points([first])
    assert {each["Content-Encoding"] for each in receiver.headers} == {"gzip"}
    assert receiver.tokens == ["secret"] * 3


def test_an_instance_that_the_environment_names_is_kept(receiver, pushing, orders, monkeypatch):
    """It is the user's word."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=mine")
    assert pushing(receiver.url).flush()
    assert resource(receiver.metrics[0])["service.instance.id"] == "mine"


def test_a_receiver_that_refuses_loses_no_total(receiver, pushing, orders, outcomes, caplog):
    """Each outcome is counted; the log tells when it begins and when it ends, and nothing else."""
    caplog.set_level("INFO")
    push = pushing(receiver.url)
    url = f"{receiver.url}/v1/metrics"
    for status, arrives in ((200, True), (400, False), (400, False), (200, True)):
        orders.inc()
        receiver.status = status
        assert push.flush() is arrives
    assert _total(receiver.metrics[-1]) == 4
    assert len(receiver.refused) == 2
    assert outcomes() == {"ok": sum(map(size, receiver.metrics)), "error": sum(map(size, receiver.refused))}
    assert [each.getMessage() for each in caplog.records] == [
        f"metrics do not reach {url}; what is lost is counted in manometer_otlp_points_total, "
        "and the next push makes up for it",
        f"metrics reach {url} again",
    ]


def test_a_receiver_that_is_not_there_costs_a_count(pushing, orders, outcomes):
    """And one that comes gets all that was counted meanwhile."""
    with reserved_port() as port:
        push = pushing(Destination(f"http://127.0.0.1:{port}/v1/metrics", timeout=0.2))
        orders.inc(3)
        assert not push.flush()
    assert set(outcomes()) == {"error"}
    with closing(Receiver(port)) as receiver:
        assert push.flush()
        assert _total(receiver.metrics[-1]) == 3


def test_what_the_receiver_rejects_is_counted_by_itself(receiver, pushing, orders, outcomes, caplog):
    """As it says in an answer of success."""
    partial = ExportMetricsPartialSuccess(rejected_data_points=1, error_message="out of order")
    receiver.answer = ExportMetricsServiceResponse(partial_success=partial).SerializeToString()
    assert pushing(receiver.url).flush()
    assert outcomes() == {"ok": size(receiver.metrics[0]) - 1, "rejected": 1}
    ((level, message),) = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert level == "WARNING"
    assert "data points: out of order" in message


def test_closing_does_not_wait_for_a_receiver_that_hangs(receiver, pushing, orders, monkeypatch):
    """What it has not taken by then is given up."""
    monkeypatch.setattr(push_module, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(push_module, "FAILING_SECONDS", 0.0)
    receiver.held_up.clear()
    push = pushing(receiver.url, interval=0.01)
    assert receiver.asked.wait(DEADLINE)
    push.close()
    assert receiver.metrics == []
    receiver.held_up.set()
    joined(
        *[thread for thread in enumerate_threads() if thread.name == "manometer-otlp"]
    )  # else it logs in a later test


def test_a_push_that_has_no_time_left_sends_nothing_more(receiver, pushing, orders, outcomes):
    """The rest counts as lost."""
    assert not pushing(receiver.url, timeout=0.0).flush()
    assert receiver.metrics == []
    assert outcomes()["error"] > 0


def test_a_family_that_otlp_cannot_tell_is_left_out_alone(receiver, pushing, orders, registry, caplog):
    """It is counted and logged as a collector that fails is."""
    half = Family("half", "histogram", "h", "", [Group((), [((), HistogramReading((0.5,), 1.0))], ("+Inf",))])

    class Halves:
        def collect(self):
            return [MetricView(half)]

    registry.register(Halves())
    orders.inc()
    assert pushing(receiver.url).flush()
    assert _total(receiver.metrics[0]) == 1
    assert "half" not in points(receiver.metrics)
    failures = {"manometer_collector_name": "half"}
    assert registry.get_sample_value("manometer_collect_failures_total", failures) == 1
    assert [each.getMessage() for each in caplog.records] == [
        "the encoding of 'half' failed; its series are missing until it works again"
    ]


def test_a_forked_child_pushes_nothing(receiver, pushing, orders):
    """Its parent goes on; what the child counts is its own."""
    orders.inc()
    push = pushing(receiver.url)

    def child():
        assert push.flush()
        push.close()

    in_child(child)
    assert receiver.metrics == []
    assert push.flush()
    assert _total(receiver.metrics[0]) == 1


def test_a_forked_child_may_push_as_an_instance_of_its_own(receiver, pushing, orders):
    """From zero, so that nothing counts twice."""
    orders.inc(5)
    push = pushing(receiver.url, of_each=True)
    assert push.flush()

    def child():
        orders.inc(2)
        push.close()

    in_child(child)
    push.close()
    totals = {resource(each)["service.instance.id"]: _total(each) for each in receiver.metrics}
    assert sorted(totals.values()) == [2, 5]
