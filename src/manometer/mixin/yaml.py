"""YAML: how rules files are written."""

from collections.abc import Mapping

from manometer.errors import ConfigError

try:
    import yaml
except ImportError as error:
    raise ConfigError("the mixin needs an extra: pip install 'manometer[mixin]'") from error

__all__ = ["dump", "parse"]


class _Dumper(yaml.SafeDumper):
    """Lists are indented under their key, nothing is shared by reference."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the base's
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base's
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """A text of several lines as a block that keeps them."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(content: Mapping[str, object]) -> str:
    """The content as YAML, keys in their order, a line break only where a text has one."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def parse(text: str) -> object:
    """What a text of our own writing holds."""
    return yaml.safe_load(text)
