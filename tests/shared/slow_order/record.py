"""The committed run, `record.json`, as the blocks of docs/follow-a-slow-order.md."""

import json
import platform
from pathlib import Path

from slow_order.path import PACE, TRACE_RATIO

__all__ = [
    *("exemplar", "lines", "notification", "query", "sampling", "slowest", "span_of_line", "trace", "where"),
    *("of", "read", "write"),
]

_PATH = Path(__file__).with_name("record.json")
_TOLD = ("status", "labels", "annotations", "startsAt")
"""What is kept of an alert. Its links have the name of the machine in them."""


def of(followed):
    """What is kept of a run."""
    kept = followed.json()
    alerts = [{name: each[name] for name in _TOLD} for each in followed.notification["alerts"]]
    kept["notification"] = {"receiver": followed.notification["receiver"], "alerts": alerts}
    return kept | {"python": platform.python_version(), "pace": PACE, "trace_ratio": TRACE_RATIO}


def write(kept):
    """Make it the committed run."""
    _PATH.write_text(json.dumps(kept, indent=2) + "\n")


def read():
    """The committed run."""
    return json.loads(_PATH.read_text())


def notification(kept):
    """What Alertmanager sent: each alert with its labels and its annotations."""
    told = [f"to: {kept['notification']['receiver']}"]
    for each in kept["notification"]["alerts"]:
        labels = " ".join(f'{name}="{value}"' for name, value in each["labels"].items() if name != "alertname")
        told += ["", f"{each['labels']['alertname']} {each['status']} since {each['startsAt']}", f"  {labels}"]
        told += [f"  {name}: {text}" for name, text in each["annotations"].items()]
    return _block(told)


def slowest(kept):
    """How slow the stages are."""
    width = max(map(len, kept["slowest"]))
    return _block([f"{stage:<{width}}  {seconds:8.4f} s" for stage, seconds in kept["slowest"].items()])


def exemplar(kept):
    """The exemplar that is followed."""
    labels = " ".join(f'{name}="{value}"' for name, value in kept["exemplar"]["labels"].items())
    return _block([f"{float(kept['exemplar']['value']):.3f} s  {labels}"])


def trace(kept):
    """The spans, each below the one that it is within; what each took, and how long after the first it began."""
    spans = kept["spans"]
    first, known = spans[0]["start"], {span["span_id"] for span in spans}
    rows = [("span", "began after", "took")]

    def add(span, depth):
        begun, took = ((span["start"] - first) * 1000, span["seconds"] * 1000)
        rows.append((f"{'  ' * depth}{span['name']}", f"{begun:.2f} ms", f"{took:.2f} ms"))
        for each in spans:
            if each["parent_id"] == span["span_id"]:
                add(each, depth + 1)

    for span in spans:
        if span["parent_id"] not in known:
            add(span, 0)
    width = max(len(name) for name, *_ in rows)
    return _block([f"{name:<{width}}  {begun:>12}  {took:>12}" for name, begun, took in rows])


def lines(kept):
    """The lines of the log, as they stand there."""
    return _block(map(json.dumps, kept["lines"]))


def sampling(kept):
    """How the trace came to be there."""
    share = f"{kept['trace_ratio']:.0%}"
    if _was_recorded(kept):
        return f"It is one of the {share} of the traces that are recorded."
    return (
        f"Nobody had chosen it: {share} of the traces are recorded, and it was not among them. It was made\n"
        "[afterwards](tracing.md#traces-afterwards), of the times of its stages, because its run was slow."
    )


def span_of_line(kept):
    """Which span the line names."""
    (named, *_) = [span["name"] for span in kept["spans"] if span["span_id"] == kept["lines"][0]["span_id"]]
    if _was_recorded(kept):
        return f"Its `span_id` is that of `{named}`, where it was written."
    return (
        f"Its `span_id` is that of `{named}`: in a trace that is not recorded, a line has the id of the outermost\n"
        "run. The spans within it get theirs when the trace is made."
    )


def _was_recorded(kept):
    """Whether there were spans as the line was written."""
    return "stage" in kept["lines"][0]


def query(promql):
    """A query of Prometheus."""
    return f"```promql\n{promql}\n```"


def where(kept):
    """What the run was made with."""
    share = f"{kept['trace_ratio']:.0%}"
    return (
        f"The clock of the rules went {kept['pace']} times as fast as shipped, {share} of the traces were recorded,\n"
        f"and the engine ran on Python {kept['python']}."
    )


def _block(told):
    return "\n".join(["```text", *told, "```"])
