"""Settings that change while a program runs: all of them or none, and the log tells."""

import logging
from dataclasses import dataclass, field

import pytest

from manometer.config import Live, Reload, SettingsError


def _live(default, **more):
    return field(default=default, metadata={"live": True, **more})


@dataclass(frozen=True)
class Shop:
    """A program's settings, of which some may change."""

    rate: int = _live(1)
    pace: int = _live(1)
    key: str = _live("none", secret=True)
    url: str = _live("http://a")
    port: int = 80
    password: str = field(default="none", metadata={"secret": True})


class Till:
    """Takes changes, and can refuse them."""

    def __init__(self):
        self.taken = []
        self.refuses = None

    def __call__(self, new):
        if new == self.refuses:
            raise OSError("no till for https://ann:hunter2@till")
        self.taken.append(new)


@pytest.fixture
def told(caplog):
    """The log's lines so far."""
    caplog.set_level(logging.INFO, "manometer")
    return lambda: [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


def test_what_may_change_changes(told):
    """It is handed to whoever takes it, and told of; nobody else is told."""
    live, rates, others = Live(Shop()), Till(), Till()
    live.on_change(["rate", "pace"], rates)
    live.on_change(["url"], others)
    new = Shop(rate=2, pace=3)
    assert live.reload(lambda: new) is Reload.OK
    assert live.settings == new
    assert (rates.taken, others.taken) == ([new], [])
    assert told() == ["INFO the setting rate is 2 now", "INFO the setting pace is 3 now"]


def test_what_nobody_takes_changes_too():
    """Nothing that runs depends on it, so it holds at once."""
    live = Live(Shop())
    assert live.reload(lambda: Shop(rate=2)) is Reload.OK
    assert live.settings.rate == 2


def test_no_change_is_told_too(told):
    """Whoever asked sees that it was heard."""
    live = Live(Shop())
    assert live.reload(Shop) is Reload.OK
    assert told() == ["INFO the settings were read again, and none has changed"]


def test_what_cannot_change_needs_a_restart(told):
    """The rest changes meanwhile; it is told again as often as it is asked for."""
    live = Live(Shop())
    for _ in range(2):
        assert live.reload(lambda: Shop(rate=2, port=81)) is Reload.PARTIAL
    assert live.settings == Shop(rate=2, port=80)
    assert told() == [
        "INFO the setting rate is 2 now",
        "WARNING the setting port needs a restart to become 81",
        "WARNING the setting port needs a restart to become 81",
    ]


def test_no_secret_is_told(told):
    """That it has changed is; a URL is told without its password."""
    live = Live(Shop())
    live.reload(lambda: Shop(key="hunter2", url="http://ann:hunter2@a", password="hunter2"))
    assert told() == [
        "INFO the setting key is *** now",
        "INFO the setting url is http://***@a now",
        "WARNING the setting password needs a restart to become ***",
    ]


def test_wrong_settings_change_nothing(told):
    """The log has all that is wrong."""
    live, till = Live(Shop()), Till()
    live.on_change(["rate"], till)

    def load():
        raise SettingsError(["rate is 'x' in file a, line 1", "unknown setting 'prot' in file a, line 2"])

    assert live.reload(load) is Reload.REFUSED
    assert (live.settings, till.taken) == (Shop(), [])
    assert told() == [
        "ERROR the settings stay as they are: rate is 'x' in file a, line 1; unknown setting 'prot' in file a, line 2"
    ]


def test_one_that_refuses_a_change_undoes_all(told):
    """Those that have taken it are given the old settings back, in the opposite order, whatever one of them does."""
    live, first, second, third = Live(Shop()), Till(), Till(), Till()
    for each in (first, second, third):
        live.on_change(["rate"], each)
    third.refuses = Shop(rate=2)
    second.refuses = Shop()
    assert live.reload(lambda: Shop(rate=2)) is Reload.REFUSED
    assert live.settings == Shop()
    assert first.taken == [Shop(rate=2), Shop()]
    assert second.taken == [Shop(rate=2)]
    assert told() == [
        "ERROR a setting could not be put back",
        "ERROR the settings stay as they are: no till for https://***@till",
    ]
