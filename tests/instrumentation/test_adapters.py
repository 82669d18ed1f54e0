"""An object is instrumented by the file that is named after its library."""

import decimal
import fractions
import json
import json.decoder
from importlib.metadata import EntryPoint
from types import FunctionType

import pytest

from manometer import UnsupportedError
from manometer.instrumentation import adapters
from manometer.instrumentation.adapters import GROUP, adapter_of

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


@pytest.fixture
def brought(monkeypatch):
    """Has installed packages bring adapters: what they name, by the library."""

    def bring(**values):
        entries = {name: [EntryPoint(name, each, GROUP) for each in named] for name, named in values.items()}
        monkeypatch.setattr(adapters, "_installed", lambda: entries)

    return bring


def test_the_package_that_measures_the_subject_brings_the_adapter(brought):
    """Several may measure parts of one library."""
    brought(decimal=["math", "fractions"])
    assert adapter_of(decimal.Decimal(), "Fraction", OURS, "something else") is fractions.Fraction
    with pytest.raises(UnsupportedError, match="pass something else"):
        adapter_of(decimal.Decimal(), "cache", OURS, "something else")


def test_two_packages_that_measure_the_same_are_refused_by_name(brought):
    """Which of them came first would depend on the order in which they were installed."""
    brought(decimal=["fractions", "math", "cmath"])
    both = "math and cmath both measure 'sqrt' of decimal; uninstall the package of one of them"
    with pytest.raises(UnsupportedError, match=f"^{both}$"):
        adapter_of(decimal.Decimal(), "sqrt", OURS, "something else")


def test_one_adapter_under_two_names_is_one(brought):
    """As of a package that is installed twice, or whose module has the adapter of another."""
    brought(decimal=["fractions", "fractions"])
    assert adapter_of(decimal.Decimal(), "Fraction", OURS, "something else") is fractions.Fraction


def test_an_adapter_may_be_an_object_of_a_module(brought):
    """Its attributes are the adapters."""
    brought(decimal=["fractions:Fraction"])
    assert adapter_of(decimal.Decimal(), "limit_denominator", OURS, "") is fractions.Fraction.limit_denominator


def test_an_adapter_that_cannot_be_imported_says_which(brought):
    """The program hears of it where it instruments, with the cause."""
    brought(decimal=["no_such_module"])
    with pytest.raises(
        UnsupportedError, match="no_such_module, the adapter of decimal, cannot be imported"
    ) as raised:
        adapter_of(decimal.Decimal(), "cache", OURS, "something else")
    assert isinstance(raised.value.__cause__, ModuleNotFoundError)


def test_the_kit_s_own_adapter_goes_before_an_installed_one(brought):
    """Of the same base; a base that comes before has the say."""
    brought(json=["math"], program=["math"])
    assert adapter_of(json.JSONDecoder(), "__name__", OURS, "") == "decimal"
    assert adapter_of(Decoder(), "__name__", OURS, "") == "math"


def test_the_rest_has_the_adapter_for_the_rest(brought):
    """An adapter of the object's own library knows more than that."""
    brought(decimal=["fractions"])
    assert adapter_of(decimal.Decimal(), "cache", OURS, "", otherwise=abs) is abs
    assert adapter_of(decimal.Decimal(), "Fraction", OURS, "", otherwise=abs) is fractions.Fraction
