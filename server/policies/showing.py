"""Policy numbers as the wire shows them: what holds now in an area, and every version that is kept."""

from typing import Any

from sqlalchemy import select

from server.ledger.work import Work
from server.policies.models import PolicyVersion
from server.policies.rules import shown_value
from server.policies.service import InForce
from server.policies.terms import NUMBERS
from server.regions.queries import inside


def settings(work: Work, *, only: str | None = None) -> list[dict[str, Any]]:
    """List the numbers with the value in force today in the actor's area, and the versions around and within it."""
    area = work.actor.area_code
    around = [area[:length] for length in (0, 6, 9, 12) if length <= len(area)]
    versions = work.session.scalars(
        select(PolicyVersion)
        .where(
            PolicyVersion.superseded_at.is_(None),
            PolicyVersion.area_code.in_(around) | inside(PolicyVersion.area_code, area),
        )
        .order_by(PolicyVersion.area_code, PolicyVersion.effective_from, PolicyVersion.id)
    ).all()
    held = InForce(work.now, tuple(versions))
    return [
        {
            "key": number.key,
            "label": number.label,
            "unit": number.unit,
            "source": number.source,
            "value": shown_value(number, held.on(number.key, work.today, area)),
            "versions": [
                {
                    "area_code": one.area_code,
                    "value": shown_value(number, one.value),
                    "effective_from": one.effective_from,
                    "effective_to": one.effective_to,
                    "source_doc_no": one.source_doc_no,
                    "source_url": one.source_url,
                    "needs_confirmation": one.needs_confirmation,
                    "recorded_at": one.recorded_at,
                }
                for one in versions
                if one.key == number.key
            ],
        }
        for number in NUMBERS.values()
        if only in {None, number.key}
    ]
