"""The alerts of a Prometheus: those that fire, and those that will if it goes on."""

import json
import urllib.request
from collections import Counter
from http.client import HTTPException
from threading import Event, Thread
from typing import Any, Self

__all__ = ["Alerts", "told"]

_EVERY = 2.0  # seconds
_PATIENCE = 2.0


class Alerts:
    """Asks a Prometheus now and then, from `start()` to `close()`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line = "no alert fires"
        self._closing = Event()
        self._thread = Thread(target=self._work, name="alluse-alerts", daemon=True)

    def line(self) -> str:
        """The alerts as they were when last asked for."""
        return self._line

    def ask(self) -> None:
        """Ask now."""
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/alerts", timeout=_PATIENCE) as answer:  # noqa: S310
                self._line = told(json.load(answer))
        except (OSError, ValueError, HTTPException):
            self._line = "! Prometheus does not tell its alerts"

    def start(self) -> Self:
        """Begin to ask every now and then."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Ask no more; a question that is under way is not waited for."""
        self._closing.set()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _work(self) -> None:
        while not self._closing.wait(_EVERY):
            self.ask()


def told(answer: Any) -> str:
    """A line of what the API's answer says; ValueError where it is none. Alerts without a severity are machinery."""
    try:
        alerts = [each for each in answer["data"]["alerts"] if each["labels"].get("severity", "none") != "none"]
        firing, pending = (
            Counter(
                f"{each['labels']['alertname']} ({each['labels']['severity']})"
                for each in alerts
                if each["state"] == state
            )
            for state in ("firing", "pending")
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("no answer of Prometheus") from error
    later = f";  pending: {_listed(pending)}" if pending else ""
    return f"! alerts firing: {_listed(firing)}{later}" if firing else f"no alert fires{later}"


def _listed(names: "Counter[str]") -> str:
    # Two spaces: there the table may begin another line.
    return ",  ".join(name if number == 1 else f"{number} x {name}" for name, number in sorted(names.items()))
