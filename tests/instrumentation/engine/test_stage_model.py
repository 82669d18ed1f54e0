"""Stages driven at random, against an account that is kept apart."""

from collections import Counter as Tally
from contextlib import suppress
from types import coroutine

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from collected import collect
from manometer import stage

ERRORS = (KeyError, ValueError, StopIteration)
errors = st.sampled_from(ERRORS)


@coroutine
def switch():
    """Give control to whoever drives the coroutine."""
    yield


class Stages(RuleBasedStateMachine):
    """Blocks, functions, generators and coroutines of one stage, interleaved in any order."""

    def __init__(self):
        super().__init__()
        self.registry = CollectorRegistry()
        self.measured = stage("s", registry=self.registry)
        self.shared = stage("s", registry=self.registry)
        self.blocks, self.nested, self.generators, self.coroutines, self.asynchronous = [], 0, [], [], []
        self.ok, self.failed = 0, Tally()

        @self.measured
        def values():
            for number in range(3):
                with suppress(IndexError):
                    yield number

        @self.measured
        async def work():
            for _ in range(2):
                await switch()

        @self.measured
        async def asynchronous_values():
            for number in range(3):
                with suppress(IndexError):
                    yield number

        @self.measured
        def nested(depth, error):
            if depth:
                return nested(depth - 1, error)
            if error is not None:
                raise error
            return "result"

        self.values, self.work, self.asynchronous_values, self.function = values, work, asynchronous_values, nested

    def ends(self, error=None):
        """The account of a run that ended."""
        if error is None:
            self.ok += 1
        else:
            self.failed[error.__name__] += 1

    # --- functions

    @rule(depth=st.integers(0, 5), error=st.none() | errors)
    def call(self, depth, error):
        with suppress(*ERRORS):
            assert self.function(depth, error) == "result"
        for _ in range(depth + 1):
            self.ends(error)

    # --- blocks

    @rule()
    def enter(self):
        block = stage("s", registry=self.registry)
        block.__enter__()
        self.blocks.append(block)

    @precondition(lambda self: self.blocks)
    @rule(data=st.data(), error=st.none() | errors | st.just(GeneratorExit))
    def leave(self, data, error):
        block = self.blocks.pop(data.draw(st.integers(0, len(self.blocks) - 1)))
        assert not block.__exit__(error, error and error(), None)
        self.ends(None if error is GeneratorExit else error)

    @rule()
    def enter_shared(self):
        self.shared.__enter__()
        self.nested += 1

    @precondition(lambda self: self.nested)
    @rule(error=st.none() | errors)
    def leave_shared(self, error):
        self.shared.__exit__(error, error and error(), None)
        self.nested -= 1
        self.ends(error)

    # --- generators

    @rule()
    def start_generator(self):
        generator = self.values()
        assert next(generator) == 0
        self.generators.append(generator)

    @rule()
    def make_generator_and_drop_it(self):
        self.values()

    @precondition(lambda self: self.generators)
    @rule(data=st.data(), how=st.sampled_from(["next", "caught", "raised", "closed", "dropped"]))
    def drive_generator(self, data, how):
        at = data.draw(st.integers(0, len(self.generators) - 1))
        generator = self.generators[at]
        try:
            match how:
                case "next":
                    next(generator)
                case "caught":
                    generator.throw(IndexError())
                case "raised":
                    generator.throw(KeyError())
                case "closed":
                    generator.close()
                case "dropped":
                    del self.generators[at], generator
                    self.ends()
                    return
        except StopIteration:
            self.ends()
        except KeyError:
            self.ends(KeyError)
        else:
            if how != "closed":
                return
            self.ends()
        del self.generators[at]

    # --- coroutines and asynchronous generators

    @rule()
    def start_coroutine(self):
        running = self.work()
        running.send(None)
        self.coroutines.append(running)

    @precondition(lambda self: self.coroutines)
    @rule(data=st.data(), how=st.sampled_from(["send", "throw", "close"]))
    def drive_coroutine(self, data, how):
        at = data.draw(st.integers(0, len(self.coroutines) - 1))
        running = self.coroutines[at]
        try:
            if how == "send":
                running.send(None)
                return
            if how == "throw":
                running.throw(KeyError())
        except StopIteration:
            self.ends()
        except KeyError:
            self.ends(KeyError)
        if how == "close":
            running.close()
            self.ends(GeneratorExit)
        del self.coroutines[at]

    @rule()
    def start_asynchronous_generator(self):
        generator = self.asynchronous_values()
        assert self.awaited(generator.asend(None)) == 0
        self.asynchronous.append(generator)

    @precondition(lambda self: self.asynchronous)
    @rule(data=st.data(), how=st.sampled_from(["next", "caught", "raised", "closed"]))
    def drive_asynchronous_generator(self, data, how):
        at = data.draw(st.integers(0, len(self.asynchronous) - 1))
        generator = self.asynchronous[at]
        steps = {
            "next": lambda: generator.asend(None),
            "caught": lambda: generator.athrow(IndexError()),
            "raised": lambda: generator.athrow(KeyError()),
            "closed": generator.aclose,
        }
        try:
            self.awaited(steps[how]())
        except StopAsyncIteration:
            self.ends()
        except KeyError:
            self.ends(KeyError)
        else:
            if how != "closed":
                return
            self.ends()
        del self.asynchronous[at]

    @staticmethod
    def awaited(step):
        """What comes of a step that waits for nothing."""
        try:
            step.send(None)
        except StopIteration as stopped:
            return stopped.value
        raise AssertionError("it waits")

    # --- what is told of all that

    @invariant()
    def all_is_told(self):
        samples = [sample for family in collect(self.registry) for sample in family.samples]
        figures = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}

        def told(name, **labels):
            return figures[name, frozenset({"engine": "main", "stage": "s", **labels}.items())]

        open_runs = len(self.blocks) + self.nested
        open_runs += sum(map(len, (self.generators, self.coroutines, self.asynchronous)))
        assert told("engine_stage_active") == open_runs
        assert told("engine_stage_duration_seconds_count", outcome="ok") == self.ok
        assert told("engine_stage_duration_seconds_count", outcome="error") == self.failed.total()
        for name, count in self.failed.items():
            assert told("engine_stage_errors_total", error_type=name) == count

    def teardown(self):
        for running in self.coroutines:
            running.close()
        for generator in self.asynchronous:
            self.awaited(generator.aclose())


TestStages = Stages.TestCase
TestStages.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
