"""A request that three services answer together, each a process of its own, is one trace."""

import json
import re
import subprocess
import sys
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otlp_collector import forwarding
from otlp_receiver import Receiver
from waiting import DEADLINE, until

SERVICE = """
import json, logging, queue, sys, threading
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server
from manometer import instrument_queue, stage, start, trace_headers, traced_wsgi

name, receiver, ratio, behind = sys.argv[1:]
settings = {"logs": True, "service_name": name, "otlp_endpoint": receiver, "metrics_exporter": "none"}
exporter = start(port=0, trace_ratio=float(ratio), **settings)
log = logging.getLogger(name)
mails = instrument_queue(queue.Queue(), name="mails")

@stage("ask", kind="client")
def ask():
    urlopen(Request(behind, headers=trace_headers()), timeout=60).read()

@stage("answer", kind="server")
def answer(environ, start_response):
    log.info("asked")
    if behind:
        ask()
    mails.put(object())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]

@stage("mail")
def mail():
    log.info("mailed")

def post():
    while mails.get() is not None:
        mail()

class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass

server = make_server("127.0.0.1", 0, traced_wsgi(answer), handler_class=Quiet)
threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=post)]
for each in threads:
    each.start()
print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "metrics": exporter.url}), flush=True)
sys.stdin.read()
server.shutdown()
mails.put(None)
for each in threads:
    each.join()
exporter.close()
"""


POINTED = r'engine_stage_name="(\w+)".* # \{span_id="(\w+)",trace_id="(\w+)"\}'


def whole(receiver):
    """Each span that came in, with the service that it is of."""
    return [
        (attribute.value.string_value, span)
        for request in receiver.traces
        for each in request.resource_spans
        for attribute in each.resource.attributes
        if attribute.key == "service.name"
        for scope in each.scope_spans
        for span in scope.spans
    ]


@contextmanager
def service(folder, name, receiver, ratio, behind=""):
    """A service; yields its address, that of its figures, and a function that returns its log lines."""
    out = folder / f"{name}.txt"
    with out.open("wb") as written:
        command = [sys.executable, "-W", "error", "-c", SERVICE, name, receiver, str(ratio), behind]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=written, stderr=subprocess.STDOUT)
        try:
            until(lambda: _address(out) or process.poll() is not None)
            told = _address(out)
            assert told is not None, out.read_text()
            yield told["url"], told["metrics"], lambda: out.read_text().splitlines()
            process.communicate(timeout=DEADLINE)
            assert process.returncode == 0, out.read_text()
        finally:
            process.kill()
            process.wait()


def _address(out):
    """What the service says of where it is, once it has said it."""
    return next((json.loads(line) for line in out.read_text().splitlines() if line.startswith('{"url"')), None)


def logged(lines):
    """The trace and the span of each event that a service logged."""
    told = [json.loads(line) for line in lines if '"event"' in line]
    return {
        each["event"]: (each["trace_id"], each["span_id"]) for each in told if each["event"] in ("asked", "mailed")
    }


def exemplars(url):
    """The trace and the span that the exemplar of each stage points at, once those of all services are there."""
    request = urllib.request.Request(
        f"{url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )

    def found():
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            told = re.findall(POINTED, answer.read().decode())
        stages = {stage: (trace, span) for stage, span, trace in told}
        return stages if stages.keys() >= {"answer", "mail"} else None

    return until(found)


@pytest.mark.servers
def test_three_services_give_one_connected_trace(collector, tmp_path):
    """The first decides. Log lines and exemplars of all three lead to it, and what each queued is linked to it."""
    with ExitStack() as running:
        receiver = running.enter_context(closing(Receiver()))
        http = running.enter_context(forwarding(collector, tmp_path, receiver.url)).http
        services, behind = {}, ""
        for name, ratio in (("stock", 0), ("orders", 0), ("shop", 1)):
            services[name] = running.enter_context(service(tmp_path, name, http, ratio, behind))
            behind = services[name][0]
        with urllib.request.urlopen(behind, timeout=DEADLINE) as answer:
            assert answer.read() == b"done"
        until(lambda: len(whole(receiver)) >= 8, lambda: f"{[(name, span.name) for name, span in whole(receiver)]}")
        pointed = {name: exemplars(metrics) for name, (_, metrics, _) in services.items()}
        lines = {name: logged(lines()) for name, (_, _, lines) in services.items()}
    spans = {(name, span.name): span for name, span in whole(receiver)}
    parents = {key: span.parent_span_id for key, span in spans.items()}
    assert len({span.trace_id for (_, stage), span in spans.items() if stage != "mail"}) == 1
    assert parents[("shop", "answer")] == b""
    chain = [("shop", "answer"), ("shop", "ask"), ("orders", "answer"), ("orders", "ask"), ("stock", "answer")]
    for outer, inner in pairwise(chain):
        assert parents[inner] == spans[outer].span_id, (outer, inner)
    assert {spans[key].kind for key in chain[::2]} == {Span.SPAN_KIND_SERVER}
    assert {spans[key].kind for key in chain[1::2]} == {Span.SPAN_KIND_CLIENT}
    for name in services:
        answered, mailed = spans[(name, "answer")], spans[(name, "mail")]
        (link,) = mailed.links
        assert (link.trace_id, link.span_id) == (answered.trace_id, answered.span_id)
        assert mailed.trace_id != answered.trace_id
        for event, span in (("asked", answered), ("mailed", mailed)):
            assert lines[name][event] == (span.trace_id.hex(), span.span_id.hex())
        for stage in ("answer", "mail"):
            found = spans[(name, stage)]
            assert pointed[name][stage] == (found.trace_id.hex(), found.span_id.hex())
