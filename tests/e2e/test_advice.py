"""The commands that ask a Prometheus, on one that scrapes the engine."""

import json

import pytest

from manometer.cli import main
from manometer.cli.prometheus import Prometheus
from manometer.mixin.measures import MEASURES

pytestmark = pytest.mark.servers


def test_advice_is_given_of_what_the_engine_shows(world, eventually, capsys):
    """Each subject is judged: the traffic of a minute is enough of most, and no query is refused."""

    def judged():
        assert main(["advise", "--prometheus", world.stack.prometheus_url, "--window", "1m", "--json"]) in (0, 1)
        found = json.loads(capsys.readouterr().out)["judged"]
        return found if found["CacheTooLarge"] and found["StageWorthCaching"] and found["GcPolicyCostly"] else None

    found = eventually(judged, 240, judged)
    assert found["PoolTooLarge"]


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_a_measure_has_a_figure_of_the_engine(world, eventually, name):
    """There is nothing to promise that the engine does not show."""
    query = MEASURES[name].query({"job": "alluse"}, "1m")
    eventually(lambda: Prometheus(world.stack.prometheus_url).query(query), 120, query)
