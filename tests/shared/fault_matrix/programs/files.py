"""Troubles of files that are read again while the program runs."""

import time
from collections.abc import Callable
from pathlib import Path

from switch import PAUSE, Switch

from manometer import Manometer

__all__ = ["SETTINGS", "TROUBLES", "WEB_CONFIG"]

SETTINGS, WEB_CONFIG = Path("settings.yaml"), Path("web.yaml")


def _changed(switch: Switch, path: Path, wrong: str, then: Callable[[], object]) -> Callable[[], None]:
    right = path.read_text()

    def one():
        now = wrong if switch.on.is_set() else right
        if path.read_text() != now:
            path.write_text(now)
            then()
        time.sleep(PAUSE)

    return one


def settings(switch: Switch) -> Callable[[], None]:
    """Is told to read settings that are wrong."""
    return _changed(switch, SETTINGS, "port: many\n", lambda: Manometer.running().reload())


def web_config(switch: Switch) -> Callable[[], None]:
    """Has a web configuration that has become wrong."""
    return _changed(switch, WEB_CONFIG, "http_server_config: {headers: many}\n", lambda: None)


TROUBLES = {"settings": settings, "web-config": web_config}
