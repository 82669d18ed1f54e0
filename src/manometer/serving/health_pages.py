"""The pages of health: whether the program lives, has started, and is ready for work, in words and as JSON."""

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs

from manometer.health import LIVE, READY, STARTUP, Check, Verdict, verdict
from manometer.redaction import SHOWN, brief
from manometer.serving.health_json import HIDDEN, MEDIA_TYPE, written
from manometer.serving.messages import Request, Response, text
from manometer.serving.site import Site

__all__ = ["health", "live", "ready", "started"]

_log = logging.getLogger("manometer")


def live(site: Site, request: Request) -> Response:
    """Whether the program serves, and no check of the group `live` has failed."""
    checks: list[Check] = []
    try:
        checks += site.checks()
    except Exception:  # which is no reason to have the program killed
        _log.exception("the health checks cannot be had")
    return _in_words(verdict(checks, site.lifecycle, LIVE), request, "ok", "not alive")


def started(site: Site, request: Request) -> Response:
    """Whether the program does not say that it is starting, and each check of the group `startup` has passed once."""
    return _in_words(verdict(site.checks(), site.lifecycle, STARTUP), request, "started", "not started")


def ready(site: Site, request: Request) -> Response:
    """Whether the program takes work: it has started, does not stop, and no check of the group `ready` fails."""
    return _in_words(verdict(site.checks(), site.lifecycle, READY), request, "ready", "not ready")


def health(site: Site, request: Request) -> Response:
    """Every check, or those of a group that is asked for, as health+json."""
    checks = site.checks()
    groups = {LIVE, READY, STARTUP}.union(*(each.groups for each in checks))
    group = next(iter(parse_qs(request.query).get("group", ())), None)
    if group is not None and group not in groups:
        told = f"no check is of the group {brief(group[:SHOWN])!r}; there are {', '.join(sorted(groups))}\n"
        return text(HTTPStatus.NOT_FOUND, told)
    found = verdict(checks, site.lifecycle, group)
    body = written(site.service, found, datetime.now(UTC), in_detail=request.is_local)
    # What the machine itself is told is for nobody else: no cache may keep it.
    headers = (("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store"))
    return Response(_status(found), headers, body)


def _in_words(found: Verdict, request: Request, well: str, ill: str) -> Response:
    shown = found.checks if "verbose" in parse_qs(request.query, keep_blank_values=True) else found.failing
    lines = [_line(check, request.is_local) for check in shown]
    if found.hindrance is not None:
        lines.append(found.hindrance)
    return text(_status(found), "\n".join([*lines, well if found.is_well else ill, ""]))


def _status(found: Verdict) -> HTTPStatus:
    return HTTPStatus.OK if found.is_well else HTTPStatus.SERVICE_UNAVAILABLE


def _line(check: Check, in_detail: bool) -> str:
    kind = "critical" if check.critical else "not critical"
    problem = check.problem
    if problem is None:
        told = _wellness(check) if in_detail else "ok"
    else:
        told = problem if in_detail else f"fails; {HIDDEN}"
    return f"{check.name} ({kind}): {told}"


def _wellness(check: Check) -> str:
    age, slowness = check.age, check.slowness
    told = "ok" if slowness is None else f"ok, but {slowness}"
    return told if age is None else f"{told}; {age:.0f} s ago"
