"""Which series dashboards show."""

import re
from dataclasses import dataclass

from manometer.errors import ConfigError

__all__ = ["Narrowing"]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which series the dashboards show, beside the choice of job and instance.

    cluster_label: the label that tells clusters apart, which becomes a choice; empty where there is one cluster.
    matchers: in every selector, such as `env="production",team="orders"`; they have to be labels of all series, those
    of rules and alerts too, as Prometheus's `external_labels` are after a remote write.
    """

    cluster_label: str = ""
    matchers: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([a-zA-Z_]\w*)?", self.cluster_label):
            raise ConfigError(f"dashboards.cluster_label is {self.cluster_label!r}; it takes the name of a label")
        matcher = r'[a-zA-Z_]\w*(=|!=|=~|!~)"([^"\\]|\\.)*"'
        if not re.fullmatch(rf"({matcher}(,{matcher})*)?", self.matchers):
            raise ConfigError(
                f'dashboards.matchers is {self.matchers!r}; it takes what a selector holds, such as env="production"'
            )
