"""Health of whole programs, asked for over HTTP."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import closing

from manometer import Manometer, Settings, check, checks
from ports import reserved_port
from waiting import DEADLINE, joined, until


def _ask(url):
    """The status of a page, and the page; nothing while nobody serves."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return None


def test_a_blocked_loop_fails_the_probe_of_life_while_it_is_blocked(registry):
    """The exporter's threads see it, and answer."""
    blocked, go_on = threading.Event(), threading.Event()

    def block():
        blocked.set()
        go_on.wait(DEADLINE)

    with (
        closing(asyncio.new_event_loop()) as loop,
        Manometer(Settings(port=0, health_interval=0.01), registry=registry) as manometer,
    ):
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        check("loop", checks.loop_lag(0.05, loop=loop), groups=["live"], registry=registry)
        until(lambda: _ask(f"{manometer.url}/livez?verbose")[1].startswith("loop (critical): ok"))
        loop.call_soon_threadsafe(block)
        assert blocked.wait(DEADLINE)
        told = "loop (critical): the event loop has not answered within 0.05 s\nnot alive\n"
        until(lambda: _ask(f"{manometer.url}/livez") == (503, told))
        assert _ask(f"{manometer.url}/readyz") == (200, "ready\n")
        go_on.set()
        until(lambda: _ask(f"{manometer.url}/livez") == (200, "ok\n"))
        loop.call_soon_threadsafe(loop.stop)
        joined(thread)


PROGRAM = """
import asyncio, os, sys
import uvicorn
import manometer

pages = manometer.asgi_app()
life = manometer.lifecycle()
loaded, loops = asyncio.Event(), set()

async def ping():
    loops.add(asyncio.get_running_loop())
    assert loops == {the_loop}

async def load():
    await loaded.wait()
    life.ready()

async def app(scope, receive, send):
    global the_loop, loading
    if scope["type"] == "lifespan":
        await receive()
        life.starting()
        the_loop = asyncio.get_running_loop()
        manometer.check("db", ping, groups=["startup", "ready"])
        loading = asyncio.create_task(load())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/load":
        loaded.set()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    else:
        await pages(scope, receive, send)

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


def test_an_asynchronous_program_starts_and_is_ready(tmp_path):
    """Under uvicorn: its check runs on the server's loop, and its start is done when it says so."""
    with (
        reserved_port() as port,
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM, str(port)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ,
        ) as program,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            first = until(lambda: program.poll() is not None or _ask(f"{url}/startupz"))
            assert first is not True, program.stderr.read()
            until(lambda: _ask(f"{url}/startupz") == (503, "the program is starting\nnot started\n"))
            assert _ask(f"{url}/livez") == (200, "ok\n")
            assert _ask(f"{url}/load")[0] == 204
            until(lambda: _ask(f"{url}/readyz") == (200, "ready\n"))
            status, body = _ask(f"{url}/health")
            assert (status, json.loads(body)["status"]) == (200, "pass")
        finally:
            program.terminate()
            errors = program.communicate(timeout=DEADLINE)[1]
    assert errors == ""
