"""The figures of ALL-USE's own, beside those that Manometer's instrumentation gives its parts.

| metric | what it tells |
| --- | --- |
| alluse_workflows_total{outcome} | workflows: orders placed, held for want of a reason to trade, declined by the |
| | human, rejected by the open breaker, failed, or shed because too many were waiting already |
| alluse_decisions_total{rule, week_class, | what the rules decided: the rule that did, the facts that led to it, |
| regime, condition, action} | and a sale, or why there is none: see Verdict in alluse.rules |
| alluse_orders_total{outcome} | orders: placed, declined, rejected, failed |
| alluse_approvals_total{outcome} | decisions: made alone, approved, declined, timed_out, or refused because the |
| | human's inbox was full |
| alluse_trust_ratio | how far the engine is trusted, from 0 to 1 |
| alluse_fault_rate_ratio{fault} | the rate of each fault that can be switched on, 0 while it is off |
"""

from prometheus_client import CollectorRegistry

from alluse.faults import FAULTS, Faults
from alluse.rules import Decision, Facts
from alluse.trust import Approval, HITLTrustSystem
from alluse.workflow import Outcome
from manometer import Counter, Gauge

__all__ = ["Metrics"]

_ORDER_OUTCOMES = (Outcome.PLACED, Outcome.DECLINED, Outcome.REJECTED, Outcome.FAILED)


class Metrics:
    """ALL-USE's own metrics on a registry, until `close()`.

    Every label value is there from the start, but for decisions: most of their combinations never happen.
    """

    def __init__(self, registry: CollectorRegistry, trust: HITLTrustSystem, faults: Faults) -> None:
        self._registry = registry
        workflows = Counter("alluse_workflows_total", "Workflows by how they ended.", ["outcome"], registry=registry)
        orders = Counter("alluse_orders_total", "Orders by what became of them.", ["outcome"], registry=registry)
        approvals = Counter(
            "alluse_approvals_total", "Decisions by who made them, and how.", ["outcome"], registry=registry
        )
        self._decisions = Counter(
            "alluse_decisions_total",
            "Decisions of the rules by the rule that decided, the facts that led to it, and the action.",
            ["rule", "week_class", "regime", "condition", "action"],
            registry=registry,
        )
        score = Gauge("alluse_trust_ratio", "How far outcomes made the engine trusted.", registry=registry)
        score.set_function(lambda: trust.score)
        rates = Gauge(
            "alluse_fault_rate_ratio", "Rate of a fault that is switched on, else 0.", ["fault"], registry=registry
        )
        for fault in FAULTS:
            rates.labels(fault).set_function(lambda fault=fault: faults.rate(fault))  # type: ignore[misc]
        self._meters = (workflows, self._decisions, orders, approvals, score, rates)
        self._decided: dict[tuple[str, ...], Counter] = {}
        self._workflows = {outcome: workflows.labels(outcome.value) for outcome in Outcome}
        self._orders = {outcome: orders.labels(outcome.value) for outcome in _ORDER_OUTCOMES}
        self._approvals = {approval: approvals.labels(approval.value) for approval in Approval}

    def ended(self, outcome: Outcome, orders: int) -> None:
        """A workflow ended, with that many orders made."""
        self._workflows[outcome].tick()
        if orders:
            self._orders[outcome].inc(orders)

    def ruled(self, facts: Facts, decision: Decision) -> None:
        """The rules decided on a workflow."""
        labels = (decision.rule, facts.week.kind, facts.week.regime, facts.condition.state, decision.verdict)
        counter = self._decided.get(labels)
        if counter is None:  # made twice, it is the same one
            counter = self._decided[labels] = self._decisions.labels(*labels)
        counter.tick()

    def decided(self, approval: Approval) -> None:
        """A decision was made."""
        self._approvals[approval].tick()

    def close(self) -> None:
        """Take the metrics off the registry."""
        for meter in self._meters:
            self._registry.unregister(meter)
