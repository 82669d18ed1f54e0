"""`manometer certify` on a real Prometheus: what is kept, what is broken, and what nobody can tell."""

import json
import re

import pytest

from answering import answering
from backfilled import backfilled, counting, steady
from manometer.cli import main

TARGET = 'job="shop",instance="a"'
RUNS = f'{TARGET},engine_name="shop",engine_stage_name="order",engine_stage_outcome'


def _errors(seconds):
    """One run in twenty fails, up to the last quarter of an hour."""
    return 0.5 * min(seconds, 3300)


SERIES = {
    f'cache_requests_total{{{TARGET},cache_name="prices",cache_request_type="hit"}}': counting(96),
    f'cache_requests_total{{{TARGET},cache_name="prices",cache_request_type="miss"}}': counting(4),
    f'engine_stage_duration_seconds_sum{{{RUNS}="ok"}}': counting(0.2),
    f'engine_stage_duration_seconds_count{{{RUNS}="ok"}}': counting(10),
    f'engine_stage_duration_seconds_sum{{{RUNS}="error"}}': steady(0.0),
    f'engine_stage_duration_seconds_count{{{RUNS}="error"}}': _errors,
    f"process_memory_usage_bytes{{{TARGET}}}": steady(120e6),
    'process_memory_usage_bytes{job="shop",instance="b"}': steady(80e6),
    f"up{{{TARGET}}}": steady(1),
}
PROMISES = """
service: Shop
job: shop
promises:
  - {name: most lookups hit, measure: cache_hit_ratio, at_least: 95 %}
  - {name: an order takes 25 ms, measure: stage_mean_seconds, where: {engine_stage_name: order}, at_most: 25 ms}
  - {name: errors were seen, measure: stage_error_ratio, peak_over: 1h, at_least: 4 %}
  - {name: no error after recovery, measure: stage_error_ratio, at_most: 0}
  - {name: it is scraped every 15 s, measure: scrape_interval_seconds, at_most: 16}
"""
BROKEN = """
  - {name: memory stays under 100 MB, measure: memory_bytes, at_most: 100 MB}
  - {name: checks pass, measure: health_up, at_least: 1}
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """One of it for all the tests of this file."""
    with backfilled(tmp_path_factory.mktemp("prometheus"), SERIES) as url:
        yield url


@pytest.fixture
def certify(tmp_path, capsys):
    """Runs the command: its status, its output, and its errors."""

    def run(prometheus, promises, *options):
        path = tmp_path / "promises.yaml"
        path.write_text(promises)
        status = main(["certify", "--prometheus", prometheus, "--against", str(path), *options])
        return (status, *capsys.readouterr())

    return run


@pytest.mark.servers
def test_kept_promises_end_with_status_0(prometheus, certify):
    """Each is shown with what was promised and found, and with its query."""
    status, text, errors = certify(prometheus, PROMISES)
    assert (status, errors) == (0, "")
    assert "# Certificate of Shop\n\n5 kept, 0 broken, 0 unknown; asked of http://127.0.0.1:" in text
    assert "| 1 | most lookups hit | at least 95 % | 96 % | kept |" in text
    assert "| 2 | an order takes 25 ms | at most 25 ms | 20 ms | kept |" in text
    assert re.search(r"\| 3 \| errors were seen \| at least 4 % \| 4.7\d* % \| kept \|", text)
    assert "| 4 | no error after recovery | at most 0 % | 0 % | kept |" in text
    assert "1. most lookups hit\n\n   ```promql\n   (sum by (job, instance, cache_name)" in text


@pytest.mark.servers
def test_broken_and_unknown_promises_end_with_status_1_and_show_the_worst(prometheus, certify, tmp_path):
    """What has no figure is not kept. Both forms are written where they are asked for."""
    status, text, _ = certify(prometheus, PROMISES + BROKEN, "--out", str(tmp_path / "out"))
    assert status == 1
    assert "| 6 | memory stays under 100 MB | at most 100 MB | 120 MB, the worst of 2 (instance=a) | broken |" in text
    assert "| 7 | checks pass | at least 100 % | no figure | unknown |" in text
    assert (tmp_path / "out" / "certificate.md").read_text() == text
    document = json.loads((tmp_path / "out" / "certificate.json").read_text())
    assert (document["service"], document["holds"]) == ("Shop", False)
    assert [each["verdict"] for each in document["promises"]] == ["kept"] * 5 + ["broken", "unknown"]
    memory = document["promises"][5]
    assert (memory["unit"], memory["at_most"]) == ("By", 100e6)
    assert memory["found"] == [
        {"labels": {"job": "shop", "instance": name}, "value": value} for name, value in (("a", 120e6), ("b", 80e6))
    ]
    assert memory["query"] == 'max by (job, instance) (max_over_time(process_memory_usage_bytes{job="shop"}[5m]))'


@pytest.mark.servers
def test_json_is_printed_where_it_is_asked_for(prometheus, certify):
    """An infinite figure is a text there, as in Prometheus's own JSON."""
    promise = "promises: [{name: a, query: vector(1) / 0, at_most: 1}]"
    status, text, _ = certify(prometheus, promise, "--json")
    assert status == 1
    assert json.loads(text)["promises"][0]["found"] == [{"labels": {}, "value": "+Inf"}]


@pytest.mark.servers
def test_a_query_that_prometheus_refuses_ends_with_status_2(prometheus, certify):
    """In Prometheus's own words."""
    status, text, errors = certify(prometheus, "promises: [{name: a, query: 'sum(', at_most: 1}]")
    assert (status, text) == (2, "")
    assert re.search(r"manometer: http\S+ refused a query: invalid parameter .*parse error.* \(sum\(\)", errors)
    status, _, errors = certify(prometheus, "promises: [{name: a, query: 'up[5m]', at_most: 1}]")
    assert (status, errors) == (2, "manometer: the query has no value of now, but a range or a text: up[5m]\n")


def test_mistakes_of_the_file_end_with_status_2(certify):
    """All of them, before anything is asked."""
    status, _, errors = certify("http://127.0.0.1:1", "promises: [{name: a, query: b}, {query: c, at_most: 1}]")
    assert status == 2
    assert [line.partition(" in file")[0] for line in errors.splitlines()] == [
        "manometer: a promise has no bound",
        "manometer: a promise has no name",
    ]


def test_a_prometheus_that_is_none_is_told_without_its_password(certify):
    """Nothing listens, or something else does."""
    promise = "promises: [{name: a, query: b, at_most: 1}]"
    status, _, errors = certify("http://al:hush@127.0.0.1:1", promise)
    assert status == 2
    assert errors == ("manometer: http://***@127.0.0.1:1 cannot be asked: connection refused; is it running?\n")
    assert certify("ftp://al:hush@a", promise)[2] == (
        "manometer: 'ftp://***@a' is no address of a Prometheus; write it as http://127.0.0.1:9090\n"
    )

    def other(request):
        request.send_response(404)
        request.end_headers()

    with answering(other) as url:
        status, _, errors = certify(url, promise)
    assert (status, errors) == (
        2,
        f"manometer: {url} is no Prometheus: it answered 404 Not Found, and not as its API does\n",
    )


def test_a_folder_that_cannot_be_written_is_named(certify, tmp_path):
    """The certificate is not lost in silence."""

    def empty(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b'{"status": "success", "data": {"resultType": "vector", "result": []}}')

    (tmp_path / "file").write_text("")
    with answering(empty) as url:
        promise = "promises: [{name: a, query: b, at_most: 1}]"
        status, _, errors = certify(url, promise, "--out", str(tmp_path / "file"))
    assert (status, errors) == (
        2,
        f"manometer: {tmp_path / 'file'} cannot be written: File exists; give another by --out\n",
    )
