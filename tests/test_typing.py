"""A type checker sees a misspelt keyword, and a value of the wrong type, in a call of a public function."""

import re
import subprocess
import sys
from dataclasses import fields
from typing import get_type_hints

import pytest

from manometer import Settings
from manometer.config import SettingValues

RIGHT = """
import functools
import manometer

@functools.lru_cache
def double(x: int) -> int: return 2 * x

manometer.start(port=9464, path="manometer.yaml", profile="production", logs=True).reload()
manometer.wsgi_app(service_name="shop")
manometer.asgi_app(processes_dir=None)
manometer.Settings(port=0)
manometer.Settings.load("manometer.yaml", {}, profile="production", options={"host": None}, port=0)
shown: str = manometer.__version__
manometer.instrument_cache(double, name="doubles")
manometer.instrument_pool(object(), name="orders")
manometer.instrument_executor(object(), name="loaders")
manometer.instrument_retry(object(), operation="send")
manometer.instrument_breaker(object(), name="broker")
manometer.check("database", lambda: None, critical=False, interval=5.0)
manometer.stage("work", engine="tried")
manometer.flush(timeout=1.0)
manometer.Counter("c", "Help.", ["of"], max_series=5)
manometer.Gauge("g", "Help.", multiprocess_mode="livesum")
manometer.Histogram("h", "Help.", buckets=(1.0, 2.0))
manometer.render(accept="", names=["c"])
"""

WRONG = {
    "manometer.start(prot=9464)": "prot",
    'manometer.start(port="9464")': "port",
    'manometer.start(pth="manometer.yaml")': "pth",
    'manometer.wsgi_app(servce_name="shop")': "servce_name",
    'manometer.asgi_app(process_dir="shared")': "process_dir",
    "manometer.Settings(prot=0)": "prot",
    "manometer.Settings.load(prot=0)": "prot",
    'manometer.Settings.load(profle="production")': "profle",
    'manometer.instrument_cache(double, nme="doubles")': "nme",
    'manometer.instrument_pool(object(), nme="orders")': "nme",
    'manometer.instrument_executor(object(), nme="loaders")': "nme",
    'manometer.instrument_retry(object(), operaton="send")': "operaton",
    'manometer.instrument_breaker(object(), nme="broker")': "nme",
    'manometer.check("database", lambda: None, critcal=False)': "critcal",
    'manometer.stage("work", engin="tried")': "engin",
    "manometer.flush(timeuot=1.0)": "timeuot",
    'manometer.Counter("c", "Help.", labelname=["of"])': "labelname",
    'manometer.Gauge("g", "Help.", multiprocess="livesum")': "multiprocess",
    'manometer.Histogram("h", "Help.", bucket=(1.0, 2.0))': "bucket",
    'manometer.render(acept="")': "acept",
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What mypy says of the calls, by line."""
    pytest.importorskip("mypy", reason="not installed: mypy (make .venv/dev)")
    folder = tmp_path_factory.mktemp("typing")
    program = folder / "program.py"
    program.write_text(RIGHT + "\n".join(WRONG))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder), str(program)]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    found = {}
    for line, text in re.findall(r"^program\.py:(\d+): error: (.*)$", said, re.MULTILINE):
        found.setdefault(int(line), []).append(text)
    return found


def test_right_calls_pass(complaints):
    """Each public function with keywords that it has."""
    assert {line: texts for line, texts in complaints.items() if line <= RIGHT.count("\n")} == {}


@pytest.mark.parametrize("call", WRONG)
def test_wrong_calls_fail(complaints, call):
    """The complaint names the keyword."""
    line = RIGHT.count("\n") + 1 + list(WRONG).index(call)
    assert any(f'"{WRONG[call]}"' in text for text in complaints.get(line, [])), complaints


def test_the_keywords_are_the_settings():
    """What a checker knows of keywords is what Settings has: the same names and types, in the same order."""
    assert list(SettingValues.__annotations__) == [each.name for each in fields(Settings)]
    assert get_type_hints(SettingValues) == get_type_hints(Settings)
