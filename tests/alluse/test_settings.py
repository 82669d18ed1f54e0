"""Tests of alluse.settings."""

import math
from dataclasses import fields

import pytest

from alluse.errors import SettingsError
from alluse.settings import Settings

NUMBERS = [(field.name, field.type) for field in fields(Settings) if field.type in (int, float)]


@pytest.mark.parametrize(("name", "kind"), NUMBERS)
def test_number_that_makes_no_sense_is_refused_by_name(name: str, kind: type):
    """A count or a time under what it can be; a time without end."""
    for value in (-1,) if kind is int else (-1.0, math.nan, math.inf):
        with pytest.raises(SettingsError, match=f"^{name} is {value}; it must be"):
            Settings(**{name: value})


def test_bars_may_be_loaded_on_demand_alone():
    """None ahead is a choice; no worker at all is none."""
    assert Settings(bars_ahead=0).bars_ahead == 0
    with pytest.raises(SettingsError, match="workers is 0; it must be at least 1"):
        Settings(workers=0)
