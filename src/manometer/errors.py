"""The exceptions that Manometer raises: each says what, which, and what to do next."""

__all__ = ["BindingError", "ConfigError", "IncompleteError", "ManometerError", "MetricError", "UnsupportedError"]


class ManometerError(Exception):
    """Base of every error that Manometer raises on purpose."""


class MetricError(ManometerError, ValueError):
    """A metric, label or stage that Prometheus's naming rules or the catalogue do not allow."""


class BindingError(ManometerError, ValueError):
    """An object that cannot be bound under the name that was given."""


class UnsupportedError(ManometerError, TypeError):
    """An object of a library that Manometer has no instrumentation for."""


class IncompleteError(ManometerError):
    """Figures that are withheld, as some that belong to them are missing and totals would seem to fall."""


class ConfigError(ManometerError, ValueError):
    """A setting that is unknown, malformed, or cannot be carried out on this machine."""
