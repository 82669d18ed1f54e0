"""The pages of health: whether the program lives, has started, and is ready for work."""

from http import HTTPStatus
from urllib.parse import parse_qs

from manometer.health import Check, Phase
from manometer.serving.messages import Request, Response, text
from manometer.serving.site import Site

__all__ = ["live", "ready", "started"]


def live(_site: Site, _: Request) -> Response:
    """Whether the program serves."""
    return text(HTTPStatus.OK, "ok\n")


def started(site: Site, _: Request) -> Response:
    """Whether the program does not say that it is starting."""
    if site.lifecycle.has_started:
        return text(HTTPStatus.OK, "started\n")
    return text(HTTPStatus.SERVICE_UNAVAILABLE, "not started\n")


def ready(site: Site, request: Request) -> Response:
    """Whether the program takes work: it neither starts nor stops, and its critical checks pass."""
    checks, phase = site.checks(), site.lifecycle.phase
    failed = [check for check in checks if check.critical and check.problem is not None]
    shown = checks if "verbose" in parse_qs(request.query, keep_blank_values=True) else failed
    lines = [_line(check, request.is_local) for check in shown]
    if phase is not Phase.READY:
        lines.append(f"the program is {phase.value}")
    is_ready = not failed and phase is Phase.READY
    lines += ["ready" if is_ready else "not ready", ""]
    return text(HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(lines))


def _line(check: Check, with_reason: bool) -> str:
    kind = "critical" if check.critical else "not critical"
    problem = check.problem
    if problem is not None and not with_reason:
        problem = "fails; its log, or a request from its own machine, says why"
    return f"{check.name} ({kind}): {'ok' if problem is None else problem}"
