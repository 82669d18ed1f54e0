"""How fast the clock of the rules goes: a test has no half hour for an alert and its end.

At pace 10 a window, holding time, interval and wait of the rules and of Alertmanager is a tenth of what is shipped.
So a fault of a minute is to them what one of ten minutes is in production. Conditions and other numbers stay.
"""

import math
import re

__all__ = ["Pace"]

_TIME = re.compile(r"(?<=\[)\d+[smhd](?=[\]:])|(?<=:)\d+[smhd](?=\])|(?<=\boffset )\d+[smhd]\b")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RULE_TIMES = ("for", "keep_firing_for", "interval")
_ROUTE_TIMES = ("group_wait", "group_interval")


class Pace:
    """times: how many times as fast as shipped."""

    def __init__(self, times):
        self.times = times

    def seconds(self, seconds):
        """So long a time of production, in seconds here."""
        return seconds / self.times

    def duration(self, text):
        """A duration of Prometheus, here."""
        return f"{math.ceil(1000 * self.seconds(int(text[:-1]) * _SECONDS[text[-1]]))}ms"

    def thresholds(self):
        """What the rules have as a number of seconds, in the form of `manometer mixin --config`."""
        leak_age, horizon = (f"{math.ceil(self.seconds(seconds))}s" for seconds in (3 * 3600, 1800))
        return {"runtime": {"leak_age": leak_age}, "pool": {"forecast_horizon": horizon}}

    def rules(self, node):
        """A rules file, here."""
        if isinstance(node, list):
            return [self.rules(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {name: self._rule(name, value) for name, value in node.items()}

    def route(self, node):
        """A route of Alertmanager, and those below it, here."""
        times = {name: self.duration(node[name]) for name in _ROUTE_TIMES if name in node}
        return {**node, **times, "routes": [self.route(each) for each in node.get("routes", ())]}

    def _rule(self, name, value):
        if name in _RULE_TIMES:
            return self.duration(value)
        if name == "expr":
            return _TIME.sub(lambda found: self.duration(found[0]), value)
        return self.rules(value)
