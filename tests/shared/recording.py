"""A Prometheus that holds a past made for a test: raw samples are given to it, and rules are recorded over them.

One rule is recorded after the other, each over the whole past. That equals what Prometheus records step by step, as a
rule reads nothing newer than its own time. A series that ends gets the mark of an end, as Prometheus gives it.
"""

import json
import os
import struct
import tempfile
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from prometheus_server import prometheus_server
from waiting import DEADLINE

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""The value that tells Prometheus that a series has ended."""

_SAMPLES = 20_000  # in one request
_POINTS = 10_000  # of one series in one answer; Prometheus refuses more than 11,000
_KEPT = "400d"


class Past:
    """The HTTP interface of such a Prometheus."""

    def __init__(self, url, pid):
        self.url, self.pid = url, pid

    def api(self, path, **parameters):
        """The data that Prometheus answers."""
        body = urllib.parse.urlencode(parameters).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", body, DEADLINE) as answer:
            return json.load(answer)["data"]

    def series(self, expr, start, end, step):
        """The samples of an expression, at each step: labels, and values by time."""
        found = {}
        for first in range(int(start), int(end) + 1, _POINTS * step):
            last = min(end, first + (_POINTS - 1) * step)
            answer = self.api("query_range", query=expr, start=first, end=last, step=step)["result"]
            for each in answer:
                samples = found.setdefault(tuple(sorted(each["metric"].items())), {})
                samples.update((int(time), float(value)) for time, value in each["values"])
        return found

    def give(self, labels, samples):
        """Store samples of one series, values by time in seconds, in the order of their times."""
        times = list(samples)
        for start in range(0, len(times), _SAMPLES):
            self.give_many([(labels, {time: samples[time] for time in times[start : start + _SAMPLES]})])

    def give_many(self, series):
        """The same of several series in one request: pairs of labels and samples, which may be encoded already."""
        self._write(b"".join(_field(1, _series(*each)) for each in series))

    def record(self, rule, start, end, step):
        """Store what a recording rule gives at each step from start to end."""
        for found, samples in self.series(rule["expr"], start, end, step).items():
            labels = {**dict(found), "__name__": rule["record"], **rule.get("labels", {})}
            ended = {time + step: STALE for time in samples if time + step not in samples and time + step <= end}
            self.give(labels, dict(sorted({**samples, **ended}.items())))

    def _write(self, message):
        headers = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/api/v1/write", _snappy(message), headers), timeout=DEADLINE
        ):
            pass


@contextmanager
def past(*more, collects_garbage_at=50):
    """A Prometheus without a past so far, until the end of the block.

    more: options of its command line. collects_garbage_at: percent by which its memory grows before it does; Go's own
    default is 100.
    """
    with tempfile.TemporaryDirectory(prefix="manometer-past-", ignore_cleanup_errors=True) as folder:
        options = (
            # One block takes it all, so that each series may be given from its start on.
            *(f"--storage.tsdb.{bound}-block-duration={_KEPT}" for bound in ("min", "max")),
            f"--storage.tsdb.retention.time={_KEPT}",
            "--web.enable-remote-write-receiver",
            *more,
        )
        with prometheus_server(Path(folder), *options, env={**os.environ, "GOGC": str(collects_garbage_at)}) as (
            url,
            pid,
        ):
            yield Past(url, pid)


# Prometheus's remote write: a protobuf message of series, in Snappy's framing.


def encoded(samples):
    """Samples, values by time in seconds, as they are sent; for many series that have the same.

    Each is a field 2 of 16 bytes: the value as a field 1, and the time in milliseconds as a field 2, in six pieces of
    seven bits, which is what times from 1972 to 2109 take.
    """
    times = np.fromiter(samples, float, len(samples))
    values = np.fromiter(samples.values(), "<f8", len(samples))
    values[np.isnan(values)] = STALE
    rows = np.empty((len(samples), 18), np.uint8)
    rows[:, :3] = 0x12, 16, 0x09
    rows[:, 3:11] = values.view(np.uint8).reshape(-1, 8)
    rows[:, 11] = 0x10
    milliseconds = np.rint(times * 1000).astype(np.int64)
    rows[:, 12:] = milliseconds[:, None] >> 7 * np.arange(6) & 0x7F
    rows[:, 12:17] |= 0x80
    return rows.tobytes()


def _series(labels, samples):
    told = (_field(1, _label(pair)) for pair in sorted(labels.items()))
    return b"".join(told) + (samples if isinstance(samples, bytes) else encoded(samples))


def _label(pair):
    return b"".join(_field(place, text.encode()) for place, text in enumerate(pair, 1))


def _field(number, content):
    return _number(number << 3 | 2) + _number(len(content)) + content


def _number(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _snappy(content):
    """The content in the form of Snappy, uncompressed: its length, and pieces of up to 65,536 bytes."""
    pieces = [content[start : start + 0x10000] for start in range(0, len(content), 0x10000)]
    return _number(len(content)) + b"".join(b"\xf4" + struct.pack("<H", len(piece) - 1) + piece for piece in pieces)
