"""Putting a collector on a registry whose names may be taken."""

import pytest
from prometheus_client import CollectorRegistry

from manometer import Gauge
from manometer.meters.registration import DuplicateMetricError, DuplicateTimeseries, register

TAKEN = "Duplicated timeseries in CollectorRegistry: {'shop_total', 'shop'}"
ADVICE = (
    "the shop cannot be registered: the registry has shop, shop_total already; "
    "give one of the two another name, or use the metric that is there"
)


class Refusing(CollectorRegistry):
    """A registry that takes nothing."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def register(self, collector):
        """Refuse it."""
        raise self.error


@pytest.mark.parametrize("error", [ValueError(TAKEN), DuplicateTimeseries({"shop_total", "shop"})])
def test_the_names_that_are_taken_are_told(error):
    """As any version of prometheus-client tells of them."""
    with pytest.raises(DuplicateMetricError) as caught:
        register(Refusing(error), Gauge("shop", "Help.", registry=None), "the shop")
    assert (str(caught.value), caught.value.duplicates) == (ADVICE, {"shop", "shop_total"})
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("text", ["another", f"after {TAKEN}", "Duplicated timeseries in CollectorRegistry: "])
def test_another_error_is_passed_on(text):
    """A registry of the program's own may raise any."""
    error = ValueError(text)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is the very one
        register(Refusing(error), Gauge("shop", "Help.", registry=None), "the shop")
    assert caught.value is error


def test_the_metric_that_cannot_be_registered_is_named():
    """By its full name."""
    registry = CollectorRegistry()
    parts = {"documentation": "Help.", "namespace": "my", "unit": "seconds", "registry": registry}
    Gauge("shop", **parts)
    with pytest.raises(
        DuplicateMetricError, match=r"^metric 'my_shop_seconds' cannot be registered: the registry has"
    ):
        Gauge("shop", **parts)
