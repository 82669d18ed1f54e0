"""The path of docs/follow-a-slow-order.md holds on real servers: alert, query, exemplar, trace, log line."""

import pytest

from alluse.stack import missing_programs
from slow_order import record
from slow_order.path import ALERT, PROMISED, STAGE, follow

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def followed(collector, tmp_path_factory):
    """What there was to see at each step."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")
    return follow(collector, tmp_path_factory.mktemp("slow-order"))


def test_the_alert_names_the_stage_that_the_query_finds_slow(followed):
    """It takes longer than it should, by the figures that the dashboard draws too."""
    told = {
        each["labels"]["engine_stage_name"]
        for each in followed.notification["alerts"]
        if each["labels"]["alertname"] == ALERT
    }
    assert STAGE in told
    assert followed.slowest[STAGE] > PROMISED


def test_the_exemplar_leads_to_a_trace_that_shows_where_the_time_went(followed):
    """In the very run of the exemplar: the stage of the alert, within its workflow."""
    (stage,) = [span for span in followed.spans if span["name"] == STAGE]
    assert stage["span_id"] == followed.exemplar["labels"]["span_id"]
    (root,) = [span for span in followed.spans if span["parent_id"] == ""]
    assert stage["parent_id"] == root["span_id"]
    assert root["seconds"] >= stage["seconds"] > PROMISED


def test_the_log_line_has_the_ids_of_the_trace(followed):
    """Those of a span that is there, whether the trace was recorded or made afterwards."""
    assert "the broker was slow" in {line["event"] for line in followed.lines}
    assert {line["trace_id"] for line in followed.lines} == {followed.exemplar["labels"]["trace_id"]}
    assert {line["span_id"] for line in followed.lines} <= {span["span_id"] for span in followed.spans}


def test_the_page_shows_each_step(followed):
    """The blocks of a run; none has the name of the machine in it, or a folder of its."""
    kept = record.of(followed)
    assert f'engine_stage_name="{STAGE}"' in record.notification(kept)
    assert STAGE in record.slowest(kept)
    assert followed.exemplar["labels"]["trace_id"] in record.exemplar(kept)
    assert f"\n  {STAGE}" in record.trace(kept)
    assert '"event": "the broker was slow"' in record.lines(kept)
    assert "generatorURL" not in str(kept)
