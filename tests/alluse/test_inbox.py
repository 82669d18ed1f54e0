"""The inbox takes in what Alertmanager sends, and survives what it does not."""

import http.client
import json
import socket

import pytest

from alluse.errors import SettingsError
from alluse.inbox import KEPT, Delivery, Inbox, read
from ports import reserved_port
from waiting import DEADLINE


def payload(**changes):
    """A webhook's body as Alertmanager 0.25 writes it, shortened."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "BreakerOpen", "severity": "critical", "job": "alluse", "breaker_name": "broker"},
        "annotations": {"summary": "Breaker broker of alluse is open"},
        "startsAt": "2026-01-02T03:04:05Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "0123456789abcdef",
    }
    whole = {"version": "4", "receiver": "page", "status": "firing", "alerts": [alert], "truncatedAlerts": 0}
    return json.dumps({**whole, **changes}).encode()


@pytest.fixture
def heard():
    """What the inbox told, alerts and refusals."""
    return []


@pytest.fixture
def inbox(heard):
    """An inbox on a free port."""
    with Inbox(port=0, heard=heard.append, refused=heard.append) as inbox:
        yield inbox


def ask(inbox, method, path, body=None, headers=()):
    """The status and the text of an answer."""
    connection = http.client.HTTPConnection(inbox.address, timeout=DEADLINE)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_delivery_is_told_and_kept(inbox, heard):
    """An alert is heard once, with its receiver, and shown at /alerts."""
    assert ask(inbox, "POST", "/", payload()) == (200, "")
    (delivery,) = heard
    assert (delivery.receiver, delivery.status, delivery.labels["alertname"]) == ("page", "firing", "BreakerOpen")
    status, text = ask(inbox, "GET", "/alerts")
    assert status == 200
    assert json.loads(text) == [json.loads(delivery.json())]
    assert inbox.deliveries == [delivery]


def test_a_line_says_what_and_whose(inbox, heard):
    """A person reads who is told, what happens, and to which of them."""
    ask(inbox, "POST", "/", payload())
    assert heard[0].line() == (
        "page: firing BreakerOpen (critical) Breaker broker of alluse is open [breaker_name=broker job=alluse]"
    )


def test_a_line_is_one_line_and_printable():
    """Whatever an alert's texts hold, a terminal is not led astray by them."""
    delivery = Delivery("page", "firing", {"alertname": "A\x1b[2J"}, {"summary": "one\n two\tthree"}, "", "")
    assert delivery.line() == "page: firing A?[2J (none) one two three []"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b"\xff\xfe", "the body is no JSON"),
        (b"[]", "no list of alerts"),
        (payload(alerts={}), "no list of alerts"),
        (payload(version="3"), "version '3'"),
        (payload(receiver=None), "names no receiver"),
        (payload(alerts=[1]), "alert 1 is neither firing nor resolved"),
        (payload(alerts=[{"status": "on"}]), "alert 1 is neither"),
        (payload(alerts=[{"status": "firing", "labels": []}]), "labels of alert 1"),
        (payload(alerts=[{"status": "firing", "annotations": {"summary": 1}}]), "annotations of alert 1"),
        (payload(alerts=[{"status": "firing", "startsAt": 5}]), "alert 1 has a time"),
    ],
)
def test_a_malformed_payload_is_refused_with_its_reason(inbox, heard, body, reason):
    """The sender gets 400 and the reason, which is told too; nothing is kept, and the inbox goes on."""
    status, text = ask(inbox, "POST", "/", body)
    assert status == 400
    assert reason in text
    assert len(heard) == 1
    assert heard[0].startswith("refused a request from 127.0.0.1: ")
    assert inbox.deliveries == []
    assert ask(inbox, "POST", "/", payload())[0] == 200


def test_a_body_without_an_honest_length_is_refused(inbox, heard):
    """What is too long, says not how long it is, or breaks off, is not waited for."""
    assert ask(inbox, "POST", "/", headers={"Content-Length": "99999999999"})[0] == 400
    assert ask(inbox, "POST", "/", headers={"Content-Length": "many"})[0] == 400
    with socket.create_connection(inbox.address.split(":"), timeout=DEADLINE) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.0 400")
    assert [reason.partition(": ")[2] for reason in heard] == [
        "the body is longer than 4,000,000 bytes",
        "the request says not how long it is; send a Content-Length",
        "the body broke off",
    ]


def test_other_paths_say_what_there_is(inbox):
    """A lost visitor is told the way; who asks for life is answered."""
    assert ask(inbox, "GET", "/livez") == (200, "ok\n")
    assert ask(inbox, "GET", "/")[0] == 404
    assert ask(inbox, "POST", "/alerts", b"{}")[0] == 404


def test_the_oldest_deliveries_go(inbox):
    """However much is delivered, only the latest are kept."""
    (one,) = read(payload())
    inbox.take([one._replace(started=str(number)) for number in range(KEPT + 3)])
    kept = inbox.deliveries
    assert len(kept) == KEPT
    assert (kept[0].started, kept[-1].started) == ("3", str(KEPT + 2))


def test_a_taken_port_is_the_users_mistake(inbox):
    """The error names the address and the option."""
    port = int(inbox.address.rpartition(":")[2])
    with pytest.raises(SettingsError, match=rf"cannot listen on 127.0.0.1:{port}: .*; choose another --port"):
        Inbox(port=port, heard=print, refused=print)
    with pytest.raises(SettingsError, match="choose another --port"):
        Inbox(port=99_999, heard=print, refused=print)


def test_closing_frees_the_port(heard):
    """Another inbox can listen where one was; closing twice is no harm."""
    with reserved_port() as port:
        first = Inbox(port=port, heard=heard.append, refused=heard.append)
        first.close()
        first.close()
        with Inbox(port=port, heard=heard.append, refused=heard.append) as second:
            assert second.address == first.address
