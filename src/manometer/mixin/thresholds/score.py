"""The weights of the score, and its grades."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from manometer.errors import ConfigError

__all__ = ["Score"]

_WEIGHTS = MappingProxyType(
    {"availability": 0.25, "errors": 0.25, "latency": 0.2, "saturation": 0.15, "memory": 0.1, "cache": 0.05}
)
_GRADES = MappingProxyType(
    dict(
        zip(
            ("A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D", "F"),
            (0.97, 0.93, 0.9, 0.87, 0.83, 0.8, 0.77, 0.73, 0.7, 0.6, 0.0),
            strict=True,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Score:
    """Weights of the score's dimensions, and the least score of each grade, best first."""

    weights: Mapping[str, float] = field(default_factory=lambda: _WEIGHTS)
    grades: Mapping[str, float] = field(default_factory=lambda: _GRADES)

    def __post_init__(self) -> None:
        floors = list(self.grades.values())
        if floors != sorted(floors, reverse=True) or floors[-1] != 0:
            raise ConfigError("score.grades must fall from the best to the worst and end at 0")
