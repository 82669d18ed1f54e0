"""Every small change of a PromQL expression: numbers, comparisons, windows, matchers, kept labels, conditions.

It works on the text. Strings count as text alone where an operator or a number is looked for.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

import promql_parser

__all__ = ["changed", "doubled", "halved"]

_Change: TypeAlias = tuple[int, int, str]
"""What to replace, from where to where, and by what."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_WINDOW = re.compile(r"(?:\[|\boffset )(\d+[smhd])\b")
_NUMBER = re.compile(r"(?<![\w:.\[])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w:.])")
_COMPARISON = re.compile(r"(?<=\s)(>=|<=|==|!=|>|<)(?=\s)(?: bool)?")
_CONDITION = re.compile(r"\b(and|or|unless)\b")
_MATCHER = re.compile(r'\w+(?:=~|!~|!=|=)"[^"]*"')
_NATIVE = re.compile(r"\bhistogram_\w+\(|\brate\((?!\w+_(?:total|bucket|count|sum)\b)")
"""A function of native histograms, or the rate of what is neither a counter nor a part of a classic histogram."""
_LABELS = re.compile(r"\b(?:by|on) \(([^)]*)\)")

_OPPOSITE = {">": "<=", "<=": ">", "<": ">=", ">=": "<", "==": "!=", "!=": "=="}
_AT_THE_EDGE = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}


def changed(expr: str) -> Iterator[str]:
    """The expression with one thing changed, for each thing; each is valid PromQL."""
    native = _of_native_histograms(expr)
    for start, end, new in _changes(expr):
        if any(start < last and first < end for first, last in native):
            continue
        text = expr[:start] + new + expr[end:]
        try:
            promql_parser.parse(text)
        except ValueError:
            continue
        yield text


def _changes(expr: str) -> Iterator[_Change]:
    code = re.sub(r'"[^"]*"', lambda found: '"' + "_" * (len(found[0]) - 2) + '"', expr)
    for part in (_windows, _numbers, _comparisons, _conditions, _labels):
        yield from part(code)
    yield from _matchers(expr)


def _windows(code: str) -> Iterator[_Change]:
    """Twice as long, and half as long."""
    for found in _WINDOW.finditer(code):
        yield from ((*found.span(1), new) for new in (doubled(found[1]), halved(found[1])))


def _numbers(code: str) -> Iterator[_Change]:
    """Twice as much, and half as much; 1 for 0."""
    for found in _NUMBER.finditer(code):
        number = float(found[0])
        yield from ((*found.span(), f"{new:.9g}") for new in ((number * 2, number / 2) if number else (1.0,)))


def _comparisons(code: str) -> Iterator[_Change]:
    """The opposite, and where a whole number is compared with, its other side."""
    for found in _COMPARISON.finditer(code):
        yield (*found.span(1), _OPPOSITE[found[1]])
        # No share meets a threshold with a fraction to the last digit.
        if found[1] in _AT_THE_EDGE and re.match(r" \d+(?![\d.e])(?! \*)", code[found.end() :]):
            yield (*found.span(1), _AT_THE_EDGE[found[1]])


def _conditions(code: str) -> Iterator[_Change]:
    """Without what is right of an operator; of `or`, without what is left of it too."""
    for found in _CONDITION.finditer(code):
        yield (found.start(), _operand_end(code, found.end(), found[1]), "")
        if found[1] == "or":
            yield (_operand_start(code, found.start()), found.end(), "")


def _labels(code: str) -> Iterator[_Change]:
    """Without each label that is kept or matched on."""
    for found in _LABELS.finditer(code):
        labels = found[1].split(", ")
        for gone in filter(None, labels):
            yield (*found.span(1), ", ".join(each for each in labels if each != gone))


def _matchers(expr: str) -> Iterator[_Change]:
    """Without each matcher, and without each of the names that one lists."""
    for found in _MATCHER.finditer(expr):
        start, end = found.span()
        yield (start - (expr[start - 1] == "," != expr[end]), end + (expr[end] == ","), "")
        opening = found.start() + found[0].index('"') + 1
        names = expr[opening : end - 1].split("|")
        for gone in names if len(names) > 1 else ():
            yield (opening, end - 1, "|".join(each for each in names if each != gone))


def _of_native_histograms(expr: str) -> list[tuple[int, int]]:
    """Where an expression calculates with native histograms: the sides of an `or` that read no classic one.

    Only promtool 3 can feed a test with native histograms.
    """
    sides = [(found.end(), _operand_end(expr, found.end(), "or")) for found in re.finditer(r"\bor\b", expr)]
    native = [(start, end) for start, end in sides if _NATIVE.search(expr[start:end])]
    return [(start, end) for start, end in native if not re.search(r"_(?:bucket|count|sum)\b(?!\()", expr[start:end])]


def _operand_end(code: str, start: int, operator: str) -> int:
    """Where what is right of an operator ends: `or` binds less than `and` and `unless`."""
    depth = 0
    for found in re.finditer(r"[()]|\b(?:and|or|unless)\b", code[start:]):
        token = found[0]
        depth += (token == "(") - (token == ")")
        if depth < 0 or (depth == 0 and (token == "or" or (token in ("and", "unless") and operator != "or"))):
            return start + found.start()
    return len(code)


def _operand_start(code: str, end: int) -> int:
    """Where what is left of an `or` begins."""
    depth, start = 0, 0
    starts = [0]
    for found in re.finditer(r"[()]|\bor\b", code[:end]):
        if found[0] == "(":
            depth += 1
            starts.append(found.end())
        elif found[0] == ")":
            depth -= 1
            starts.pop()
        else:
            starts[-1] = found.end()
        start = starts[-1]
    return start


def doubled(duration: str) -> str:
    """Twice the time."""
    return f"{2 * _seconds(duration)}s"


def halved(duration: str) -> str:
    """Half of the time."""
    return f"{_seconds(duration) // 2}s"


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * _UNITS[duration[-1]]
