"""A collector that hangs holds up neither probes, nor other scrapes, nor the program's own event loop."""

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry

from holding import Held, StillClock, collecting, released
from manometer import Counter
from manometer.exposition.render import rendered
from manometer.registry import limits, rounds, timely
from manometer.registry.timely import collect_in_time
from manometer.serving import connection, pages, reception
from manometer.serving.asgi import asgi_app
from manometer.serving.pages import Request, Site, respond
from manometer.serving.places import Places
from manometer.serving.server import Server
from manometer.serving.site import SCRAPES
from manometer.serving.slots import Slots
from waiting import DEADLINE, until

SECONDS = "x-prometheus-scrape-timeout-seconds"
PATIENT = {SECONDS: str(DEADLINE)}


@pytest.fixture(autouse=True)
def _nothing_hangs_longer_than_its_test():
    yield
    released()


@pytest.fixture
def registry():
    """A registry with a counter at 1."""
    found = CollectorRegistry()
    Counter("c", "Help.", registry=found).inc()
    return found


def get(server, path, headers=None):
    """The status and the body of an answer."""
    parts = urlsplit(server.url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)) as client:
        client.request("GET", path, headers=headers or {})
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def _waiting(registry):
    """How many wait for the next collection."""
    upcoming = timely._rounds[registry]._next
    return upcoming.waiting if upcoming else 0


def test_probes_are_answered_however_many_scrapes_wait(registry, monkeypatch):
    """As many scrapes as may be are at it; others wait for them, and all get what there is."""
    held, site = Held(registry), Site(registry, patience=DEADLINE)
    with closing(Server(site, "127.0.0.1", 0).start()) as server, ThreadPoolExecutor(SCRAPES + 5) as pool:
        waiting = [pool.submit(get, server, "/metrics", PATIENT) for _ in range(SCRAPES)]
        assert held.entered.acquire(timeout=DEADLINE)
        until(lambda: _waiting(registry) == SCRAPES - 1)
        waiting += [pool.submit(get, server, "/metrics", PATIENT) for _ in range(5)]
        until(lambda: len(server._scrapes.waiting) == 5)
        for _ in range(3):
            assert get(server, "/livez") == (200, "ok\n")
            assert get(server, "/readyz") == (200, "ready\n")
        written = []
        monkeypatch.setattr(pages, "rendered", lambda *args: written.append(args) or rendered(*args))
        held.may.set()
        for each in waiting:
            status, body = each.result()
            assert status == 200
            assert "\nc_total 1.0\n" in body
            assert "\nheld " in body
    assert held.calls == len(written) <= 2 + 5


def test_a_scrape_is_refused_where_too_many_wait(registry, monkeypatch):
    """With a word, and counted."""
    monkeypatch.setattr(reception, "places", lambda: Places(64, 1))
    monkeypatch.setattr(connection, "PATIENCE", DEADLINE)
    held, site = Held(registry), Site(registry, patience=DEADLINE, scrapes=Slots(1))
    refused = 503, "too many requests wait for theirs; try again soon\n"
    shortages = "manometer_server_shortages_total", {"manometer_server_resource": "scrape"}
    with closing(Server(site, "127.0.0.1", 0).start()) as server, ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, server, "/metrics", PATIENT)
        assert held.entered.acquire(timeout=DEADLINE)
        second = pool.submit(get, server, "/metrics", PATIENT)
        until(lambda: server._scrapes.waiting)
        assert get(server, "/metrics", PATIENT) == refused
        held.may.set()
        assert first.result()[0] == second.result()[0] == 200
        assert registry.get_sample_value(*shortages) == 1


def test_a_scrape_that_waits_in_vain_is_refused_in_the_end(registry, monkeypatch):
    """When its client gives up as well."""
    held, site = Held(registry), Site(registry, patience=DEADLINE, scrapes=Slots(1))
    with closing(Server(site, "127.0.0.1", 0).start()) as server, ThreadPoolExecutor(1) as pool:
        first = pool.submit(get, server, "/metrics", PATIENT)
        assert held.entered.acquire(timeout=DEADLINE)
        monkeypatch.setattr(connection, "PATIENCE", 0.2)
        assert get(server, "/metrics", PATIENT)[0] == 503
        held.may.set()
        assert first.result()[0] == 200


def test_a_scrape_ends_before_the_scraper_gives_up(registry, monkeypatch):
    """With what there is by then, and without what hangs."""
    held, clock = Held(registry), StillClock()
    clock.stands_for(monkeypatch, rounds, limits)
    with closing(Server(Site(registry), "127.0.0.1", 0).start()) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, server, "/metrics", {"X-Prometheus-Scrape-Timeout-Seconds": "1"})
        assert held.entered.acquire(timeout=DEADLINE)
        clock.now += 1.0
        status, body = answer.result()
    assert status == 200
    assert "\nc_total 1.0\n" in body
    assert "\nheld " not in body


def test_who_says_to_wait_for_ever_does_not_have_the_others_wait(registry, monkeypatch):
    """It has two minutes, which is more than any scraper has."""
    asked = []
    monkeypatch.setattr(pages, "collect_in_time", lambda *args: asked.append(args[2]) or collect_in_time(*args))
    for seconds in ("9e99", "119", "0.1"):
        assert respond(Site(registry), Request("GET", "/metrics", "", {SECONDS: seconds})).status == 200
    assert [(each.each, each.all) for each in asked] == [(5.0, 120.0), (5.0, 118.5), (1.0, 1.0)]


@pytest.mark.parametrize("told", ["", "soon", "nan", "inf", "-1", "0"])
def test_a_time_out_that_makes_no_sense_is_none(registry, told):
    """The usual one holds."""
    assert respond(Site(registry), Request("GET", "/metrics", "", {SECONDS: told})).status


def asking(application):
    """What calls the application for a path, and returns the status."""

    async def call(path):
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(name.encode(), value.encode()) for name, value in PATIENT.items()]
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
        await application(scope, None, send)
        return sent[0]["status"]

    return call


async def test_asgi_scrapes_take_no_thread_of_the_program(registry):
    """Nor does the loop wait; probes are answered by it while scrapes hang."""
    held = Held(registry)
    plain = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(Refusing())
    call = asking(asgi_app(Site(registry)))
    scrapes = [asyncio.create_task(call("/metrics")) for _ in range(SCRAPES)]
    await asyncio.get_running_loop().run_in_executor(plain, held.entered.acquire)
    assert await call("/metrics") == 503
    assert await call("/livez") == 200
    assert await call("/readyz") == 200
    held.may.set()
    statuses = await asyncio.gather(*scrapes)
    assert set(statuses) == {200}


async def test_asgi_scrapes_whose_clients_went_away_still_count(registry):
    """Their threads are taken until they end, so that none waits for a thread."""
    held = Held(registry)
    call = asking(asgi_app(Site(registry)))
    scrapes = [asyncio.create_task(call("/metrics")) for _ in range(SCRAPES)]
    await asyncio.to_thread(held.entered.acquire)
    await asyncio.to_thread(until, lambda: _waiting(registry) == SCRAPES - 1)
    for each in scrapes:
        each.cancel()
    await asyncio.gather(*scrapes, return_exceptions=True)
    assert await call("/metrics") == 503
    held.may.set()
    await asyncio.to_thread(until, lambda: collecting() == 0)
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(until, lambda: asyncio.run_coroutine_threadsafe(call("/metrics"), loop).result() == 200)


async def test_asgi_without_a_thread_refuses_the_scrape(registry, monkeypatch):
    """And counts it; no slot is lost by that."""
    call = asking(asgi_app(Site(registry)))
    with monkeypatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", _no_thread)
        for _ in range(SCRAPES + 1):
            assert await call("/metrics") == 503
    shortages = "manometer_server_shortages_total", {"manometer_server_resource": "thread"}
    assert registry.get_sample_value(*shortages) == SCRAPES + 1
    assert await call("/metrics") == 200


def _no_thread(*_):
    raise RuntimeError("can't start new thread")


class Refusing(ThreadPoolExecutor):
    """The program's own threads, none of which is to be had."""

    def submit(self, *_args, **_kwargs):
        raise AssertionError("the exporter took a thread of the program")
