"""The context that was looked up last, and what is known of it: nearly every run is where the one before it was."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from manometer.tracing.beginning import Beginning
    from manometer.tracing.place import Place

__all__ = ["NOWHERE", "latest"]


class _Latest:
    """They are one tuple, so that no other thread comes between the two.

    With the context is its place, or that traces begin in it; None where nothing is to be left. epoch: what is known
    from an earlier one holds no more.
    """

    __slots__ = ("epoch", "pair")

    def __init__(self) -> None:
        self.pair: tuple[Context | None, Place | Beginning | None] = NOWHERE
        self.epoch = 0

    def forget(self) -> None:
        """Have every context be looked up anew."""
        self.epoch += 1
        self.pair = NOWHERE


NOWHERE = (None, None)
latest = _Latest()
