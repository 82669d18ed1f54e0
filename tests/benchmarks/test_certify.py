"""What ALL-USE is certified against can be asked of a Prometheus."""

from pathlib import Path

import promql_parser
import pytest

from manometer.cli.certify.promises import promises_of

PROMISES = sorted((Path(__file__).parents[2] / "benchmarks" / "promises").glob("*.yaml"))


@pytest.mark.parametrize("path", PROMISES, ids=lambda path: path.stem)
def test_the_promises_are_right(path):
    """The file is read without a mistake, and each query parses."""
    found = promises_of(path).promises
    assert found
    for promise in found:
        promql_parser.parse(promise.query)


def test_each_load_has_its_promises(benchmark):
    """And nothing else is there."""
    text = Path(benchmark("certify").__file__).read_text()
    assert {path.stem for path in PROMISES} == {"steady", "full_load", "reads"}
    assert all(f'_certify(prometheus, "{path.stem}")' in text for path in PROMISES)
