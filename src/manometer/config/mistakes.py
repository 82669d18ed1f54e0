"""What is wrong with settings: all of it, and never a secret."""

from collections.abc import Iterable, Mapping
from typing import Any

from manometer.config.declared import Setting
from manometer.config.source import Given, Source
from manometer.documents.nearest import nearest
from manometer.errors import ConfigError
from manometer.redaction import brief

__all__ = ["Mistakes", "SettingsError"]


class SettingsError(ConfigError):
    """Settings that are wrong. mistakes: each of them in a sentence; the error's text has the first."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        more = len(self.mistakes) - 1
        super().__init__(self.mistakes[0] + (f" (and {more} more wrong)" if more else ""))


class Mistakes:
    """The mistakes that were found so far."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, mistake: str) -> None:
        """Note one, as a sentence that names the setting and the place."""
        self.found.append(mistake)

    def unknown(self, what: str, name: object, known: Iterable[str], source: Source) -> None:
        """There is no such thing. what: of which kind it would be; known: the names that there are."""
        self.add(f"unknown {what} {brief(_written(name))} in {source}; {nearest(name, known)}")

    def check(self, setting: Setting, value: Any, source: Source) -> bool:
        """Note where the setting does not take the value; whether it does."""
        name, takes = setting.name, f"it takes {setting.rule.allowed}"
        is_taken = setting.takes(value)
        reason = setting.refusal(value) if is_taken else None
        if is_taken and reason is None:
            return True
        if setting.secret:  # which the reason might show too
            self.add(f"{name} is wrong in {source}, and not shown; {takes if reason is None else setting.help}")
        elif reason is None:
            self.add(f"{name} is {brief(_written(value))} in {source}; {takes}")
        else:
            self.add(f"{brief(reason)} ({name} in {source})")
        return False

    def check_together(self, settings: Mapping[str, Setting], given: Mapping[str, Given]) -> None:
        """Note where one source gives a setting, and another one whose place that takes."""
        there = {name: each.source for name, each in given.items() if each.value is not None}
        for name, source in there.items():
            for other in settings[name].instead_of:
                if other in there:
                    self.add(f"{name} in {source} takes the place of {other} in {there[other]}; keep one of them")

    def check_overruled(
        self, settings: Mapping[str, Setting], top: Mapping[str, Given], given: Mapping[str, Given]
    ) -> None:
        """Note where a setting of a profile would not count, as the top of the file has one in its place."""
        for name in top.keys() - given.keys():
            for other in settings[name].instead_of:
                if top[name].value is not None and other in given and given[other].value is not None:
                    self.add(
                        f"{name} in {top[name].source} takes the place of {other} in {given[other].source};"
                        f" set {name} to null there, or keep one of them"
                    )

    def refuse(self) -> None:
        """Raise SettingsError where there is any."""
        if self.found:
            raise SettingsError(self.found)


def _written(value: object) -> str:
    """As Python writes it. Not every object can be written: a whole number of 5,000 digits cannot."""
    try:
        return repr(value)
    except Exception:
        return f"a {type(value).__name__}"
