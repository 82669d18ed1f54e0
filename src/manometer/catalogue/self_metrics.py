"""What Manometer measures of itself."""

from manometer.catalogue.spec import Across, Kind, MetricSpec, Reading

__all__ = [
    "COLLECT_DURATION",
    "COLLECT_FAILURES",
    "CONFIG_RELOADS",
    "CONFIG_RELOAD_SUCCESSFUL",
    "CONFIG_RELOAD_TIME",
    "HANDOVERS",
    "LABEL_FOLDS",
    "LOG_FAILURES",
    "LOG_RECORDS",
    "POINTS",
    "PROCESSES",
    "PROCESS_FILE_FAILURES",
    "SERIES",
    "SERVER_CONFIG_RELOADS",
    "SERVER_CONFIG_RELOAD_SUCCESSFUL",
    "SERVER_CONFIG_RELOAD_TIME",
    "SERVER_REFUSALS",
    "SERVER_SHORTAGES",
    "SPANS",
    "SPECS",
    "TRACES_AFTERWARDS",
]

COLLECT_DURATION = MetricSpec(
    name="manometer.collect.duration",
    kind=Kind.GAUGE,
    unit="s",
    attributes=("manometer.collector.name",),
    reading=Reading.PULL,
    across=Across.MAX,
    help="Time that the last reading of the collector took.",
)
COLLECT_FAILURES = MetricSpec(
    name="manometer.collect.failures",
    kind=Kind.COUNTER,
    unit="{failure}",
    attributes=("manometer.collector.name",),
    help="Readings of the collector that raised or did not end in time, and so lost its series for that scrape.",
)
SERIES = MetricSpec(
    name="manometer.series",
    kind=Kind.UPDOWNCOUNTER,
    unit="{series}",
    attributes=("manometer.family.name",),
    reading=Reading.PULL,
    across=Across.MAX,
    help="Series that the family had in the last collection: what each name costs the scraper.",
)
LABEL_FOLDS = MetricSpec(
    name="manometer.label.folds",
    kind=Kind.COUNTER,
    unit="{lookup}",
    attributes=("manometer.family.name",),
    help="Lookups of a labelled series that went to 'other': the family was at its cap, or a value was very long.",
)
SPANS = MetricSpec(
    name="manometer.otlp.spans",
    kind=Kind.COUNTER,
    unit="{span}",
    attributes=("manometer.otlp.span.outcome",),
    values={"manometer.otlp.span.outcome": ("ok", "rejected", "error")},
    help="Spans handed to the OTLP exporter: taken, rejected by a receiver that took others of the batch, or lost.",
)
TRACES_AFTERWARDS = MetricSpec(
    name="manometer.traces.afterwards",
    kind=Kind.COUNTER,
    unit="{trace}",
    attributes=("manometer.trace.outcome",),
    values={"manometer.trace.outcome": ("left", "over_limit")},
    help="Traces of runs that were not recorded, but failed or were slow: left, or not left because of the limit.",
)
POINTS = MetricSpec(
    name="manometer.otlp.points",
    kind=Kind.COUNTER,
    unit="{data_point}",
    attributes=("manometer.otlp.point.outcome",),
    values={"manometer.otlp.point.outcome": ("ok", "rejected", "error")},
    help="Figures pushed over OTLP: taken, rejected by a receiver that took others of the request, or not delivered.",
)
HANDOVERS = MetricSpec(
    name="manometer.handovers",
    kind=Kind.COUNTER,
    unit="{handover}",
    attributes=("manometer.handover.receiver", "manometer.handover.outcome"),
    values={
        "manometer.handover.receiver": ("pushgateway", "textfile"),
        "manometer.handover.outcome": ("ok", "error"),
    },
    help="Times that a program gave its last figures to a text file or a Pushgateway, by whether they got there.",
)
LOG_RECORDS = MetricSpec(
    name="manometer.otlp.log_records",
    kind=Kind.COUNTER,
    unit="{log_record}",
    attributes=("manometer.otlp.log_record.outcome",),
    values={"manometer.otlp.log_record.outcome": ("ok", "rejected", "error")},
    help="Log lines sent over OTLP: taken, rejected by a receiver that took others of the request, or lost.",
)
LOG_FAILURES = MetricSpec(
    name="manometer.log.failures",
    kind=Kind.COUNTER,
    unit="{line}",
    attributes=("manometer.log.destination",),
    values={"manometer.log.destination": ("file", "stdout")},
    help="Log lines that could not be written where the settings say, and went to standard error where there is one.",
)
PROCESSES = MetricSpec(
    name="manometer.processes",
    kind=Kind.UPDOWNCOUNTER,
    unit="{process}",
    reading=Reading.PULL,
    across=Across.MAX,
    help="Live processes whose figures this scrape shows together.",
)
PROCESS_FILE_FAILURES = MetricSpec(
    name="manometer.process.file.failures",
    kind=Kind.COUNTER,
    unit="{failure}",
    attributes=("manometer.process.file.operation",),
    values={"manometer.process.file.operation": ("read", "write")},
    help="Files of a process's figures that could not be written, as on a full disk, or made no sense when read.",
)

SERVER_SHORTAGES = MetricSpec(
    name="manometer.server.shortages",
    kind=Kind.COUNTER,
    unit="{shortage}",
    attributes=("manometer.server.resource",),
    values={"manometer.server.resource": ("check", "connection", "descriptor", "memory", "scrape", "thread")},
    help="Connections and requests that the exporter had wait or refused, by what was lacking.",
)
SERVER_REFUSALS = MetricSpec(
    name="manometer.server.refusals",
    kind=Kind.COUNTER,
    unit="{refusal}",
    attributes=("manometer.server.refusal.reason",),
    values={"manometer.server.refusal.reason": ("certificate", "handshake", "host", "password", "rate")},
    help="Connections and requests that the exporter refused, by what was wrong with them.",
)
# What is told of reloads is named after what Prometheus and its kin tell of theirs.
SERVER_CONFIG_RELOADS = MetricSpec(
    name="manometer.server.config.reloads",
    kind=Kind.COUNTER,
    unit="{reload}",
    attributes=("manometer.server.config.reload.outcome",),
    values={"manometer.server.config.reload.outcome": ("ok", "refused")},
    help="Changes of the web configuration file or a certificate, by whether they came into force.",
)
SERVER_CONFIG_RELOAD_SUCCESSFUL = MetricSpec(
    name="manometer.server.config.last_reload.successful",
    kind=Kind.GAUGE,
    unit="{reload}",
    reading=Reading.PULL,
    across=Across.MIN,
    help="1 when the web configuration that was last read is right, at the start too; 0 when it was refused.",
)
SERVER_CONFIG_RELOAD_TIME = MetricSpec(
    name="manometer.server.config.last_reload.success.timestamp",
    kind=Kind.GAUGE,
    unit="s",
    reading=Reading.PULL,
    across=Across.MIN,
    help="Unix time at which the web configuration was last read and is right, at the start too.",
)
CONFIG_RELOADS = MetricSpec(
    name="manometer.config.reloads",
    kind=Kind.COUNTER,
    unit="{reload}",
    attributes=("manometer.config.reload.outcome",),
    values={"manometer.config.reload.outcome": ("ok", "partial", "refused")},
    help="Times that the settings were read again: all taken, some only after a restart, or refused as wrong.",
)
CONFIG_RELOAD_SUCCESSFUL = MetricSpec(
    name="manometer.config.last_reload.successful",
    kind=Kind.GAUGE,
    unit="{reload}",
    reading=Reading.PULL,
    across=Across.MIN,
    help="1 when the settings that were last read are right, at the start too; 0 when they were refused.",
)
CONFIG_RELOAD_TIME = MetricSpec(
    name="manometer.config.last_reload.success.timestamp",
    kind=Kind.GAUGE,
    unit="s",
    reading=Reading.PULL,
    across=Across.MIN,
    help="Unix time at which settings were last read that are right, at the start too.",
)

SPECS = (
    *(COLLECT_DURATION, COLLECT_FAILURES, SERIES, LABEL_FOLDS, SPANS, POINTS, LOG_RECORDS, HANDOVERS, LOG_FAILURES),
    *(TRACES_AFTERWARDS, PROCESSES, PROCESS_FILE_FAILURES, SERVER_SHORTAGES, SERVER_REFUSALS),
    *(SERVER_CONFIG_RELOADS, SERVER_CONFIG_RELOAD_SUCCESSFUL, SERVER_CONFIG_RELOAD_TIME),
    *(CONFIG_RELOADS, CONFIG_RELOAD_SUCCESSFUL, CONFIG_RELOAD_TIME),
)
