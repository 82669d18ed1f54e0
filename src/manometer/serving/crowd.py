"""Who has to go where there are too many: not who is alone, but who is one of many from an address."""

from collections import Counter
from collections.abc import Sequence

from manometer.serving.connection import Connection

__all__ = ["of_most"]


def of_most(among: Sequence[Connection]) -> list[Connection]:
    """The connections of the address that has most of them, in their order; of two such, that of the first."""
    ((most, _),) = Counter(each.peer for each in among).most_common(1)
    return [each for each in among if each.peer == most]
