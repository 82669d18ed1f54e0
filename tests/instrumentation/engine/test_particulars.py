"""What is particular to one run: its items, and attributes of its span alone."""

import asyncio

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from manometer import MetricError, stage
from manometer.tracing.sampling import Sampling

ITEMS = "engine_stage_items_total"


@pytest.fixture
def measured(figures):
    """Stages of that registry."""
    return lambda name="s", **more: stage(name, registry=figures.registry, **more)


def test_the_items_of_a_block_are_counted_by_its_outcome(figures, measured):
    """Once it has ended."""
    with measured(items=3):
        assert figures.all(ITEMS, "engine_stage_outcome") == {}
    with pytest.raises(KeyError), measured(items=2):
        raise KeyError
    with measured(items=4, expected=KeyError):
        pass
    with measured():
        pass
    assert figures.all(ITEMS, "engine_stage_outcome") == {"ok": 7, "error": 2}
    assert figures.all("engine_stage_duration_seconds_count", "engine_stage_outcome") == {"ok": 3, "error": 1}


def test_a_function_tells_the_items_of_each_call_by_its_arguments(figures, measured):
    """It stays the function that it was, and each call is a run."""

    @measured(items=len)
    def score(batch):
        """Score it."""
        return [*batch]

    assert score([1, 2]) == [1, 2]
    assert score([3]) == [3]
    assert (score.__name__, score.__doc__) == ("score", "Score it.")
    assert figures(ITEMS, engine_stage_outcome="ok") == 3
    assert figures("engine_stage_duration_seconds_count", engine_stage_outcome="ok") == 2


def test_a_coroutine_does_too(figures, measured):
    """Blocks of tasks overlap."""

    @measured(items=lambda self, batch: len(batch))
    async def score(self, batch):
        await asyncio.sleep(0)
        return batch

    async def run():
        return await asyncio.gather(*[score(None, "a" * size) for size in (1, 2, 3)])

    assert asyncio.run(run()) == ["a", "aa", "aaa"]
    assert figures(ITEMS, engine_stage_outcome="ok") == 6


def test_attributes_are_on_the_span_alone(figures, measured, traced):
    """With the items; what the stage itself says of its spans cannot be replaced."""
    exported = traced(ALWAYS_ON)
    with measured(items=2, attributes={"order.id": 7, "engine.name": "mine"}):
        measured("inner", attributes=lambda number: {"order.id": number})(lambda number: None)(8)
    assert exported()["s"].attributes == {
        "order.id": 7,
        "engine.stage.items": 2,
        "engine.name": "main",
        "engine.stage.name": "s",
    }
    assert exported()["inner"].attributes["order.id"] == 8


@pytest.mark.parametrize("share", [1.0, 0.0, 1e-18])
def test_a_trace_afterwards_has_them_too(figures, measured, recorded, share):
    """Each run its own."""
    sent = recorded(Sampling(share, left_a_second=10))

    @measured("failing", attributes=lambda number: {"order.id": number})
    def failing(number):
        raise KeyError

    for number in (1, 2):
        with pytest.raises(KeyError), measured("outer", attributes={"basket.id": number}):
            failing(number)
    told = [(span.name, {**span.attributes}) for span in sent.spans]
    found = [(name, told.get("order.id"), told.get("basket.id")) for name, told in told]
    assert sorted(found, key=str) == sorted(
        [("failing", 1, None), ("outer", None, 1), ("failing", 2, None), ("outer", None, 2)], key=str
    )


def test_a_function_of_the_program_that_fails_does_not_fail_the_call(figures, measured, caplog):
    """The run goes without, and the log says why, once."""

    @measured(items=len, attributes=lambda batch: {"first": batch[0]})
    def run(batch):
        return batch

    assert [run(7), run(8), run("a")] == [7, 8, "a"]
    assert figures("engine_stage_duration_seconds_count", engine_stage_outcome="ok") == 3
    assert figures(ITEMS) == 1
    assert [record.message for record in caplog.records] == [
        "the items and attributes of calls cannot be told; their runs go without"
    ]


@pytest.mark.parametrize("wrong", [{"items": -1}, {"items": "many"}, {"attributes": [1]}])
def test_what_is_neither_a_value_nor_a_function_is_refused(measured, wrong):
    """With what it is."""
    with pytest.raises(MetricError, match="of a stage are"):
        measured(**wrong)


def test_where_there_are_no_arguments_a_function_is_refused(measured):
    """As of a block; and where the run is no block, as of a generator."""
    with pytest.raises(MetricError, match="a block are values"), measured(items=len):
        pytest.fail("it began")

    def values(batch):
        yield from batch

    async def later_values(batch):
        yield batch

    for each in (values, later_values):
        with pytest.raises(MetricError, match="is a generator"):
            measured(items=len)(each)
