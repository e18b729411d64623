"""All rules of evidence: facts in, findings out; each rule is a pure function with a version of its own."""

from collections.abc import Callable, Iterator

from server.evidence.rules import photos, place, text, time
from server.evidence.terms import Finding, Thresholds, VisitFacts

Rule = Callable[[VisitFacts, Thresholds], Iterator[Finding]]

RULES: tuple[Rule, ...] = (*place.RULES, *photos.RULES, *time.RULES, *text.RULES)


def findings(facts: VisitFacts, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Judge one visit; at most one finding of each code, in the order of their codes."""
    found = [finding for rule in RULES for finding in rule(facts, thresholds)]
    return tuple(sorted(found, key=lambda one: one.code))
