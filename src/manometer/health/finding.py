"""What a run of a health check found."""

from typing import NamedTuple

__all__ = ["RESPONSE_TIME", "Finding"]

RESPONSE_TIME = "responseTime"
"""What a check measures where it says nothing else: how long its run took, in seconds."""


class Finding(NamedTuple):
    """What a check may return in place of a reason, where it measures something.

        def backlog():
            jobs = count_jobs()
            return Finding("too many jobs wait" if jobs > 500 else None, jobs, "jobs", "backlog")

    problem: why something does not work, None where it does. value: what was measured, None for how long the run
    took. unit: of the value. measurement: the name of what was measured; the IETF draft
    draft-inadarei-api-health-check has `utilization`, `responseTime`, `connections` and `uptime`.
    """

    problem: str | None = None
    value: float | str | None = None
    unit: str = ""
    measurement: str = RESPONSE_TIME
