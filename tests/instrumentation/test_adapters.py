"""An object is instrumented by the file that is named after its library."""

import decimal
import fractions
import json
import json.decoder
from types import FunctionType

import pytest

from manometer import UnsupportedError
from manometer.instrumentation.adapters import adapter_of

OURS = {"json": "decimal", "tests": "fractions"}


class Decoder(json.decoder.JSONDecoder):
    """A class of the user's own, below one of a library."""

    __module__ = "program.parts"


def function_of(module):
    """A function that was defined in that module, whatever it says that it is of."""
    made = FunctionType((lambda: None).__code__, {} if module is None else {"__name__": module})
    made.__module__ = "json"
    return made


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (json.JSONDecoder(), decimal),
        (Decoder(), decimal),
        (function_of("json.decoder"), decimal),
        (function_of("tests"), fractions),
    ],
)
def test_the_library_of_the_nearest_base_decides(target, found):
    """Of a function, the library that it was defined in."""
    assert adapter_of(target, "__name__", OURS, "something else") == found.__name__


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (object(), "builtins.object"),
        (decimal.Decimal(), "decimal.Decimal"),
        (function_of("os.path"), "builtins.function"),
        (function_of(None), "builtins.function"),
    ],
)
def test_an_object_of_another_library_is_refused(target, shown):
    """The message names its class, and what to pass."""
    with pytest.raises(UnsupportedError, match=f"^no instrumentation for a {shown}; pass something else, or install"):
        adapter_of(target, "cache", OURS, "something else")
