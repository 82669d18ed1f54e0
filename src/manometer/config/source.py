"""Where the value of a setting came from, and a value with that."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

__all__ = ["Given", "Origin", "Source"]


class Origin(Enum):
    """The kinds of places that settings come from. A later one wins over an earlier one."""

    DEFAULT = "default"
    FILE = "file"
    VARIABLE = "variable"
    COMMAND_LINE = "command line"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Source:
    """One place. name: of the file or the variable; line: in the file, from 1; profile: of the file."""

    origin: Origin
    name: str = ""
    line: int | None = None
    profile: str = ""

    def __str__(self) -> str:
        if self.origin is Origin.FILE:
            return f"file {self.name}" + ("" if self.line is None else f", line {self.line}")
        if self.origin is Origin.VARIABLE:
            return f"variable {self.name}" if self.name else "the environment"
        return self.name or f"the {self.origin.value}"


class Given(NamedTuple):
    """A value that a source gives. is_path: whether it is the path of a file that holds the value, a secret."""

    value: Any
    source: Source
    is_path: bool = False
