"""Arguments: numbers within bounds, and a parser that says in one line what is wrong with one."""

import argparse
from collections.abc import Callable
from typing import NoReturn, TypeVar

from alluse.errors import SettingsError

__all__ = ["Parser", "number", "port", "whole_number"]

N = TypeVar("N", int, float)


class Parser(argparse.ArgumentParser):
    """A parser that raises SettingsError, and prints no usage, for arguments that it cannot read."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where help is."""
        raise SettingsError(f"{message}; see {self.prog} --help")


def number(least: float, most: float) -> Callable[[str], float]:
    """Reads a number from the least to the most. NaN and the infinities are outside any bounds."""
    return _within(float, least, most, f"a number from {least:,g} to {most:,.0f}")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number from the least to the most."""
    return _within(int, least, most, f"a whole number from {least} to {most}")


def port(text: str) -> int:
    """Reads a port; 0 is for a free one."""
    return whole_number(0, 65535)(text)


def _within(kind: Callable[[str], N], least: N, most: N, wanted: str) -> Callable[[str], N]:
    def read(text: str) -> N:
        try:
            value = kind(text)
        except ValueError:
            pass
        else:
            if least <= value <= most:
                return value
        raise argparse.ArgumentTypeError(f"it takes {wanted}, and not {text!r}")

    return read
