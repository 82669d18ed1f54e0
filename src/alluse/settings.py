"""What may be decided about an engine."""

import math
from dataclasses import dataclass, fields
from pathlib import Path

from alluse.book import database_url
from alluse.errors import SettingsError

__all__ = ["NO_BOOK", "TEMPORARY_BOOK", "Settings"]

TEMPORARY_BOOK = "temporary"
NO_BOOK = "none"

_LEAST = {"bars_ahead": 0}  # of a count, where it is not 1


@dataclass(frozen=True, slots=True)
class Settings:
    """An engine's settings, with ALL-USE's own as defaults. Times are in seconds.

    csv: files of prices by symbol, none for the bundled ones; book: a database URL, "temporary" for a
    SQLite file that goes with the engine, "none" for no database; accounts: that the load goes through.
    """

    csv: tuple[Path, ...] = ()
    book: str = TEMPORARY_BOOK
    accounts: int = 200
    workers: int = 16
    connections: int = 15
    connection_patience: float = 2.0
    bars_cached: int = 15_000
    bars_kept: float = 300.0
    bars_ahead: int = 5
    bar_workers: int = 12
    orders_limit: int = 1_000
    orders_cleaned_every: float = 300.0
    approval_delay: float = 0.01
    approval_patience: float = 2.0
    approvals_waiting: int = 8
    breaker_failures: int = 5
    breaker_reset: float = 10.0
    workflows_a_day: int = 200

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and value < _LEAST.get(field.name, 1):
                raise SettingsError(f"{field.name} is {value}; it must be at least {_LEAST.get(field.name, 1)}")
            if field.type is float and not 0 <= value < math.inf:
                raise SettingsError(f"{field.name} is {value}; it must be a number of seconds, 0 or more")
        if self.book not in (TEMPORARY_BOOK, NO_BOOK):
            database_url(self.book)
