"""The exceptions of ALL-USE: each says what, which, and what to do next."""

__all__ = [
    "AllUseError",
    "BarsError",
    "BookUnavailableError",
    "BrokerError",
    "FaultError",
    "MarketError",
    "OrderPoolExhaustedError",
    "SettingsError",
]


class AllUseError(Exception):
    """Base of every error that ALL-USE raises on purpose."""


class SettingsError(AllUseError, ValueError):
    """A setting that is malformed or cannot be carried out."""


class BarsError(AllUseError, ValueError):
    """A file of prices that cannot be read, or a row of it that is no trading day."""


class MarketError(AllUseError, LookupError):
    """A symbol or a day that the market data does not have."""


class FaultError(AllUseError, ValueError):
    """A fault that does not exist, or that cannot be switched on as asked."""


class BookUnavailableError(AllUseError, ConnectionError):
    """The database of the book cannot be reached."""


class BrokerError(AllUseError):
    """The broker did not take an order; the same order may be sent again."""


class OrderPoolExhaustedError(AllUseError):
    """Every order object of the pool is in use."""
