"""The mixin for jsonnet: the plain files, and an entry that imports them."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath

from manometer.mixin.thresholds import Thresholds

__all__ = ["ENTRY", "files"]

ENTRY = "mixin.libsonnet"
"""The file that others import, from the folder that everything is written to."""

# A group of rules holds records and alerts. Whoever imports a mixin may load both in one file, where each group needs
# a name of its own.
_TEXT = """\
// Generated, do not edit: manometer mixin --format jsonnet
local groups = std.flatMap(function(text) std.parseYaml(text).groups, [
%(rules)s
]);
local only(kind, suffix) = std.filter(function(group) group.rules != [], [
  group { name+: suffix, rules: std.filter(function(rule) std.objectHas(rule, kind), super.rules) }
  for group in groups
]);

{
  prometheusAlerts+:: { groups+: only('alert', '.alerts') },
  prometheusRules+:: { groups+: only('record', '.rules') },
  grafanaDashboards+:: {
%(dashboards)s
  },
}
"""


def files(plain: Mapping[str, str], config: Thresholds) -> Mapping[str, str]:  # noqa: ARG001 - as every format
    """The plain files, and the entry with `prometheusAlerts`, `prometheusRules` and `grafanaDashboards`."""
    rules = [f"  importstr '{path}'," for path in _under("alert_rules", plain)]
    dashboards = [f"    '{PurePath(path).name}': import '{path}'," for path in _under("dashboards", plain)]
    return {**plain, ENTRY: _TEXT % {"rules": "\n".join(rules), "dashboards": "\n".join(dashboards)}}


def _under(folder: str, paths: Iterable[str]) -> list[str]:
    return sorted(path for path in paths if path.startswith(f"{folder}/"))
