"""What a dataclass of settings declares: the name, the default and the rule of each, and whether it is a secret."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from typing import Any, get_type_hints

from manometer.config.platforms import Meaning
from manometer.config.rules import Rule, rule_of
from manometer.errors import ConfigError
from manometer.redaction import brief

__all__ = ["HIDDEN", "OF_A_FILE", "Setting", "declared", "of_files", "readable", "setting", "shown"]

_PARTS = ("help", "secret", "live", "platform", "platform_means", "instead_of")

HIDDEN = "***"
"""What stands in the place of a secret."""

OF_A_FILE = "_file"
"""What the name of a secret ends with where the value is the path of a file that holds it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. See `setting` for what the parts mean."""

    name: str
    default: Any
    rule: Rule
    help: str = ""
    secret: bool = False
    live: bool = False
    platform: str | None = None
    platform_means: Meaning | None = None
    instead_of: tuple[str, ...] = ()
    refusal: Callable[[Any], str | None] = lambda _: None
    """Why the dataclass refuses the value by itself; None where it takes it."""

    def takes(self, value: Any) -> bool:
        """Whether it may have the value."""
        return (value is None and self.default is None) or self.rule.accepts(value)

    def from_text(self, text: str) -> Any:
        """The value that the text gives; the text itself where it gives none, which the setting will not take."""
        return _read(self.rule.from_text, text)

    def from_platform(self, text: str) -> Any:
        """The same of the text of another project's variable."""
        return _read(self.platform_means or self.rule.from_text, text)


def _read(means: Meaning, text: str) -> Any:
    text = text.strip()
    try:
        return means(text)
    except ValueError:
        return text


def setting(
    default: Any,
    meaning: str,
    rule: Rule,
    *,
    secret: bool = False,
    live: bool = False,
    platform: str | None = None,
    platform_means: Meaning | None = None,
    instead_of: tuple[str, ...] = (),
) -> Any:
    """A field of Settings.

    meaning: one sentence; secret: whether nobody is to see the value; live: whether a reload may change it.
    platform: the variable of another project that sets it too, where nothing of ours does.
    platform_means: makes the value of that variable's text; by default the rule does.
    instead_of: settings that do not count where this one is set; one source may not give both.
    """
    metadata = {"help": meaning, "rule": rule, "secret": secret, "live": live}
    others = {"platform": platform, "platform_means": platform_means, "instead_of": instead_of}
    return field(default=default, metadata={**metadata, **others})


def declared(kind: type) -> Mapping[str, Setting]:
    """The settings of a dataclass by their names.

    Each field needs a default. Of its metadata, `help`, `secret` and `live` are read, see `setting`. A field without
    a rule has that of its type, see `rule_of`; the dataclass's own checks come on top, which raise ValueError.
    """
    found = {}
    for each in fields(kind):
        default = each.default if each.default_factory is MISSING else each.default_factory()
        if default is MISSING:
            raise ConfigError(f"{kind.__qualname__}.{each.name} has no default; give it one")
        known = each.metadata
        parts = {name: known[name] for name in _PARTS if name in known}
        if "rule" in known:
            found[each.name] = Setting(each.name, default, known["rule"], **parts)
        else:  # the dataclass may know more than its type does
            rule = rule_of(get_type_hints(kind)[each.name])
            found[each.name] = Setting(each.name, default, rule, refusal=partial(_refusal, kind, each.name), **parts)
    return found


def of_files(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """The secrets, by the name under which the path of a file stands that holds one."""
    names = {name + OF_A_FILE: each for name, each in settings.items() if each.secret}
    return {name: each for name, each in names.items() if name not in settings}


def _refusal(kind: type, name: str, value: Any) -> str | None:
    try:
        kind(**{name: value})
    except ValueError as error:
        return str(error)
    return None


def shown(each: Setting, value: Any) -> str:
    """The value as people may see it."""
    if value is None:
        return "unset"
    return HIDDEN if each.secret else brief(readable(value))


def readable(value: Any) -> str:
    """The value as it would be written in a file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(readable, value))}]"
    return str(value)
