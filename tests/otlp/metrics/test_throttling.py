"""A receiver that asks for time gets the figures later, and their totals are exact."""

from contextlib import closing

import pytest

from manometer.otlp.destination import GRPC, Destination
from otlp_grpc_receiver import GrpcReceiver
from otlp_translation import size, translated
from posted import Answer
from waiting import until


def _totals(receiver):
    return [translated([each]).values["orders_total", frozenset()] for each in receiver.metrics]


def _all_counted(receiver, outcomes):
    """Whether each figure that was taken counts as that, and what was not taken in the end as an error."""
    return outcomes().get("ok") == sum(map(size, receiver.metrics))


@pytest.mark.parametrize("status", [429, 503])
def test_figures_come_again_when_the_receiver_has_asked_for_it(receiver, pushing, orders, outcomes, status):
    """With the next push where this version of OpenTelemetry's exporter does not wait for that status."""
    receiver.answers = [Answer(status, headers={"Retry-After": "1"})]
    push = pushing(receiver.url)
    orders.inc(5)
    until(push.flush)
    assert _totals(receiver) == [5]
    assert len(receiver.refused) == 1
    assert _all_counted(receiver, outcomes)


def test_a_long_wait_is_not_waited_for(receiver, pushing, orders, outcomes):
    """The push fails, which is counted, and the next one has the totals."""
    receiver.answers = [Answer(429, headers={"Retry-After": "3600"})]
    push = pushing(receiver.url)
    orders.inc(5)
    assert not push.flush()
    assert outcomes() == {"error": size(receiver.refused[0])}
    orders.inc(5)
    assert push.flush()
    assert _totals(receiver) == [10]
    assert _all_counted(receiver, outcomes)


@pytest.mark.servers
def test_a_receiver_over_grpc_may_ask_for_time_too(pushing, orders, outcomes):
    """UNAVAILABLE with how long to wait: first a moment, then for too long."""
    with closing(GrpcReceiver()) as receiver:
        receiver.throttles = [1, 3600]
        push = pushing(Destination(receiver.url, protocol=GRPC))
        orders.inc(5)
        assert not push.flush()
        assert len(receiver.refused) == 2
        assert set(outcomes()) == {"error"}
        receiver.throttles = [1]
        orders.inc(5)
        assert push.flush()
        assert _totals(receiver) == [10]
        assert len(receiver.refused) == 3
        assert _all_counted(receiver, outcomes)
        push.close()
