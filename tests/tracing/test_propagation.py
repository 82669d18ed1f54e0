"""The trace across processes: out by the headers of one, in by those of another."""

import io
from wsgiref.util import FileWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from manometer import continue_trace, stage, trace_headers, traced_asgi, traced_wsgi
from manometer.tracing.sampling import Sampling

CALLER = "00-000000000000000000000000000000ab-00000000000000cd-01"
UNSAMPLED = CALLER[:-2] + "00"
RARELY = Sampling(1e-18, left_a_second=100)


@pytest.fixture
def measured(figures):
    """Stages of that registry."""
    return lambda name, **more: stage(name, registry=figures.registry, **more)


def ids(span):
    """The trace of a span, and the span that it is within."""
    return span.context.trace_id, span.parent and span.parent.span_id


@pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TRACEPARENT"])
def test_a_caller_s_trace_goes_on(measured, recorded, name):
    """Whatever the case of its header; afterwards traces begin here again."""
    sent = recorded(RARELY)
    with continue_trace({"Accept": "*/*", name: CALLER}), measured("outer"), measured("inner"):
        pass
    with measured("alone"):
        pass
    assert [(span.name, ids(span)[0]) for span in sent.spans] == [("inner", 0xAB), ("outer", 0xAB)]
    assert ids(sent.spans[1]) == (0xAB, 0xCD)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_caller_that_records_nothing_is_followed(measured, recorded):
    """No fragment of its trace is recorded; a run that fails leaves one below the caller's span."""
    sent = recorded(Sampling(1.0, left_a_second=100))
    with continue_trace({"traceparent": UNSAMPLED}):
        measured("fine")(lambda: None)()
        with pytest.raises(KeyError):
            measured("failing")({}.__getitem__)(1)
    assert [(span.name, ids(span)) for span in sent.spans] == [("failing", (0xAB, 0xCD))]


@given(headers=st.dictionaries(st.sampled_from(["traceparent", "tracestate", "baggage", "b"]), st.text()))
def test_headers_of_any_content_reach_nobody(headers):
    """They are a client's; where they tell of no trace there is none."""
    with continue_trace(headers):
        assert not trace.get_current_span().is_recording()


def test_a_trace_under_way_is_not_left_for_a_caller_s(measured, traced):
    """As where another instrumentation has begun the span of the request."""
    exported = traced(ALWAYS_ON)
    with measured("outer"), continue_trace({"traceparent": CALLER}), measured("inner"):
        pass
    assert exported()["inner"].parent.span_id == exported()["outer"].context.span_id


@pytest.mark.parametrize("sampling", [Sampling(1.0), RARELY])
def test_what_goes_out_comes_in(measured, recorded, sampling):
    """With the ids of the span that is under way, and the decision on its trace."""
    recorded(sampling)
    with measured("outer"):
        headers = trace_headers({"Accept": "*/*"})
        here = trace.get_current_span().get_span_context()
    assert headers.keys() == {"Accept", "traceparent"}
    with continue_trace(headers):
        found = trace.get_current_span().get_span_context()
    assert (found.trace_id, found.span_id) == (here.trace_id, here.span_id)
    assert found.trace_flags.sampled is (sampling.share == 1)


def test_outside_of_a_trace_nothing_is_added():
    """And what the program sends is its own: the dictionary that it gave is left alone."""
    given = {"Accept": "*/*"}
    assert trace_headers(given) == given
    assert trace_headers(given) is not given
    assert trace_headers() == {}


class Failing:
    """A propagator that raises, as any of a program's may."""

    fields = ()

    def inject(self, *_, **__):
        raise RuntimeError

    extract = inject


@pytest.fixture
def failing():
    """Every trace that comes in or goes out has to do with it."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(Failing())
    yield
    propagate.set_global_textmap(before)


def test_a_broken_propagator_does_not_reach_the_program(failing, caplog):
    """Its traces are cut, which is logged once each way."""
    for _ in range(3):
        assert trace_headers({"a": "b"}) == {"a": "b"}
        with continue_trace({"traceparent": CALLER}):
            assert trace.get_current_span() is trace.INVALID_SPAN
    assert len(caplog.records) == 2


def wsgi(app, **environ):
    """The parts of the answer."""
    body = traced_wsgi(app)(environ, lambda *_: None)
    try:
        return body, [*body]
    finally:
        getattr(body, "close", lambda: None)()


def test_a_wsgi_request_goes_on_in_its_caller_s_trace(measured, recorded):
    """Its answer too, which may be made as it is sent, and what is done when it was sent."""
    sent = recorded(RARELY)

    def app(environ, start_response):
        with measured("page", kind="server"):
            start_response("200 OK", [])

        def parts():
            try:
                with measured("part"):
                    yield b"a"
            finally:
                measured("closing")(lambda: None)()

        return parts()

    _, parts = wsgi(app, HTTP_TRACEPARENT=CALLER)
    assert parts == [b"a"]
    assert {span.name: ids(span) for span in sent.spans} == dict.fromkeys(("page", "part", "closing"), (0xAB, 0xCD))
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_wsgi_answer_is_the_application_s_own(recorded):
    """A list that servers ask for its length, and a file that they send by themselves."""
    recorded(RARELY)
    whole, file = [b"a"], FileWrapper(io.BytesIO(b"a"))
    for environ in ({}, {"HTTP_TRACEPARENT": CALLER}):
        assert wsgi(lambda *_: whole, **environ)[0] is whole
    assert wsgi(lambda *_: file, HTTP_TRACEPARENT=CALLER, **{"wsgi.file_wrapper": FileWrapper})[0] is file


async def test_an_asgi_request_goes_on_in_its_caller_s_trace(measured, recorded):
    """Over HTTP and in web sockets; the server's own messages are no request."""
    sent = recorded(RARELY)

    @measured("page", kind="server")
    async def page():
        pass

    async def app(scope, receive, send):
        await page()

    headers = [(b"accept", b"*/*"), (b"traceparent", CALLER.encode())]
    for scope in (
        {"type": "http", "headers": headers},
        {"type": "websocket", "headers": headers},
        {"type": "lifespan"},
    ):
        await traced_asgi(app)(scope, None, None)
    assert [ids(span) for span in sent.spans] == [(0xAB, 0xCD)] * 2
