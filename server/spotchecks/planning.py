"""Plans of spot checks: made, committed to before the month, frozen after it, drawn, or annulled for all to see."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.errors import Invalid, NotFound
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import is_the_house, out_of_sight, within_sight
from server.policies.service import in_force
from server.spotchecks import framing
from server.spotchecks.drawing import Drawn, commitment_of, digest_of, draw, frame_text, passing
from server.spotchecks.models import SpotCheck, SpotCheckPlan
from server.spotchecks.plan_refusals import (
    EmptyFrame,
    FrameChanged,
    NotTheKeeper,
    PeriodHasBegun,
    PeriodHasPlan,
    PeriodNotOver,
    PlanConflict,
    SameHands,
    SeedIsMissing,
    SeedTooEarly,
    WrongSeed,
)
from server.spotchecks.states import after_plan
from server.spotchecks.terms import (
    SEED_BYTES,
    NewPlan,
    SpotCheckPlanState,
    SpotCheckPlanStep,
    SpotCheckState,
    StratumBy,
)
from server.visits.models import Visit
from server.visits.terms import VisitState

BATCH = 500
COUNTED_STATES = (VisitState.SUBMITTED, VisitState.RETURNED, VisitState.ACCEPTED)
"""What a plan takes that names no states: everything but what was voided."""


def make_plan(work: Work, new: NewPlan) -> tuple[SpotCheckPlan, bool]:
    """Store a plan once; True when it is new. A plan is never changed afterwards."""
    _refuse_elsewhere(work, new.area_code)
    _refuse_hidden(work, new.person_ids)
    stored = work.session.get(SpotCheckPlan, new.id)
    if stored is not None:
        if (stored.area_code, stored.period_start) != (new.area_code, new.period_start):
            raise PlanConflict
        if stored.rules != _rules(work, new, stored.rules):
            raise PlanConflict
        return stored, False
    if new.period_start <= work.today:
        raise PeriodHasBegun
    live = select(SpotCheckPlan.id).where(
        SpotCheckPlan.area_code == new.area_code,
        SpotCheckPlan.period_start == new.period_start,
        SpotCheckPlan.state != SpotCheckPlanState.ANNULLED,
    )
    if work.session.scalar(live) is not None:
        raise PeriodHasPlan
    plan = SpotCheckPlan(
        id=new.id,
        area_code=new.area_code,
        period_start=new.period_start,
        rules=_rules(work, new),
        state=SpotCheckPlanState.PLANNED,
        created_by=work.actor.worker_id,
        created_at=work.now,
    )
    work.session.add(plan)
    work.session.flush()
    _tell(work, plan, "planned", area=plan.area_code, period=plan.period_start, rules=plan.rules)
    return plan, True


def commit_seed(work: Work, plan_id: UUID, commitment: bytes | None) -> SpotCheckPlan:
    """Commit to a seed before the month; without a `commitment` of the keeper's own the server makes and seals a seed."""
    plan = plan_in_sight(work, plan_id, lock=True, whole=True)
    if commitment is not None and plan.commitment == commitment and plan.committed_by == work.actor.worker_id:
        return plan
    following = after_plan(plan.state, SpotCheckPlanStep.COMMIT)
    if plan.period_start <= work.today:
        raise PeriodHasBegun
    if commitment is None:
        seed = work.tools.random_bytes(SEED_BYTES)
        commitment = commitment_of(seed, plan.id)
        plan.seed_sealed = work.keys.house_key().seal(
            seed.hex(), table="spot_check_plans", column="seed_sealed", row=plan.id
        )
    plan.commitment = commitment
    plan.committed_by, plan.committed_role = work.actor.worker_id, work.actor.role
    plan.committed_at = work.now
    _step(plan, following)
    _tell(work, plan, "committed", commitment=commitment.hex(), kept_here=plan.seed_sealed is not None)
    return plan


def freeze(work: Work, plan_id: UUID) -> SpotCheckPlan:
    """Freeze the frame: every visit that fits is written down at once, and the digest of all of it is told."""
    plan = plan_in_sight(work, plan_id, lock=True)
    following = after_plan(plan.state, SpotCheckPlanStep.FREEZE)
    if plan.committed_by == work.actor.worker_id or plan.committed_role is work.actor.role:
        raise SameHands
    if work.today < framing.month_after(plan.period_start):
        raise PeriodNotOver
    size = framing.write_frame(work, plan)
    if size == 0:
        raise EmptyFrame
    plan.frame_size = size
    plan.frame_digest = digest_of(text_of(work.session, plan))
    plan.frozen_by, plan.frozen_role = work.actor.worker_id, work.actor.role
    plan.frozen_at = work.now
    _step(plan, following)
    _tell(work, plan, "frozen", digest=plan.frame_digest.hex(), size=size)
    return plan


def reveal(work: Work, plan_id: UUID, seed: bytes | None) -> SpotCheckPlan:
    """Reveal the seed and draw; None lets the server open the one that it kept. The same seed again changes nothing."""
    plan = plan_in_sight(work, plan_id, lock=True)
    if plan.state is SpotCheckPlanState.DRAWN and seed in {None, plan.seed}:
        return plan
    if plan.state in {SpotCheckPlanState.PLANNED, SpotCheckPlanState.COMMITTED}:
        raise SeedTooEarly
    following = after_plan(plan.state, SpotCheckPlanStep.DRAW)
    if plan.frozen_by == work.actor.worker_id or plan.committed_role is not work.actor.role:
        raise NotTheKeeper
    assert plan.commitment is not None
    assert plan.frame_digest is not None
    seed = seed or _kept_seed(work, plan)
    if not hmac.compare_digest(commitment_of(seed, plan.id), plan.commitment):
        raise _told(work, WrongSeed(errors={"seed": ["与承诺不符。"]}), plan.id, "refused.wrong_seed")
    how, seen = framing.how_to_draw(plan), hashlib.sha256()
    drawn = draw(seed, plan.frame_digest, how, passing(seen, how, framing.lines(work.session, plan.id)))
    if seen.digest() != plan.frame_digest:
        raise _told(work, FrameChanged(), plan.id, "refused.frame_changed")
    _write_sample(work, plan, drawn)
    plan.seed = seed
    plan.drawn_by, plan.drawn_at, plan.drawn_count = work.actor.worker_id, work.now, len(drawn)
    _step(plan, following)
    _tell(work, plan, "drawn", seed=seed.hex(), digest=plan.frame_digest.hex(), drawn=len(drawn))
    return plan


def annul(work: Work, plan_id: UUID, reason: str) -> SpotCheckPlan:
    """Annul a plan that was not drawn yet (a lost seed, an empty frame); it stays visible with its reason for ever."""
    plan = plan_in_sight(work, plan_id, lock=True, whole=True)
    following = after_plan(plan.state, SpotCheckPlanStep.ANNUL)
    said = reason.strip()
    if not said:
        raise Invalid(errors={"reason": ["请写明原因。"]})
    plan.annulled_by, plan.annulled_at = work.actor.worker_id, work.now
    plan.annul_reason_sealed = work.keys.house_key().seal(
        said, table="spot_check_plans", column="annul_reason_sealed", row=plan.id
    )
    before = plan.state
    _step(plan, following)
    _tell(work, plan, "annulled", before=before)
    return plan


def plan_in_sight(work: Work, plan_id: UUID, *, lock: bool = False, whole: bool = False) -> SpotCheckPlan:
    """Find a plan that concerns the actor's area; `whole`: only one that lies in it with all its visits.

    A township's chief finds the county's plan, to freeze its frame and to see it carried out; what the frame holds of
    other townships is not for them. `lock` lets one step follow the other (PostgreSQL).
    """
    wanted = select(SpotCheckPlan).where(SpotCheckPlan.id == plan_id)
    if lock:
        wanted = wanted.with_for_update(of=SpotCheckPlan).execution_options(populate_existing=True)
    plan = work.session.scalars(wanted).one_or_none()
    if plan is None or not _concerns(work, plan.area_code, whole=whole):
        raise NotFound
    return plan


def _concerns(work: Work, area_code: str, *, whole: bool) -> bool:
    if is_the_house(work) or area_code.startswith(work.actor.area_code):
        return True
    return not whole and work.actor.area_code.startswith(area_code)


def text_of(session: Session, plan: SpotCheckPlan) -> Iterator[str]:
    """Read a frozen frame as its text, a line at a time."""
    return frame_text(framing.how_to_draw(plan), framing.lines(session, plan.id))


def _rules(work: Work, new: NewPlan, stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write the rules of a plan whole; what was left to the settings is what they say today, or said when it was stored."""
    numbers, area = in_force(work), new.area_code
    least = int(numbers.on("spotchecks.share", new.period_start, area))
    if new.share is not None and new.share < least and stored is None:
        raise Invalid(errors={"share": [f"抽查比例不能低于 {least}%。"]})
    every = {
        StratumBy.VISITOR: (new.every_visitor, "spotchecks.every_visitor"),
        StratumBy.VILLAGE: (new.every_village, "spotchecks.every_village"),
    }
    promised = [
        by.value for by, (asked, key) in every.items() if asked or numbers.on(key, new.period_start, area)
    ]
    share = new.share
    if share is None and new.number is None:
        share = least
    if stored is not None:
        promised = list(stored["every"])
        share = stored["share"] if new.share is None and new.number is None else new.share
    return {
        "dates": new.dates.value,
        "outcomes": sorted(one.value for one in new.outcomes),
        "categories": sorted(one.value for one in new.categories),
        "states": sorted(one.value for one in new.states or COUNTED_STATES),
        "strata": [by.value for by in StratumBy if by in new.strata],
        "share": share,
        "number": new.number,
        "always": sorted(one.value for one in new.always),
        "person_ids": sorted(str(one) for one in new.person_ids),
        "every": promised,
    }


def _refuse_elsewhere(work: Work, area_code: str) -> None:
    if not _concerns(work, area_code, whole=True):
        raise NotFound("没有这个辖区，或不在您的辖区内。")


def _refuse_hidden(work: Work, person_ids: Iterable[UUID]) -> None:
    wanted = set(person_ids)
    if not wanted:
        return
    seen = set(work.session.scalars(select(Person.id).where(Person.id.in_(wanted), within_sight(work))))
    hidden = sorted(wanted - seen)
    if hidden:
        raise out_of_sight(work, hidden[0])


def _kept_seed(work: Work, plan: SpotCheckPlan) -> bytes:
    if plan.seed_sealed is None:
        raise SeedIsMissing(errors={"seed": ["请填写种子。"]})
    return bytes.fromhex(
        work.keys.house_key().open(
            plan.seed_sealed, table="spot_check_plans", column="seed_sealed", row=plan.id
        )
    )


def _write_sample(work: Work, plan: SpotCheckPlan, drawn: list[Drawn]) -> None:
    for start in range(0, len(drawn), BATCH):
        some = drawn[start : start + BATCH]
        people = dict(
            work.session.execute(
                select(Visit.id, Visit.person_id).where(Visit.id.in_([one.line.visit_id for one in some]))
            ).all()
        )
        work.session.execute(
            insert(SpotCheck),
            [
                {
                    "id": work.new_id(),
                    "plan_id": plan.id,
                    "visit_id": one.line.visit_id,
                    "person_id": people[one.line.visit_id],
                    "village_code": one.line.village,
                    "category": one.line.category,
                    "ordinal": start + number,
                    "why": one.why,
                    "state": SpotCheckState.DRAWN,
                    "revision": 1,
                }
                for number, one in enumerate(some, 1)
            ],
        )


def _step(plan: SpotCheckPlan, following: SpotCheckPlanState) -> None:
    plan.state = following
    plan.revision += 1


def _tell(work: Work, plan: SpotCheckPlan, what: str, **payload: Any) -> None:
    work.tell(f"spot_check.{what}", "spot_check_plan", plan.id, payload=payload)


def _told(work: Work, refusal: Any, plan_id: UUID, action: str) -> Any:
    """Let a refusal leave its line in the ledger: that somebody tried is worth knowing."""

    def leave(session: Session) -> None:
        later = Work(session, work.tools, work.keys, work.now, work.signed_in, work.request_id)
        later.tell(action, "spot_check_plan", plan_id, changes=False)
        later.close()

    refusal.leaves = leave
    return refusal
