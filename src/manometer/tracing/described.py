"""What a span tells of the exception that ended its run."""

import traceback
from typing import NamedTuple, Self

from manometer.tracing.error_type import exception_type

__all__ = ["Described"]


class Described(NamedTuple):
    """An exception in texts, which keep none of the program's objects alive."""

    type: str
    message: str
    stacktrace: str

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Never raises: an exception may have no text."""
        return cls(exception_type(error), _text(error), _stacktrace(error))

    @property
    def event(self) -> dict[str, str]:
        """The attributes of the event `exception`, by OpenTelemetry's convention."""
        return {
            "exception.type": self.type,
            "exception.message": self.message,
            "exception.stacktrace": self.stacktrace,
        }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _stacktrace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return ""
