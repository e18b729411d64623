"""Writes the visit rules that a county starts with, each marked for local confirmation."""

from server.ledger.work import Work
from server.schedule.models import RuleVersion
from server.schedule.seed import SEED_RULES


def seed(work: Work) -> int:
    """Write the first version of every rule; returns how many."""
    for rule in SEED_RULES:
        work.session.add(
            RuleVersion(
                id=work.new_id(),
                key=rule.key,
                area_code="",
                category=rule.category,
                care_level=rule.care_level,
                tag=rule.tag,
                unit=rule.unit,
                required=rule.required,
                in_person=rule.in_person,
                alert_days=list(rule.alert_days),
                cutoff_day=rule.cutoff_day,
                heads_only=rule.applies_to_head_only,
                effective_from=rule.effective_from,
                effective_to=rule.effective_to,
                source_doc_no=rule.source,
                source_url="",
                needs_confirmation=not rule.confirmed,
                recorded_at=work.now,
            )
        )
    work.tell("visit_rules.seeded", "visit_rule", payload={"rules": [rule.key for rule in SEED_RULES]})
    return len(SEED_RULES)
