"""The tables of the documentation."""

from pathlib import Path

import yaml

from manometer.catalogue import SUBJECTS
from manometer.mixin.rules import alerts
from manometer.mixin.rules.analytics.signals import signals
from manometer.mixin.tables import (
    advice_table,
    alerts_table,
    conventions_table,
    dashboards_table,
    measures_table,
    metrics_table,
    panels_table,
    precedence_table,
    signals_table,
    thresholds_table,
)
from manometer.mixin.thresholds import Thresholds, parse

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_pages_have_the_tables():
    """`make docs` after a change, and commit what it wrote."""
    assert f"\n{metrics_table()}\n" in (DOCS / "metrics.md").read_text()
    assert f"\n{alerts_table(runbooks='runbooks')}\n" in (DOCS / "alerts.md").read_text()
    assert f"\n{precedence_table()}\n" in (DOCS / "alerts.md").read_text()
    assert f"\n{panels_table()}\n" in (DOCS / "dashboards.md").read_text()
    assert f"\n{thresholds_table()}\n" in (DOCS / "alerts.md").read_text()
    assert f"\n{dashboards_table()}\n" in (DOCS / "dashboards.md").read_text()
    assert f"\n{advice_table()}\n" in (DOCS / "advice.md").read_text()
    assert f"\n{measures_table()}\n" in (DOCS / "certify.md").read_text()


def test_every_metric_has_a_row_under_its_subject():
    """With its labels' values where those are a closed set."""
    text = metrics_table()
    assert "| `cache_requests_total` | counter | cache_name, cache_request_type=hit/miss | request | Lookups" in text
    for subject, rows in SUBJECTS.items():
        assert f"### {subject}\n" in text
        assert all(f"| `{row.prometheus_name}` |" in text for row in rows)


def test_every_name_of_a_convention_has_a_row_and_every_other_one_a_line():
    """Whose it is, or what it stands next to."""
    page = (DOCS / "conventions.md").read_text()
    assert f"\n{conventions_table()}\n" in page
    theirs, _, ours = page.partition("## Names of our own")
    for row in (row for rows in SUBJECTS.values() for row in rows):
        if row.convention is None:
            assert f"| `{row.name}` |" in ours
        else:
            assert f"| `{row.name}` |" in theirs


def test_every_alert_has_a_row_with_its_runbook():
    """The link is as seen from the page that the table is on."""
    text = alerts_table(runbooks="runbooks")
    for alert in alerts(Thresholds()):
        assert f"| `{alert.name}` | {alert.severity.value} | {alert.fires} |" in text
        assert f"(runbooks/{alert.name}.md)" in text
    assert "(docs/runbooks/BreakerOpen.md)" in alerts_table()
    assert r"(a\|b/BreakerOpen.md)" in alerts_table("a|b")  # a bar would end the cell


def test_every_dashboard_has_a_row_and_every_panel_a_place():
    """By the question that it answers."""
    assert "| `pool` | How full the pools of connections and objects are" in dashboards_table()
    assert "| `pool` | What comes? | Pool saturation in 30m; Fit of the saturation's trend |" in panels_table()


def test_every_signal_has_a_row():
    """With its unit, and the grain as people write it."""
    text = signals_table()
    assert "| `memory` | resident memory of a process | bytes | 1e+07 |" in text
    assert len(text.splitlines()) == 2 + len(signals(Thresholds()))


def test_every_threshold_has_its_default_as_a_file_gives_it():
    """The last column of each row, read as YAML, is the part's defaults; and the row says what each key means."""
    for row in thresholds_table().splitlines()[2:]:
        name, means, written = (cell.strip("` ") for cell in row.strip("|").split(" | "))
        given = yaml.safe_load(written)
        assert parse({name: given}) == Thresholds()
        if name != "score":
            assert all(key in means or "forecast_*" in means for key in given), name


def test_a_table_keeps_its_columns():
    """Every line has as many cells as its head."""
    for table in (alerts_table(), advice_table(), measures_table()):
        assert {line.count(" | ") for line in table.splitlines()} == {3}
