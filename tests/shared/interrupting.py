"""A signal handler or a finalizer that comes amid something, wherever it may."""

import gc
import sys

__all__ = ["interrupted"]


def interrupted(step, handler, at):
    """Call the handler where CPython does, if there are so many places; returns whether there are.

    Signal handlers come as a function begins and after calls. Finalizers come there too, and up to Python 3.11
    wherever an object is made that the garbage collector knows: also in the midst of `[*dictionary.items()]`.
    """
    seen, profiled = 0, sys.getprofile()

    def strike(_frame, event, _argument):
        nonlocal seen
        seen += event != "c_call"
        if event != "c_call" and seen == at:
            sys.setprofile(None)
            handler()

    def passes(_phase, _info):
        """Is called in each pass of the garbage collector, as a finalizer is."""

    thresholds = gc.get_threshold()
    gc.callbacks.append(passes)
    gc.set_threshold(1, 1_000_000)
    sys.setprofile(strike)
    try:
        step()
    finally:
        sys.setprofile(profiled)
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(passes)
    return seen >= at
