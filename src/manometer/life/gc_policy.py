"""How often the garbage collector runs, and what it leaves out, as the settings have it."""

import gc
from collections.abc import Callable

__all__ = ["hold_gc_policy"]


def hold_gc_policy(thresholds: str | None, *, freeze: bool) -> Callable[[], None]:
    """Set the collector's thresholds, and have it leave out what is there now; return what takes that back.

    thresholds: three numbers as `gc.set_threshold` takes them, with commas between them; None leaves them.
    freeze: collect once, and never look at what is left again: what a program loads at its start lives to its end.
    What the program froze or set itself meanwhile stays.
    """
    before = gc.get_threshold()
    if thresholds is not None:
        gc.set_threshold(*map(int, thresholds.split(",")))
    ours = gc.get_threshold()
    frozen_before = gc.get_freeze_count()
    if freeze:
        gc.collect()
        gc.freeze()

    def undo() -> None:
        if gc.get_threshold() == ours:
            gc.set_threshold(*before)
        if freeze and not frozen_before:
            gc.unfreeze()

    return undo
