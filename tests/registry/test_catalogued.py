"""Families and meters of catalogue rows."""

import pytest

from manometer import Counter, Gauge, Histogram, MetricError
from manometer.catalogue import Kind, MetricSpec
from manometer.meters.metric_view import MetricView
from manometer.registry.catalogued import described, meter, pulled

REQUESTS = MetricSpec(name="shop.requests", kind=Kind.COUNTER, unit="{request}", help="Asked.", attributes=("b", "a"))
ROOM = MetricSpec(name="shop.room", kind=Kind.GAUGE, unit="By", help="Free.")
TAKEN = MetricSpec(name="shop.taken", kind=Kind.HISTOGRAM, unit="s", help="Took.", buckets=(1.0, 2.0))
SHARE = MetricSpec(name="shop.share", kind=Kind.GAUGE, unit="1", help="Share.")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (REQUESTS, ("shop_requests", "Asked.", "counter", "")),
        (ROOM, ("shop_room_bytes", "Free.", "gauge", "bytes")),
        (TAKEN, ("shop_taken_seconds", "Took.", "histogram", "seconds")),
        (SHARE, ("shop_share_ratio", "Share.", "gauge", "")),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_a_row_makes_its_family(row, expected):
    """Of the same name, help, type and unit, whether it is pulled or a meter; units are base units."""
    kind = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}[row.kind.value]
    for made in (*described([row]), *meter(row, kind).describe(), *meter(row, kind).collect()):
        assert (made.name, made.documentation, made.type, made.unit) == expected
    assert [each.samples for each in described([row])] == [[]]


def test_a_meter_has_its_rows_labels_and_buckets():
    """Settings of the caller's go before the row's."""
    assert meter(REQUESTS, Counter).labelnames == ("b", "a")
    assert meter(TAKEN, Histogram).bounds == (1, 2, float("inf"))
    assert meter(TAKEN, Histogram, buckets=(7,)).bounds == (7, float("inf"))
    capped = meter(REQUESTS, Counter, max_series=1)
    assert [capped.labels(each, each) for each in "xyz"][1:] == [capped.labels("other", "other")] * 2


def test_a_meter_of_another_kind_is_refused():
    """The message says which it is."""
    with pytest.raises(MetricError) as caught:
        meter(REQUESTS, Gauge)
    assert str(caught.value) == "'shop.requests' is a counter, not a gauge"


def test_pulled_figures_are_put_together_by_family():
    """In the order in which families came, with the catalogue's order of labels."""
    figures = [
        (REQUESTS, {"a": "1", "b": "2"}, 3),
        (ROOM, {}, 4),
        (REQUESTS, {"b": "5", "a": "6"}, 7),
    ]
    found = [*map(MetricView, pulled(figures))]
    assert [(each.name, [(s.name, [*s.labels.items()], s.value) for s in each.samples]) for each in found] == [
        (
            "shop_requests",
            [
                ("shop_requests_total", [("b", "2"), ("a", "1")], 3.0),
                ("shop_requests_total", [("b", "5"), ("a", "6")], 7.0),
            ],
        ),
        ("shop_room_bytes", [("shop_room_bytes", [], 4.0)]),
    ]
    assert all(type(sample.value) is float for each in found for sample in each.samples)
