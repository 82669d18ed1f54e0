"""What a program says of its own life, and which pages follow it."""

import pytest

import manometer
from forking import in_child
from manometer.health import Checks, Lifecycle, Phase, check
from manometer.serving.pages import Request, Site, respond


def _statuses(site):
    return [respond(site, Request("GET", path, "", {})).status for path in ("/livez", "/startupz", "/readyz")]


@pytest.mark.parametrize(
    ("said", "phase", "statuses"),
    [
        ([], Phase.READY, [200, 200, 200]),
        (["starting"], Phase.STARTING, [200, 503, 503]),
        (["starting", "ready"], Phase.READY, [200, 200, 200]),
        (["starting", "ready", "stopping"], Phase.STOPPING, [200, 200, 503]),
        (["starting", "stopping"], Phase.STOPPING, [200, 503, 503]),
        (["starting", "stopping", "ready"], Phase.STOPPING, [200, 200, 503]),
        (["stopping", "starting"], Phase.STARTING, [200, 503, 503]),
        (["stopping", "starting", "ready"], Phase.READY, [200, 200, 200]),
    ],
)
def test_pages_follow_what_the_program_says(registry, said, phase, statuses):
    """It lives in any case; it has started once it said so; it takes work between its start and its stop."""
    lifecycle = Lifecycle()
    for word in said:
        getattr(lifecycle, word)()
    assert (lifecycle.phase, _statuses(Site(registry, lifecycle=lifecycle))) == (phase, statuses)


@pytest.mark.parametrize(
    ("said", "statuses"),
    [
        (["starting"], [503, 503, 503, 503, 200]),
        (["starting", "ready"], [200, 200, 200, 200, 200]),
        (["stopping"], [503, 503, 503, 200, 200]),
    ],
)
def test_the_page_of_all_checks_follows_it_too(registry, said, statuses):
    """Each group but `live`; `startup` as the page of its name does."""
    check("orders", lambda: None, groups=["orders"], critical=False, registry=registry)
    lifecycle = Lifecycle()
    for word in said:
        getattr(lifecycle, word)()
    site = Site(registry, Checks.on(registry).all, lifecycle=lifecycle)
    queries = ["", *(f"group={each}" for each in ("orders", "ready", "startup", "live"))]
    assert [respond(site, Request("GET", "/health", each, {})).status for each in queries] == statuses


def test_readyz_says_in_which_phase_the_program_is(registry):
    """In words."""
    lifecycle = Lifecycle()
    site = Site(registry, lifecycle=lifecycle)
    lifecycle.starting()
    assert respond(site, Request("GET", "/readyz", "", {})).body == b"the program is starting\nnot ready\n"
    assert respond(site, Request("GET", "/startupz", "", {})).body == b"the program is starting\nnot started\n"
    lifecycle.stopping()
    assert respond(site, Request("GET", "/readyz", "", {})).body == b"the program is stopping\nnot ready\n"
    lifecycle.starting()
    lifecycle.ready()
    assert respond(site, Request("GET", "/startupz", "", {})).body == b"started\n"


def test_a_registry_has_one_lifecycle(registry):
    """What the program says is what its pages see, whatever serves them."""
    life = manometer.lifecycle(registry)
    assert life is Checks.on(registry).lifecycle
    life.starting()
    statuses = []
    manometer.wsgi_app(registry)(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/startupz"}, lambda status, _: statuses.append(status)
    )
    with manometer.Manometer(manometer.Settings(port=0), registry=registry):
        assert life.phase is Phase.STARTING
    assert statuses == ["503 Service Unavailable"]


def test_a_forked_child_goes_on_in_its_parent_s_phase(registry):
    """Nobody says again in the child what the program said before."""
    life = manometer.lifecycle(registry)
    check("db", lambda: None, registry=registry)
    life.starting()

    def child():
        assert life.phase is Phase.STARTING
        life.ready()
        assert life.phase is Phase.READY

    in_child(child)
    assert life.phase is Phase.STARTING
