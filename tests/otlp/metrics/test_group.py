"""The processes of one directory push one stream of exact totals, whichever of them pushes."""

import sys
from threading import Timer

import pytest

from forking import forked, in_child
from groups import serving
from manometer import Counter, Manometer, Settings
from manometer.otlp.metrics import push
from manometer.processes.turn import Turn
from otlp_translation import resource, translated
from waiting import DEADLINE, until

WORK = """
import os
import manometer
from manometer.otlp.metrics import push

push.FLUSH_SECONDS = 100.0  # a busy machine may be slow to end all of them
served = manometer.Counter("served", "Answers.")

def work(path):
    served.inc()
    return str(os.getpid()).encode()
"""


def _totals(receiver, name="served_total"):
    found = [translated([request]).values.get((name, frozenset())) for request in receiver.metrics]
    return [total for total in found if total is not None]


def _instances(receiver):
    return {resource(request)["service.instance.id"] for request in receiver.metrics}


def test_a_turn_is_one_process_s_until_it_ends(tmp_path):
    """The next one has it then, and finds the same id of the group."""
    turn, other = Turn(tmp_path, "otlp"), Turn(tmp_path, "otlp")
    assert turn.take()
    assert turn.take()
    group = turn.group

    def child():
        assert not other.take()
        turn.forget()  # which the fork has done to the lock itself
        assert not turn.take()

    in_child(child)
    assert not other.take(0.01)
    turn.end()
    assert other.take()
    assert other.group == group
    assert not turn.take()
    other.end()


def test_who_ends_waits_for_one_that_ends_too(tmp_path):
    """And for nobody else: that one goes on, and does the work."""
    turn, other = Turn(tmp_path, "otlp"), Turn(tmp_path, "otlp")
    assert turn.take()
    assert not other.take(float(DEADLINE))
    turn.is_last()
    Timer(0.05, turn.end).start()
    assert other.take(float(DEADLINE))
    assert not turn.take(float(DEADLINE))  # the word of the one before is not that of the next
    other.end()


def test_a_turn_whose_file_is_gone_is_taken_anew(tmp_path):
    """As where somebody has emptied the directory: else each process would have a turn of its own."""
    turn, other = Turn(tmp_path, "otlp"), Turn(tmp_path, "otlp")
    assert turn.take()
    (tmp_path / "otlp").unlink()
    assert other.take()
    assert not turn.take()
    with pytest.raises(ValueError, match="another process's turn"):
        turn.group  # noqa: B018 - asking is what fails
    other.end()


@pytest.mark.parametrize("instance", ["group", "process"])
def test_forked_children_count_once(registry, receiver, tmp_path, monkeypatch, instance):
    """Pushed by one as the group, or each by itself, what was counted comes to the same."""
    monkeypatch.setattr(push, "FLUSH_SECONDS", float(DEADLINE))
    settings = Settings(
        port=0,
        processes_dir=str(tmp_path / "group"),
        otlp_endpoint=receiver.url,
        otlp_instance=instance,
        metric_export_interval=0.05,
    )
    counter = Counter("served", "Answers.", registry=registry)
    with Manometer(settings, registry=registry) as running:
        counter.inc(5)
        until(lambda: 5 in _totals(receiver))

        def child():
            counter.inc(10)
            running.close()

        with forked(child), forked(child):
            pass
        counter.inc(100)
    last = {}
    for request, total in zip(receiver.metrics, _totals(receiver), strict=True):
        last[resource(request)["service.instance.id"]] = total
    assert sorted(last.values()) == ([125] if instance == "group" else [10, 10, 105])


def _gunicorn(path, receiver, *options):
    command = (sys.executable, "-m", "gunicorn", "-w", "4", "-b", "127.0.0.1:0", "--no-control-socket")
    listening = r"Listening at: http://127\.0\.0\.1:(\d+)"
    return serving(path, WORK, listening, *command, *options, "wsgi:app", **_pushing_to(receiver))


def _pushing_to(receiver):
    return {"MANOMETER_OTLP_ENDPOINT": receiver.url, "MANOMETER_METRIC_EXPORT_INTERVAL": "0.2"}


SERVERS = {
    "gunicorn": _gunicorn,
    "gunicorn --preload": lambda path, receiver: _gunicorn(path, receiver, "--preload"),
}


@pytest.mark.servers
@pytest.mark.parametrize("server", SERVERS)
def test_a_server_s_workers_push_as_one(receiver, tmp_path, server):
    """Every answer is in the last push, no total falls on the way, and the instance stays the same."""
    with SERVERS[server](tmp_path, receiver) as running:
        workers = set()
        answers = 0
        while len(workers) < 2 or answers < 50:
            workers.add(running.get("/work"))
            answers += 1
        until(lambda: _totals(receiver)[-1:] == [answers])
        for _ in range(25):
            running.get("/work")
    totals = _totals(receiver)
    assert totals == sorted(totals)
    assert totals[-1] == answers + 25
    assert len(_instances(receiver)) == 1
