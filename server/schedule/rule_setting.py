"""Setting visit rules: a new version from the first day of a period that has not begun; history is never touched."""

from sqlalchemy import select

from server.errors import Conflict
from server.ledger.work import Work
from server.regions.queries import inside
from server.regions.service import refuse_area
from server.schedule.models import RuleVersion
from server.schedule.periods import period_of
from server.schedule.rules import VisitRuleWrong, check_rule
from server.schedule.terms import NewRuleVersion


class RuleVersionConflict(Conflict):
    """Another version is stored under this id."""

    title = "编号已被使用"
    detail = "同一编号已保存过不同的走访规则，请刷新后重新提交。"


def rule_history(work: Work) -> list[RuleVersion]:
    """Read every version that holds in the actor's area, around it or within it, by key and day."""
    area = work.actor.area_code
    around = [area[:length] for length in (0, 6, 9, 12) if length <= len(area)]
    return list(
        work.session.scalars(
            select(RuleVersion)
            .where(
                RuleVersion.superseded_at.is_(None),
                RuleVersion.area_code.in_(around) | inside(RuleVersion.area_code, area),
            )
            .order_by(RuleVersion.key, RuleVersion.area_code, RuleVersion.effective_from, RuleVersion.id)
        )
    )


def add_rule_version(work: Work, new: NewRuleVersion) -> tuple[RuleVersion, bool]:
    """Add a version of a rule; says whether it is new. The same again is harmless.

    A period uses the version in force on its first day, so `effective_from` must be the first day of a period that
    has not begun. A version for the same key, area and day that has not begun yet is superseded.
    """
    rule = new.rule
    check_rule(rule)
    there = work.session.get(RuleVersion, new.id)
    if there is not None:
        if _values(new) != {name: getattr(there, name) for name in _values(new)}:
            raise RuleVersionConflict
        return there, False
    errors: dict[str, list[str]] = {}
    if rule.effective_from <= work.today:
        errors["effective_from"] = ["启用日期必须晚于今天，正在进行的周期不能改变。"]
    elif period_of(rule.unit, rule.effective_from).start != rule.effective_from:
        errors["effective_from"] = ["启用日期必须是周期的第一天（周一、每月或每季首日）。"]
    if errors:
        raise VisitRuleWrong(errors=errors)
    refuse_area(work, new.area_code)
    replaced = work.session.scalars(
        select(RuleVersion).where(
            RuleVersion.key == rule.key,
            RuleVersion.area_code == new.area_code,
            RuleVersion.effective_from == rule.effective_from,
            RuleVersion.superseded_at.is_(None),
        )
    ).all()
    for one in replaced:
        one.superseded_at = work.now
    row = RuleVersion(
        id=new.id, **_values(new), needs_confirmation=False, recorded_at=work.now, recorded_by=work.actor_id
    )
    work.session.add(row)
    work.session.flush()
    work.tell(
        "visit_rule.added",
        "visit_rule",
        new.id,
        payload={**_values(new), "replaces": [one.id for one in replaced]},
    )
    return row, True


def _values(new: NewRuleVersion) -> dict[str, object]:
    rule = new.rule
    return {
        "key": rule.key,
        "area_code": new.area_code,
        "category": rule.category,
        "care_level": rule.care_level,
        "tag": rule.tag,
        "unit": rule.unit,
        "required": rule.required,
        "in_person": rule.in_person,
        "alert_days": list(rule.alert_days),
        "cutoff_day": rule.cutoff_day,
        "heads_only": rule.applies_to_head_only,
        "effective_from": rule.effective_from,
        "effective_to": rule.effective_to,
        "source_doc_no": rule.source,
        "source_url": new.source_url,
    }
