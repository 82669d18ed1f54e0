"""Settings that may change while a program runs: what holds, and who takes a change."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Generic, TypeVar

from manometer.config.declared import declared, shown
from manometer.config.mistakes import SettingsError
from manometer.redaction import without_secrets

__all__ = ["Live", "Reload"]

T = TypeVar("T")

_log = logging.getLogger("manometer")


class Reload(Enum):
    """How a reload ended. PARTIAL: what may change has, the rest needs a restart; REFUSED: nothing has changed."""

    OK = "ok"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Taker(Generic[T]):
    names: frozenset[str]
    take: Callable[[T], object]


class Live(Generic[T]):
    """A program's settings, and what of them may change while it runs. One caller at a time.

    settings: those that hold; a dataclass, of whose fields `live` of the metadata says which may change.
    """

    def __init__(self, settings: T) -> None:
        self.settings = settings
        self._declared = declared(type(settings))
        self._takers: list[_Taker[T]] = []

    def on_change(self, names: Iterable[str], take: Callable[[T], object]) -> None:
        """Have `take` told of new settings where one of these has changed. It may raise to refuse them all."""
        self._takers.append(_Taker(frozenset(names), take))

    def reload(self, load: Callable[[], T]) -> Reload:
        """Take what `load` gives in the place of what holds, or keep that where anything is wrong. Never raises.

        The log says what has changed, what needs a restart, and why nothing has changed.
        """
        new = self.read(load)
        return Reload.REFUSED if new is None else self.take(new)

    def read(self, load: Callable[[], T]) -> T | None:
        """What `load` gives; None, and a line in the log, where that is wrong."""
        try:
            return load()
        except Exception as error:
            _refused(error)
            return None

    def take(self, new: T) -> Reload:
        """Take these in the place of what holds, as far as that may change; see `reload`."""
        try:
            changed = {name for name in self._declared if getattr(new, name) != getattr(self.settings, name)}
            live = {name for name in changed if self._declared[name].live}
            self._hand_on(replace(self.settings, **{name: getattr(new, name) for name in live}), live)  # type: ignore[type-var]
        except Exception as error:
            _refused(error)
            return Reload.REFUSED
        self._tell(new, live, changed - live)
        return Reload.PARTIAL if changed - live else Reload.OK

    def _hand_on(self, new: T, changed: set[str]) -> None:
        told: list[_Taker[T]] = []
        try:
            for each in self._takers:
                if each.names & changed:
                    told.append(each)
                    each.take(new)
        except BaseException:
            for each in reversed(told):
                try:
                    each.take(self.settings)
                except Exception:
                    _log.exception("a setting could not be put back")
            raise
        self.settings = new

    def _tell(self, new: T, live: set[str], waiting: set[str]) -> None:
        if not live and not waiting:
            _log.info("the settings were read again, and none has changed")
        for name, each in self._declared.items():
            value = shown(each, getattr(new, name))
            if name in live:
                _log.info("the setting %s is %s now", name, value)
            elif name in waiting:
                _log.warning("the setting %s needs a restart to become %s", name, value)


def _refused(error: Exception) -> None:
    reason = "; ".join(error.mistakes) if isinstance(error, SettingsError) else str(error)
    _log.error("the settings stay as they are: %s", without_secrets(reason))
