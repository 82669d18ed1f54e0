"""Whichever module a program imports first, the meters work."""

import subprocess
import sys
from pathlib import Path

import manometer

PACKAGE = Path(manometer.__file__).parent
SCRIPT = """
import os, sys, traceback
import prometheus_client

def use(name):
    __import__(name)
    from manometer.meters import Counter
    counter = Counter("shop", "Help.", ["l"], max_series=1)
    counter.labels("a").inc()
    counter.labels("b").inc()
    text = prometheus_client.generate_latest().decode()
    assert 'shop_total{l="a"} 1.0' in text and 'shop_total{l="other"} 1.0' in text, text

for name in sys.stdin.read().split():
    child = os.fork()
    if not child:
        try:
            use(name)
        except BaseException:
            print(f"{name}: {traceback.format_exc()}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def modules():
    """The packages and modules in which programs find public names, or may look for them."""
    beside = {
        f"manometer.{path.stem}" for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.stem[0] != "_"
    }
    return sorted(beside | {"manometer", *manometer._HOMES})


def in_a_fresh_process(script, stdin=""):
    """What the script prints."""
    done = subprocess.run([sys.executable, "-c", script], input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def test_any_module_may_be_the_first_that_a_program_imports():
    """A series can then be registered, written to and shown."""
    assert in_a_fresh_process(SCRIPT, "\n".join(modules())) == ""


def test_a_meter_that_came_before_the_rest_of_the_kit_takes_part_in_it():
    """What folds into `other` is counted from the moment on at which something can count it."""
    script = """
from manometer.meters import Counter
counter = Counter("shop", "Help.", ["l"], max_series=1)
for label in "abc":
    counter.labels(label).inc()
import manometer
manometer.render()
counter.labels("d").inc()
print(manometer.render()[0].decode())
"""
    assert 'manometer_label_folds_total{manometer_family_name="shop"} 1.0' in in_a_fresh_process(script)
