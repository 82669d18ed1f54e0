"""What a program says of a stage: the kind of its spans, and the exceptions that are no errors."""

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode

from manometer import stage
from manometer.errors import MetricError
from manometer.tracing.sampling import Sampling

AFTERWARDS = Sampling(0.0, left_a_second=10)


def test_spans_have_the_kind_of_their_stage(figures, traced, recorded):
    """Those of the program's tracer, ours, and those that are made afterwards."""
    exported = traced(ALWAYS_ON)
    client = stage("ask", kind="client", registry=figures.registry)
    with client:
        pass
    assert exported()["ask"].kind is SpanKind.CLIENT
    for sampling in (Sampling(1.0), AFTERWARDS):
        sent = recorded(sampling)
        with pytest.raises(KeyError), client:
            raise KeyError
        assert [span.kind for span in sent.spans] == [SpanKind.CLIENT]


@pytest.mark.parametrize("sampling", [Sampling(1.0), AFTERWARDS])
def test_an_expected_exception_is_no_error(figures, recorded, sampling):
    """It passes through; the run, its span and its trace are well. Another is an error as ever."""
    sent = recorded(sampling)

    @stage("find", expected=KeyError, registry=figures.registry)
    def find(error):
        raise error

    class NoOrderError(KeyError):
        pass

    with pytest.raises(NoOrderError):
        find(NoOrderError())
    assert figures.all("engine_stage_duration_seconds_count", "engine_stage_outcome") == {"ok": 1, "error": 0}
    assert all(span.status.status_code is StatusCode.UNSET and not span.events for span in sent.spans)
    with pytest.raises(ValueError, match="wrong"):
        find(ValueError("wrong"))
    assert figures("engine_stage_duration_seconds_count", engine_stage_outcome="error") == 1
    assert sent.spans[-1].attributes["error.type"] == "ValueError"


@pytest.mark.parametrize("wrong", [{"kind": "clients"}, {"expected": KeyError()}, {"expected": (str,)}])
def test_what_makes_no_sense_is_refused(figures, wrong):
    """The message says what is wrong."""
    with pytest.raises(MetricError, match=r"clients|KeyError|str"):
        stage("s", registry=figures.registry, **wrong)
