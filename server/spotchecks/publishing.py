"""What is published of a draw, so that anyone can draw again: the plan, the frame, commitment and seed, the sample.

Only ids and codes are in it, no personal datum. The SHA-256 of the frame's file is the frame digest.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.errors import Conflict
from server.ledger.work import Work
from server.spotchecks.framing import AT_ONCE
from server.spotchecks.models import SpotCheck, SpotCheckPlan
from server.spotchecks.planning import plan_in_sight, text_of
from server.spotchecks.showing import plan_shown


class NotFrozenYet(Conflict):
    """There is no frame to publish before it is frozen."""

    title = "名单尚未封存"
    detail = "名单还没有封存，没有可公布的内容。"


def proof(work: Work, plan_id: UUID) -> dict[str, Any]:
    """Give what proves a draw, beside the frame: the ledger tells that the commitment came first."""
    plan = plan_in_sight(work, plan_id, whole=True)
    work.looked("spot_check.proof_read", "spot_check_plan", plan.id)
    return {
        "format": "spot-check-proof 1",
        "plan": plan_shown(work, [plan])[0],
        "commitment": plan.commitment.hex() if plan.commitment else None,
        "frame_digest": plan.frame_digest.hex() if plan.frame_digest else None,
        "seed": plan.seed.hex() if plan.seed else None,
        "sample": [{"visit_id": visit_id, "why": why} for visit_id, why in _sample(work, plan)],
    }


def frame(work: Work, plan_id: UUID) -> Iterator[str]:
    """Give a frozen frame as its text, a line at a time."""
    plan = plan_in_sight(work, plan_id, whole=True)
    if plan.frame_digest is None:
        raise NotFrozenYet
    work.looked("spot_check.frame_read", "spot_check_plan", plan.id, size=plan.frame_size)
    return text_of(work.session, plan)


def _sample(work: Work, plan: SpotCheckPlan) -> Iterator[tuple[UUID, str]]:
    wanted = (
        select(SpotCheck.visit_id, SpotCheck.why)
        .where(SpotCheck.plan_id == plan.id)
        .order_by(SpotCheck.ordinal)
        .execution_options(yield_per=AT_ONCE)
    )
    for visit_id, why in work.session.execute(wanted):
        yield visit_id, why.value
