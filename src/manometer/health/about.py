"""A check's function, with what it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["About"]


@dataclass(frozen=True, slots=True)
class About:
    """What `checks.about` makes of a function. subjects: the objects' names, by attributes such as `pool.name`."""

    function: Callable[[], Any]
    subjects: Mapping[str, str]

    def __call__(self) -> Any:
        """Run it."""
        return self.function()
