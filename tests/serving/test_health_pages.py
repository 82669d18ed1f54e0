"""The pages of health: in words for probes, as health+json for whoever reads that."""

import asyncio
import json
import re

import pytest
from prometheus_client import CollectorRegistry

from checking import Rig
from manometer.health import LIVE, READY, STARTUP, Finding
from manometer.serving.asgi import asgi_app
from manometer.serving.pages import Request, Site, respond
from manometer.serving.wsgi import wsgi_app


@pytest.fixture
def rig():
    """Checks under control."""
    return Rig(CollectorRegistry())


def _ask(rig, path, query="", peer=None, headers=()):
    site = Site(rig.registry, rig.checks.all, "orders", lifecycle=rig.checks.lifecycle)
    return respond(site, Request("GET", path, query, dict(headers), peer))


def _words(rig, path, query="", peer=None, headers=()):
    response = _ask(rig, path, query, peer, headers)
    return response.status, response.body.decode()


def _json(rig, query="", peer=None):
    response = _ask(rig, "/health", query, peer)
    assert response.headers == (("Content-Type", "application/health+json"), ("Cache-Control", "no-store"))
    return response.status, json.loads(response.body)


def test_a_program_without_checks_is_well(rig):
    """Nothing registered, nothing failed."""
    assert _words(rig, "/livez") == (200, "ok\n")
    assert _words(rig, "/readyz") == (200, "ready\n")
    assert _words(rig, "/startupz") == (200, "started\n")
    assert _json(rig) == (200, {"status": "pass", "serviceId": "orders", "checks": {}})


def test_a_failed_critical_check_makes_the_program_not_ready(rig):
    """The failed ones are listed; with ?verbose all are, and how old their results are."""
    rig.add("db", lambda: "down")
    rig.add("disk", lambda: None)
    rig.add("cache", lambda: "cold", critical=False)
    rig.run()
    rig.clock.now += 12
    assert _words(rig, "/readyz") == (503, "db (critical): down\nnot ready\n")
    assert _words(rig, "/readyz", "verbose") == (
        503,
        "db (critical): down\ndisk (critical): ok; 12 s ago\ncache (not critical): cold\nnot ready\n",
    )


def test_a_failed_check_that_is_not_critical_leaves_the_program_ready(rig):
    """It shows with ?verbose alone, and warns in JSON."""
    rig.add("cache", lambda: "cold", critical=False)
    rig.run()
    assert _words(rig, "/readyz") == (200, "ready\n")
    assert _words(rig, "/readyz", "verbose=1") == (200, "cache (not critical): cold\nready\n")
    status, document = _json(rig)
    assert (status, document["status"], document["checks"]["cache:responseTime"][0]["status"]) == (
        200,
        "warn",
        "warn",
    )


def test_each_page_goes_by_its_group(rig):
    """A check of the group `live` alone has the program killed; one of the program's own groups is in JSON alone."""
    rig.add("deadlock", lambda: "stuck", groups=[LIVE])
    rig.add("db", lambda: "down")
    rig.add("schema", lambda: "old", groups=[STARTUP, READY])
    rig.add("shop", lambda: "shut", groups=["orders"])
    rig.run()
    assert _words(rig, "/livez") == (503, "deadlock (critical): stuck\nnot alive\n")
    assert _words(rig, "/readyz") == (503, "db (critical): down\nschema (critical): old\nnot ready\n")
    assert _words(rig, "/startupz") == (503, "schema (critical): old\nnot started\n")
    status, document = _json(rig, "group=orders")
    assert (status, [*document["checks"]], document["status"]) == (503, ["shop:responseTime"], "fail")


def test_a_program_is_not_ready_before_its_start_is_done(rig):
    """Each check of the start has to pass once; it is tried again soon, and not at all after it passed."""
    answers = ["old", "old", None]
    rig.add("schema", lambda: answers.pop(0), groups=[STARTUP])
    assert _words(rig, "/startupz") == (503, "schema (critical): unknown, it has not run yet\nnot started\n")
    for _ in range(2):
        rig.run()
        assert _words(rig, "/readyz") == (503, "schema (critical): old\nnot ready\n")
        rig.clock.now += 1
    rig.run()
    assert (_words(rig, "/startupz")[0], _words(rig, "/readyz")[0]) == (200, 200)
    rig.clock.now += 10_000
    rig.run()
    assert (_words(rig, "/startupz")[0], _words(rig, "/readyz")[0], answers) == (200, 200, [])


def test_a_start_does_not_wait_for_a_check_that_is_not_critical(rig):
    """Which is tried again when its time comes."""
    runs = []
    rig.add("warm", lambda: runs.append(1) or "cold", groups=[STARTUP], critical=False)
    for _ in range(30):
        rig.run()
        rig.clock.now += 1
    assert (len(runs), _words(rig, "/startupz")) == (1, (200, "started\n"))


def test_a_program_that_has_started_has_started_for_good(rig):
    """A check that fails later has it not ready, if that is another group of its."""
    answers = [None, "down"]
    rig.add("db", lambda: answers.pop(0), groups=[STARTUP, READY])
    rig.run()
    rig.clock.now += 30
    rig.run()
    assert _words(rig, "/startupz") == (200, "started\n")
    assert _words(rig, "/readyz") == (503, "db (critical): down\nnot ready\n")
    assert _json(rig, "group=startup")[1]["status"] == "warn"


def test_nothing_kills_a_program_but_what_a_check_has_found(rig):
    """A check that has not run, or not lately, says nothing of the program's life; one that hangs does."""
    rig.add("loop", groups=[LIVE], timeout=5)
    assert _words(rig, "/livez")[0] == 200
    rig.run()
    rig.clock.now += 10_000
    assert _words(rig, "/livez", "verbose") == (200, "loop (critical): stale, it last ran 10000 s ago\nok\n")
    rig.checks.run_due()
    rig.clock.now += 5
    told = "loop (critical): has run for 5 s, and its time-out is 5 s\nnot alive\n"
    assert _words(rig, "/livez") == (503, told)


def test_a_fault_of_ours_does_not_kill_the_program(rig, caplog):
    """Checks that cannot even be listed are logged; the probe is answered."""

    def checks():
        raise RuntimeError("can't start new thread")

    response = respond(Site(rig.registry, checks), Request("GET", "/livez", "", {}))
    assert (response.status, response.body) == (200, b"ok\n")
    assert [record.getMessage() for record in caplog.records] == ["the health checks cannot be had"]


PEERS = [
    (None, {}, True),
    ("127.0.0.1", {}, True),
    ("127.8.9.1", {}, True),
    ("::1", {}, True),
    ("::ffff:127.0.0.1", {}, True),
    ("", {}, False),
    ("unix:", {}, False),
    ("10.0.0.7", {}, False),
    ("::ffff:10.0.0.7", {}, False),
    ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
    ("127.0.0.1", {"forwarded": "for=10.0.0.7"}, False),
]


@pytest.mark.parametrize(("peer", "headers", "is_told"), PEERS)
def test_only_the_machine_itself_is_told_why_a_check_fails(rig, peer, headers, is_told):
    """A proxy on it asks for somebody else. The same holds for JSON, and there for what was measured."""
    rig.add("db", lambda: Finding("no such table: users", 4711, "rows"))
    rig.run()
    hidden = "its log, or a request from its own machine, says why"
    told = "no such table: users" if is_told else f"fails; {hidden}"
    assert _words(rig, "/readyz", "verbose", peer, headers) == (503, f"db (critical): {told}\nnot ready\n")
    body = _ask(rig, "/health", "", peer, headers).body.decode()
    assert [("4711" in body), ("users" in body), (hidden in body)] == [is_told, is_told, not is_told]


def test_others_see_that_a_check_is_slow_and_not_how_slow(rig):
    """In words they see nothing of it."""
    rig.add("db")
    rig.run()
    rig.clock.now += 30
    rig.checks.run_due()
    rig.clock.now += 6
    (entry,) = _json(rig, peer="10.0.0.7")[1]["checks"]["db:responseTime"]
    assert (entry["status"], entry["output"]) == ("warn", "its log, or a request from its own machine, says why")
    assert _words(rig, "/readyz", "verbose", "10.0.0.7") == (200, "db (critical): ok\nready\n")


def test_a_slow_check_is_named_with_its_time(rig, caplog):
    """On the pages, in the log once, and in a figure; it leaves the program ready."""
    rig.add("db", timeout=10)
    rig.run()
    rig.clock.now += 30
    rig.checks.run_due()
    for _ in range(2):
        rig.clock.now += 3
        rig.checks.run_due()
    told = "slow, has run for 6 s, and its time-out is 10 s"
    assert _words(rig, "/readyz", "verbose") == (200, f"db (critical): ok, but {told}; 36 s ago\nready\n")
    assert _words(rig, "/readyz", "verbose", "10.0.0.7") == (200, "db (critical): ok\nready\n")
    status, document = _json(rig)
    assert (status, document["status"], document["checks"]["db:responseTime"][0]["output"]) == (200, "warn", told)
    assert [record.getMessage() for record in caplog.records] == [f"health check 'db' is {told}"]
    labels = {"health_check_name": "db", "health_check_critical": "true"}
    assert rig.registry.get_sample_value("health_check_running_seconds", labels) == 6


def test_a_run_that_was_slow_is_named_until_the_next_one(rig):
    """It took so long; the next one does not, and all is well."""
    took = [6, 0]

    def slow():
        rig.clock.now += took.pop(0)

    rig.add("db", slow)
    rig.run()
    told = "db (critical): ok, but slow, it took 6 s, and its time-out is 10 s; 0 s ago\nready\n"
    assert _words(rig, "/readyz", "verbose") == (200, told)
    rig.clock.now += 30
    rig.run()
    assert _words(rig, "/readyz", "verbose") == (200, "db (critical): ok; 0 s ago\nready\n")


def test_the_document_is_literal(rig):
    """As the draft has it: keys of component and measurement, the reading, its unit and time, and the output."""

    def slow():
        rig.clock.now += 0.25

    rig.add("db", slow)
    rig.add("memory", lambda: Finding(None, 41.5, "percent", "utilization"), critical=False)
    rig.add("queue:in", lambda: Finding("too many jobs wait", 700, "jobs", "backlog"))
    rig.add("queue-in", lambda: Finding(None, float("inf"), "", "backlog"))
    rig.run()
    body = _ask(rig, "/health").body.decode()
    times = re.findall(r'"time": "(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"', body)
    assert len(times) == 4
    for time in times:
        body = body.replace(time, "T")
    assert (
        body
        == """{
  "status": "fail",
  "serviceId": "orders",
  "checks": {
    "db:responseTime": [
      {
        "status": "pass",
        "observedValue": 0.25,
        "observedUnit": "s",
        "time": "T"
      }
    ],
    "memory:utilization": [
      {
        "status": "pass",
        "observedValue": 41.5,
        "observedUnit": "percent",
        "time": "T"
      }
    ],
    "queue-in:backlog": [
      {
        "status": "fail",
        "observedValue": 700,
        "observedUnit": "jobs",
        "time": "T",
        "output": "too many jobs wait"
      },
      {
        "status": "pass",
        "observedValue": "inf",
        "time": "T"
      }
    ]
  }
}
"""
    )


def test_a_check_that_has_not_run_has_nothing_observed(rig):
    """And no time."""
    rig.add("db")
    entry = {"status": "fail", "output": "unknown, it has not run yet"}
    assert _json(rig)[1]["checks"] == {"db:responseTime": [entry]}


def test_the_document_follows_the_program_s_life(rig):
    """Whoever reads JSON alone sees that it stops; it lives, and has started, all the same."""
    rig.add("db")
    rig.run()
    rig.checks.lifecycle.stopping()
    status, document = _json(rig)
    assert (status, document["status"], document["output"]) == (503, "fail", "the program is stopping")
    assert [_json(rig, f"group={group}")[0] for group in ("ready", "live", "startup")] == [503, 200, 200]


def test_a_group_that_is_none_is_refused(rig):
    """The answer names those that there are."""
    rig.add("shop", groups=["orders"])
    told = "no check is of the group 'oders'; there are live, orders, ready, startup\n"
    assert _words(rig, "/health", "group=oders") == (404, told)
    assert _json(rig, "group=live") == (200, {"status": "pass", "serviceId": "orders", "checks": {}})


def test_a_problem_of_any_letters_is_shown(rig, caplog):
    """A lone surrogate, which UTF-8 has no bytes for, is written as an escape."""
    caplog.set_level("CRITICAL", "manometer")  # pytest-xdist cannot send such a text
    rig.add("db", lambda: "down \udcff")
    rig.run()
    assert _ask(rig, "/readyz").body == b"db (critical): down \\udcff\nnot ready\n"
    assert b'"output": "down \\udcff"' in _ask(rig, "/health").body


@pytest.fixture
def secret(rig):
    """A site with a check whose reason is not for everyone."""
    rig.add("db", lambda: "secret")
    rig.run()
    return Site(rig.registry, rig.checks.all)


@pytest.mark.parametrize("path", ["/readyz", "/health"])
def test_front_ends_tell_who_asks(secret, path):
    """And where they do not, it is not taken for the machine itself."""

    def body(**environ):
        given = {"REQUEST_METHOD": "GET", "PATH_INFO": path, **environ}
        return b"".join(wsgi_app(secret)(given, lambda *_: None))

    assert b"secret" in body(REMOTE_ADDR="127.0.0.1")
    assert b"secret" not in body(REMOTE_ADDR="10.0.0.7")
    assert b"secret" not in body()


@pytest.mark.parametrize(("client", "is_told"), [(("127.0.0.1", 1), True), (("10.0.0.7", 1), False), (None, False)])
async def test_asgi_tells_who_asks(secret, client, is_told):
    """The same."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/health", "query_string": b"", "headers": [], "client": client}
    await asgi_app(secret)(scope, asyncio.Event().wait, send)
    assert (b"secret" in sent[1]["body"]) is is_told
