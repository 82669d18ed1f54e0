"""A verdict on health as JSON, by the IETF draft "Health Check Response Format for HTTP APIs".

Source: draft-inadarei-api-health-check-06. A check that warns leaves the program well: it is slow, or not critical.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from manometer.health import RESPONSE_TIME, Check, Verdict

__all__ = ["HIDDEN", "MEDIA_TYPE", "written"]

MEDIA_TYPE = "application/health+json"
HIDDEN = "its log, or a request from its own machine, says why"
"""What those are told who may not see a reason."""


def written(service: str, verdict: Verdict, now: datetime, *, in_detail: bool) -> bytes:
    """The document. in_detail: with reasons, and with what was measured."""
    checks: dict[str, list[dict[str, Any]]] = {}
    for check in verdict.checks:
        key, entry = _entry(check, _status(check, verdict.failing), now, in_detail)
        checks.setdefault(key, []).append(entry)
    statuses = {entry["status"] for entries in checks.values() for entry in entries}
    status = "pass" if verdict.is_well else "fail"
    if verdict.is_well and "warn" in statuses:
        status = "warn"
    document: dict[str, Any] = {"status": status, "serviceId": service}
    if verdict.hindrance is not None:
        document["output"] = verdict.hindrance
    document["checks"] = checks
    return f"{json.dumps(document, indent=2)}\n".encode()


def _status(check: Check, failing: Iterable[Check]) -> str:
    if check in failing:
        return "fail"
    return "pass" if check.problem is None and check.slowness is None else "warn"


def _entry(check: Check, status: str, now: datetime, in_detail: bool) -> tuple[str, dict[str, Any]]:
    """The key of a check, which is its name and what it measures, and what there is to tell of it."""
    entry: dict[str, Any] = {"status": status}
    result, measurement = check.result, RESPONSE_TIME
    if result is not None:
        finding = result.finding
        measurement = finding.measurement
        if in_detail and finding.value is None:
            entry |= {"observedValue": round(result.duration, 6), "observedUnit": "s"}
        elif in_detail:
            entry |= {"observedValue": _value(finding.value)} | (
                {"observedUnit": finding.unit} if finding.unit else {}
            )
        time = now - timedelta(seconds=check.age or 0.0)
        entry["time"] = time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if status != "pass":
        entry["output"] = (check.problem or check.slowness or "well again") if in_detail else HIDDEN
    return f"{_name(check.name)}:{_name(measurement)}", entry


def _value(value: float | str | None) -> float | str | None:
    """JSON has no word for infinity and for no number."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _name(text: str) -> str:
    """A colon would end the name."""
    return text.replace(":", "-")
