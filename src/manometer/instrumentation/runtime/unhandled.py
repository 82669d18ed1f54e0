"""Exceptions that end where nobody handles them: in a thread, or in a finalizer or callback that cannot raise."""

import sys
import threading
from contextlib import suppress

from manometer.catalogue import runtime as rows
from manometer.instrumentation.binding import Binding
from manometer.tracing.error_type import error_type

__all__ = ["Unhandled", "type_of"]


class Unhandled:
    """Python's hooks for such exceptions, each of which counts and then calls the one that was there before.

    A hook that the program puts in front of it meanwhile stays, and calls this one, which then only passes on.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = binding

    def begin(self) -> None:
        """Count from now on."""
        self._thread_hook, self._unraisable_hook = threading.excepthook, sys.unraisablehook
        threading.excepthook, sys.unraisablehook = self._in_thread, self._unraisable

    def end(self) -> None:
        """Give the hooks back, where they are this object's yet."""
        # Bound methods are made anew at each look: they are equal, and not the same.
        if threading.excepthook == self._in_thread:
            threading.excepthook = self._thread_hook
        if sys.unraisablehook == self._unraisable:
            sys.unraisablehook = self._unraisable_hook

    def _in_thread(self, args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):  # a thread may end itself by that
            self._count("thread", args.exc_value)
        self._thread_hook(args)

    def _unraisable(self, args: "sys.UnraisableHookArgs") -> None:
        self._count("unraisable", args.exc_value)
        self._unraisable_hook(args)

    def _count(self, source: str, error: BaseException | None) -> None:
        attributes = {"python.exception.source": source, "error.type": type_of(error)}
        with suppress(Exception):  # the Binding is closed, or it is the end of the interpreter
            self._binding.counter(rows.UNHANDLED_EXCEPTIONS, attributes).inc()


def type_of(error: object) -> str:
    """The name of the exception's class, or OpenTelemetry's word for an error that has none."""
    return error_type(error) if isinstance(error, BaseException) else "_OTHER"
