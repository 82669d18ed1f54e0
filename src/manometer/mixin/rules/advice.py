"""Rules of advice: an alert of severity info for each piece of advice, which pages nobody."""

from manometer.mixin.advice import Advice, table
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, told
from manometer.mixin.thresholds import Thresholds

__all__ = ["groups"]

_VALUES = {"s": "{{ $value | humanizeDuration }}", "": "{{ $value | humanize }}"}


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of advice, which look far back and so are evaluated seldom."""
    records: dict[str, Record] = {}

    def keep(name: str, expr: str) -> str:
        records[name] = Record(name, expr)
        return name

    alerts = [_alert(each) for each in table(config, keep)]
    return (Group("advice", (*records.values(), *alerts), interval=config.advice.interval),)


def _alert(advice: Advice) -> Alert:
    values = {name: told(name) for name in advice.labels}
    found = advice.found.format_map(values)
    return Alert(
        name=advice.name,
        expr=advice.expr,
        severity=Severity.INFO,
        fires=advice.fires,
        summary=f"{found[0].upper()}{found[1:]} ({told('job')})",
        description=f"On {told('instance')}, {found}. To expect: {_VALUES[advice.unit]} {advice.gain}."
        f" To change: {advice.change.format_map(values)}.",
    )
