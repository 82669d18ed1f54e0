"""A service's file:

service: shop
team: payments
dependsOn: [stock]
objectives:
  orders:
    target: 0.999
    indicator: {metric: engine.stage.duration, where: {engine.stage.name: order}, bad: {engine.stage.outcome: error}}
"""

import re
from collections.abc import Iterable
from pathlib import Path

from manometer.documents import yaml
from manometer.errors import ConfigError
from manometer.mixin.slo.burn import FAST, MONTH
from manometer.mixin.slo.indicator import KEYS, indicator
from manometer.mixin.slo.part import Part
from manometer.mixin.slo.service import CRITICAL, SEVERITIES, Objective, Service
from manometer.mixin.thresholds import Duration

__all__ = ["read_services"]

_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]*", re.ASCII)
_A_NAME = "a name of letters, digits and . : / - _"
_NAMES = f"a list, each {_A_NAME}"

_WINDOW = re.compile(r"[1-9]\d?d")
_SHORTEST, _LONGEST = 7, 90  # days
_FLOOR = 0.1
_OF_EACH = ("window", "severity", "floor")  # stand at the top for all objectives, or at one of them
_TOP = ("service", "team", "jobs", "dependsOn", *_OF_EACH, "objectives")
_OBJECTIVE = ("target", "indicator", *_OF_EACH)


def read_services(paths: Iterable[Path]) -> tuple[Service, ...]:
    """The services of these files; ConfigError names what is wrong, with its line and what may have been meant.

    Services that depend on each other in a circle are refused: each would keep the others' alerts back.
    """
    services = tuple(map(_service, paths))
    names = [each.name for each in services]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{names.count(name)} files describe the service {name}; keep one of them")
    depends = {each.name: each.depends_on for each in services}
    for name in names:
        _refuse_circles(name, depends, (name,))
    return services


def _refuse_circles(name: str, depends: dict[str, tuple[str, ...]], path: tuple[str, ...]) -> None:
    for other in depends.get(name, ()):
        if other in path:
            circle = " -> ".join((*path[path.index(other) :], other))
            raise ConfigError(f"services depend on each other in a circle, so that none would be heard: {circle}")
        _refuse_circles(other, depends, (*path, other))


def _service(path: Path) -> Service:
    document = yaml.read(path, "service file", "service: shop")
    top = Part(document, document.root, "", _TOP, ("service", "objectives"))
    name = top.text("service", _A_NAME, _NAME)
    jobs = top.names("jobs", _NAMES, _NAME) if "jobs" in top else (name,)
    depends_on = top.names("dependsOn", _NAMES, _NAME) if "dependsOn" in top else ()
    if name in depends_on or set(jobs) & set(depends_on):
        raise top.wrong("dependsOn", "other services and jobs than the service's own")
    objectives = top.part("objectives", None)
    made = tuple(_objective(each, objectives, top, jobs) for each in objectives)
    if not made:
        raise top.wrong("objectives", "one objective at least")
    team = top.text("team", _A_NAME, _NAME) if "team" in top else ""
    return Service(name, made, jobs, depends_on, team)


def _objective(name: str, objectives: Part, top: Part, jobs: tuple[str, ...]) -> Objective:
    if not _NAME.fullmatch(name):
        raise objectives.wrong(name, f"{_A_NAME} for its own")
    part = objectives.part(name, _OBJECTIVE, ("target", "indicator"))
    by_name = {key: part if key in part else top for key in _OF_EACH}
    window = _window(by_name["window"])
    severity, floor = by_name["severity"], by_name["floor"]
    target = part.number("target", "a ratio under 1, such as 0.999", 0, 1)
    fastest = max(pace.factor(window) for pace in FAST)
    if target == 1:
        raise part.wrong("target", "a ratio under 1: where nothing may fail, there is no budget to spend")
    if (1 - target) * fastest >= 1:
        raise part.wrong(
            "target",
            f"a ratio over {1 - 1 / fastest:.4f}: of a lower one, even if everything failed, a budget of {window}"
            f" would be spent no {fastest:g} times as fast as it may, which is what pages",
        )
    return Objective(
        name,
        target,
        window,
        severity.choice("severity", "severity", SEVERITIES) if "severity" in severity else CRITICAL,
        floor.number("floor", "a number of events a second from 0", 0, float("inf")) if "floor" in floor else _FLOOR,
        indicator(part.part("indicator", KEYS), jobs),
    )


def _window(part: Part) -> Duration:
    if "window" not in part:
        return MONTH
    takes = f"days, from {_SHORTEST}d to {_LONGEST}d"
    window = Duration(part.text("window", takes, _WINDOW))
    if not _SHORTEST <= window.seconds / 86_400 <= _LONGEST:
        raise part.wrong("window", takes)
    return window
