"""Lengths of time in Prometheus's notation."""

import re
from typing import Self

from manometer.errors import ConfigError

__all__ = ["Duration"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(str):
    """A length of time in Prometheus's notation, one number and one unit: `30s`, `5m`, `1h`, `3d`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not re.fullmatch(r"\d+[smhd]", text):
            raise ConfigError(
                f"duration {text!r} is not understood; write one number and one unit, such as 30s or 5m"
            )
        return super().__new__(cls, text)

    @property
    def seconds(self) -> int:
        """The same in seconds."""
        return int(self[:-1]) * _SECONDS[self[-1]]
