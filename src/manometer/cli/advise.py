"""`manometer advise`: what would pay to change in the programs that a Prometheus scrapes."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from manometer.cli.prometheus import Prometheus, Series
from manometer.errors import ConfigError
from manometer.mixin.advice import Advice, table
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["add_parser", "run"]

Ask = Callable[[str], Sequence[Series]]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of advice about one thing. size: the figure to set, None where there is none."""

    advice: Advice
    series: Series
    size: float | None

    def filled(self, text: str) -> str:
        """A text of the advice about this thing."""
        return text.format_map({name: self.series.labels.get(name, "") for name in self.advice.labels})

    def gain(self) -> str:
        """What to expect, in words."""
        return f"{_figure(self.series.value, self.advice.unit)} {self.filled(self.advice.gain)}"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "advise",
        help="tell what would pay to change: caches, pools, stages, the garbage collector",
        description="Tell what would pay to change in the programs that a Prometheus scrapes: the gain to expect, "
        "what to do, and the query that says so. Nothing is said of what has too few samples or too little traffic. "
        "The exit status is 0 where there is nothing to change, 1 where there is, and 2 where it could not be found "
        "out.",
    )
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://127.0.0.1:9090")
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="YAML of your thresholds, the same as `manometer mixin --config` takes; needs the extra yaml",
    )
    default = Thresholds().advice.window
    parser.add_argument(
        "--window",
        type=_window,
        metavar="TIME",
        help=f"how far to look back (default: {default}, or what the file says)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in the place of text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and tell the advice."""
    config = _thresholds(args.config)
    window = args.window or config.advice.window
    advices = table(replace(config, advice=replace(config.advice, window=window)))
    ask = Prometheus(args.prometheus).query
    judged = {each.name: len(ask(each.judged)) for each in advices}
    pieces = [piece for each in advices for piece in _pieces(each, ask)]
    if args.json:
        document = {"window": window, "judged": judged, "advice": [_entry(each) for each in pieces]}
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join([*map(_text, pieces), _summary(pieces, judged, window)]))
    return 1 if pieces else 0


def _thresholds(path: Path | None) -> Thresholds:
    if path is None:
        return Thresholds()
    from manometer.mixin.thresholds import file  # needs an extra

    return file.read(path)


def _pieces(advice: Advice, ask: Ask) -> Iterable[Piece]:
    found = ask(advice.expr)
    sizes = {_key(advice, each): each.value for each in ask(advice.size)} if found and advice.size else {}
    for each in sorted(found, key=lambda each: -each.value):
        yield Piece(advice, each, sizes.get(_key(advice, each)))


def _key(advice: Advice, series: Series) -> tuple[str | None, ...]:
    return tuple(series.labels.get(name) for name in advice.labels)


def _entry(piece: Piece) -> dict[str, Any]:
    return {
        "name": piece.advice.name,
        "labels": dict(piece.series.labels),
        "found": piece.filled(piece.advice.found),
        "gain": {"value": piece.series.value, "unit": piece.advice.unit, "text": piece.gain()},
        "change": piece.filled(piece.advice.change),
        **({} if piece.size is None else {"size": piece.size}),
        "query": piece.advice.expr,
    }


def _text(piece: Piece) -> str:
    labels = piece.series.labels
    set_to = "" if piece.size is None else f" (to {_figure(piece.size, '')})"
    query = piece.advice.expr.replace("\n", "\n            ")
    return (
        f"{piece.advice.name}: {labels.get('job', '')} at {labels.get('instance', '')}\n"
        f"    found   {piece.filled(piece.advice.found)}\n"
        f"    gain    {piece.gain()}\n"
        f"    change  {piece.filled(piece.advice.change)}{set_to}\n"
        f"    query   {query}\n"
    )


def _summary(pieces: Sequence[Piece], judged: dict[str, int], window: str) -> str:
    """How much there was to judge: no advice says little where nothing was."""
    names = [name for name, number in judged.items() if number == 0]
    unjudged = f"; too few samples or too little traffic for {', '.join(names)}" if names else ""
    count = f"{len(pieces)} pieces of advice" if len(pieces) != 1 else "1 piece of advice"
    return f"{count}, by the last {window}{unjudged}\n"


def _window(text: str) -> Duration:
    try:
        window = Duration(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if window.seconds == 0:
        raise argparse.ArgumentTypeError("a window of no time holds nothing")
    return window


def _figure(value: float, unit: str) -> str:
    return f"{value:.3g} s" if unit == "s" else f"{value:,.0f}"
