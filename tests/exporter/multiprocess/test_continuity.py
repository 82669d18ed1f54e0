"""What a process's sums have come to is kept for as long as it is needed, and no longer."""

import pickle

from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.exporter.multiprocess.continuity import Continuity
from manometer.exporter.multiprocess.snapshot import family
from manometer.exporter.multiprocess.ways import Way


def test_what_is_kept_does_not_grow_with_all_that_ever_was():
    """A series that shows other buckets each time, and goes on: kept is what was last seen of it."""
    continuity = Continuity()

    def size(events):
        metric = Metric("h", "Help.", "histogram")
        for bound in (f"{events}.0", "+Inf"):
            metric.add_sample("h_bucket", {"le": bound}, events)
        metric.samples.append(Sample("h_count", {}, events))
        assert continuity.besides([family(metric, Way("sum"), 1.0)], 1.0) == []
        return len(pickle.dumps(vars(continuity)))

    first, *others = [size(events) for events in range(100, 400)]
    assert max(others) <= first + 10
