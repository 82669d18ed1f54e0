"""What may be decided about an engine."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from alluse.book import database_url
from alluse.errors import SettingsError
from alluse.load import check_rate

__all__ = ["NO_BOOK", "TEMPORARY_BOOK", "Settings"]

TEMPORARY_BOOK = "temporary"
NO_BOOK = "none"

_LEAST = {"bars_ahead": 0}  # of a count, where it is not 1


def _setting(default: Any, meaning: str, *, secret: bool = False, live: bool = False) -> Any:
    """A field. secret: whether nobody is to see the value; live: whether it may change while the engine runs."""
    return field(default=default, metadata={"help": meaning, "secret": secret, "live": live})


@dataclass(frozen=True, slots=True)
class Settings:
    """An engine's settings, with ALL-USE's own as defaults. Times are in seconds."""

    rate: float = _setting(20.0, "Workflows a second.", live=True)
    csv: tuple[Path, ...] = _setting((), "Files of prices by symbol; none for the bundled ones.")
    book: str = _setting(
        TEMPORARY_BOOK,
        "URL of the book's database, such as sqlite:///book.sqlite or postgresql://user@host/database; "
        "temporary for a SQLite file that goes with the engine, none for no database.",
        secret=True,
    )
    accounts: int = _setting(200, "Accounts that the load goes through.")
    workers: int = _setting(16, "Threads that run workflows.")
    connections: int = _setting(15, "Connections to the book's database.")
    connection_patience: float = _setting(2.0, "Time that a workflow waits for a connection.")
    bars_cached: int = _setting(15_000, "Days of prices that are kept in memory.")
    bars_kept: float = _setting(300.0, "Time that they are kept.")
    bars_ahead: int = _setting(5, "Days that are loaded ahead of demand.")
    bar_workers: int = _setting(12, "Threads that load prices.")
    orders_limit: int = _setting(1_000, "Order objects that there may be.")
    orders_cleaned_every: float = _setting(300.0, "Time between two removals of idle order objects.")
    approval_delay: float = _setting(0.01, "Time that an approval takes.")
    approval_patience: float = _setting(2.0, "Time that a workflow waits for an approval.")
    approvals_waiting: int = _setting(8, "Requests for approval that may wait.")
    breaker_failures: int = _setting(5, "Failures of the broker after which no more is sent.")
    breaker_reset: float = _setting(10.0, "Time after which the broker is tried again.")
    workflows_a_day: int = _setting(200, "Workflows after which the next day of prices begins.")

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type is int and value < _LEAST.get(each.name, 1):
                raise SettingsError(f"{each.name} is {value}; it must be at least {_LEAST.get(each.name, 1)}")
            if each.type is float and each.name != "rate" and not 0 <= value < math.inf:
                raise SettingsError(f"{each.name} is {value}; it must be a number of seconds, 0 or more")
        check_rate(self.rate)
        if self.book not in (TEMPORARY_BOOK, NO_BOOK):
            database_url(self.book)
