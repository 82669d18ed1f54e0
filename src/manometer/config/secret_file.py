"""Secrets in files of their own, as Docker and Kubernetes mount them."""

from typing import TYPE_CHECKING

from manometer.config.declared import OF_A_FILE, Setting
from manometer.config.mistakes import Mistakes
from manometer.config.source import Given

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]

LARGEST = 65_536
"""Bytes of a secret."""


def read(setting: Setting, given: Given, mistakes: Mistakes) -> Given | None:
    """The value that the file holds, without white space around it; None where there is a mistake."""
    path: Path = given.value
    what = f"{setting.name}{OF_A_FILE} is {path} in {given.source}"
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        mistakes.add(f"{what}, and cannot be read: {reason}")
        return None
    if not text or len(content) > LARGEST:
        mistakes.add(f"{what}, and has {'nothing in it' if not text else f'more than {LARGEST:,} bytes'}")
        return None
    value = setting.from_text(text)
    return Given(value, given.source) if mistakes.check(setting, value, given.source) else None
