"""What the settings say of the garbage collector holds while a Manometer runs, and the program's own afterwards."""

import gc

import pytest

from manometer import ConfigError, Manometer, Settings
from manometer.life.gc_policy import hold_gc_policy


@pytest.fixture(autouse=True)
def _as_it_was():
    """The tests' own objects are frozen; these tests begin with nothing that is."""
    thresholds = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*thresholds)
    gc.freeze()


def test_nothing_is_changed_unasked():
    """A library does not change that by itself."""
    before = gc.get_threshold(), gc.get_freeze_count()
    undo = hold_gc_policy(None, freeze=False)
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
    undo()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_the_thresholds_hold_until_the_end(figures):
    """Those of a program that runs."""
    before = gc.get_threshold()
    with Manometer(Settings(serve=False, gc_thresholds="50000, 20, 100"), registry=figures.registry):
        assert gc.get_threshold() == (50000, 20, 100)
    assert gc.get_threshold() == before


def test_thresholds_that_the_program_set_meanwhile_stay():
    """They are not ours to take back."""
    undo = hold_gc_policy("50000,20,100", freeze=False)
    gc.set_threshold(1000, 10, 10)
    undo()
    assert gc.get_threshold() == (1000, 10, 10)


def test_what_is_there_after_the_start_is_left_out(figures):
    """The collector does not look at it, and does again after the end."""
    loaded = [[] for _ in range(1000)]
    with Manometer(Settings(serve=False, gc_freeze=True), registry=figures.registry):
        assert gc.get_freeze_count() > len(loaded)
        assert not any(each is loaded for each in gc.get_objects())
    assert gc.get_freeze_count() == 0
    assert any(each is loaded for each in gc.get_objects())


def test_garbage_is_not_frozen(figures):
    """It is collected before."""
    gc.collect()
    cycle = []
    cycle.append(cycle)
    was_enabled = gc.isenabled()
    gc.disable()
    del cycle
    try:
        undo = hold_gc_policy(None, freeze=True)
        undo()
        assert gc.collect() == 0
    finally:
        if was_enabled:
            gc.enable()


def test_what_the_program_froze_before_stays_frozen():
    """There is no telling its objects from ours."""
    gc.freeze()
    hold_gc_policy(None, freeze=True)()
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("thresholds", ["", "700", "700,10", "a,b,c", "700,10,10,10", "-1,10,10", "700;10;10"])
def test_thresholds_that_make_no_sense_are_refused(thresholds):
    """The message says how to write them."""
    with pytest.raises(ConfigError, match=r"gc_thresholds .*three whole numbers, such as 50000,20,100"):
        Settings(gc_thresholds=thresholds)
