"""Second looks at accepted records, drawn by a seed (盲审复核): whether two people would have decided alike.

A share of what is accepted is offered to another reviewer, who is not shown that it was accepted, or by whom. The rate
of agreement is told for an area as a whole and by month. It says whether the reviewing can be relied on; it is not about
anybody, and nothing here counts by worker.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from server.accounts.signed_in import stay_in_post
from server.db import rows_of
from server.errors import Conflict, Invalid, NotAllowed
from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import visible_to
from server.policies.service import in_force
from server.prepared import insert_once
from server.regions.queries import inside
from server.reviews.models import BlindReview, BlindSeed
from server.reviews.relations import relation_of
from server.reviews.rules import SEED_BYTES, OwnRecord, Relation, is_drawn
from server.reviews.terms import Decision, SecondLook, Upheld
from server.vault.fields import DataKey
from server.vault.models import StoredKey
from server.visits.models import Visit
from server.visits.showing import SHOWN_OF, shown_rows
from server.visits.sight import stored_visit
from server.visits.terms import VisitState

LOOKS = frozenset({Decision.ACCEPT, Decision.RETURN, Decision.VOID})


class NotOffered(Conflict):
    """The record is not among those that wait for a second look, or not for this reviewer's."""

    title = "不在复核之列"
    detail = "这条记录不需要您复核，或已有人复核，请刷新后再看。"


def draw(work: Work, visits: Sequence[Visit]) -> None:
    """Put those accepted records that the month's seed draws before a second reviewer."""
    if not visits:
        return
    month = f"{work.today:%Y-%m}"
    seed = seed_of(work, month)
    numbers = in_force(work)
    for visit in visits:
        percent = int(numbers.on("reviews.blind_share", work.today, visit.village_code))
        if is_drawn(seed, visit.id, percent):
            work.session.add(
                BlindReview(
                    visit_id=visit.id,
                    person_id=visit.person_id,
                    month=month,
                    percent=percent,
                    drawn_at=work.now,
                    first_by=work.actor.worker_id,
                )
            )


def seed_of(work: Work, month: str) -> bytes:
    """Give the seed of a month; the first acceptance of the month makes it."""
    wanted = select(BlindSeed.seed).where(BlindSeed.month == month)
    seed = work.session.scalar(wanted)
    if seed is None:
        insert = insert_once(BlindSeed)(work.session.get_bind().dialect.name)
        made = {"month": month, "seed": work.tools.random_bytes(SEED_BYTES), "made_at": work.now}
        rows_of(work.session, insert, made)
        seed = work.session.scalar(wanted)
    assert seed is not None
    return seed


def offered(work: Work, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List what waits for this reviewer's second look, the longest waiting first, as if nobody had decided on it."""
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    me = work.actor.worker_id
    wanted = (
        select(
            *[Visit.__table__.c[name] for name in SHOWN_OF],
            Visit.recorded_for_id,
            BlindReview.drawn_at,
            Person.data_key_id,
            StoredKey.wrapped,
        )
        .join(BlindReview, BlindReview.visit_id == Visit.id)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(
            BlindReview.closed_at.is_(None),
            BlindReview.decided_at.is_(None),
            BlindReview.first_by != me,
            Visit.recorder_id != me,
            visible_to(work.signed_in),
        )
        .order_by(BlindReview.drawn_at, BlindReview.visit_id)
        .limit(limit + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(BlindReview.drawn_at, BlindReview.visit_id) > tuple_(*after))
    rows, next_cursor = paging.page(
        work.session.execute(wanted).all(), limit, lambda row: (row.drawn_at.isoformat(), row.id)
    )
    kept = [
        row for row in rows if row.recorded_for_id != me and str(me) not in row.open_body.get("visitors", ())
    ]
    work.looked("reviews.blind_read", "visits", people=_once(row.person_id for row in kept))
    return {"items": [_as_undecided(one) for one in shown_rows(work, kept)], "next_cursor": next_cursor}


def _as_undecided(shown: dict[str, Any]) -> dict[str, Any]:
    return shown | {"state": VisitState.SUBMITTED, "state_reason": None, "awaiting_second": False}


def look_again(work: Work, visit_id: UUID, new: SecondLook) -> BlindReview:
    """Record what the second reviewer would decide; the record's own state is not touched.

    A disagreement stays open until somebody who is neither of the two voids the record or upholds it.
    """
    stay_in_post(work)
    visit, key = stored_visit(work, visit_id, lock=True)
    row = work.session.get(BlindReview, visit_id, with_for_update=True)
    me = work.actor.worker_id
    if new.decision not in LOOKS:
        raise Invalid(errors={"decision": ["复核结论只能是通过、退回更正或作废。"]})
    if relation_of(visit, me) in {Relation.RECORDER, Relation.NAMED}:
        raise OwnRecord
    reason = (new.reason or "").strip()
    if row is not None and row.decided_by == me and row.decision is new.decision:
        return row  # once more
    if row is None or row.first_by == me or row.decided_at is not None or row.closed_at is not None:
        raise NotOffered
    if new.decision is not Decision.ACCEPT and not reason:
        raise Invalid(errors={"reason": ["请写明原因。"]})
    row.decision, row.decided_by, row.decided_at = new.decision, me, work.now
    row.agreed = new.decision is Decision.ACCEPT
    row.reason_sealed = _sealed(key, reason, "reason_sealed", visit_id)
    row.closed_at = work.now if row.agreed else None
    work.tell(
        "visit.looked_again",
        "visit",
        visit_id,
        person_id=visit.person_id,
        key=key,
        changes=False,
        payload={"decision": new.decision, "agreed": row.agreed, "reason": reason},
    )
    return row


def uphold(work: Work, visit_id: UUID, new: Upheld) -> BlindReview:
    """Let an accepted record stand although the second look disagreed, and say why."""
    stay_in_post(work)
    visit, key = stored_visit(work, visit_id, lock=True)
    row = work.session.get(BlindReview, visit_id, with_for_update=True)
    me = work.actor.worker_id
    reason = new.reason.strip()
    if not reason:
        raise Invalid(errors={"reason": ["请写明原因。"]})
    if row is not None and row.settled_by == me:
        return row  # once more
    if row is None or row.agreed is not False or row.closed_at is not None:
        raise NotOffered("这条记录没有待处理的复核分歧，请刷新后再看。")
    if me in {row.first_by, row.decided_by}:
        raise NotAllowed("复核分歧须由两名审核人员以外的人处理。")
    row.settled_by, row.closed_at = me, work.now
    row.settled_reason_sealed = _sealed(key, reason, "settled_reason_sealed", visit_id)
    work.tell(
        "visit.upheld",
        "visit",
        visit_id,
        person_id=visit.person_id,
        key=key,
        changes=False,
        payload={"reason": reason},
    )
    return row


def close_of_void(work: Work, visit_id: UUID) -> None:
    """Close what was open about a record that is void now."""
    row = work.session.get(BlindReview, visit_id, with_for_update=True)
    if row is not None and row.closed_at is None:
        row.closed_at = work.now
        row.settled_by = work.actor.worker_id if row.agreed is False else None


def disagreements(work: Work, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the second looks that disagreed and wait for somebody else, the longest waiting first."""
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    wanted = (
        select(BlindReview, StoredKey.id, StoredKey.wrapped)
        .join(Visit, Visit.id == BlindReview.visit_id)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(
            BlindReview.closed_at.is_(None),
            BlindReview.agreed.is_(False),
            inside(Person.village_code, work.actor.area_code),
            visible_to(work.signed_in),
        )
        .order_by(BlindReview.drawn_at, BlindReview.visit_id)
        .limit(limit + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(BlindReview.drawn_at, BlindReview.visit_id) > tuple_(*after))
    rows, next_cursor = paging.page(
        work.session.execute(wanted).all(), limit, lambda row: (row[0].drawn_at.isoformat(), row[0].visit_id)
    )
    me = work.actor.worker_id
    work.looked("reviews.disagreements_read", "visits", people=_once(row.person_id for row, _, _ in rows))
    return {
        "items": [
            {
                "visit_id": row.visit_id,
                "person_id": row.person_id,
                "decision": row.decision,
                "reason": _opened(work.keys.unwrap(key_id, wrapped) if key_id else None, row),
                "decided_at": row.decided_at,
                "may_settle": me not in {row.first_by, row.decided_by},
            }
            for row, key_id, wrapped in rows
        ],
        "next_cursor": next_cursor,
    }


def _once(people: Iterable[UUID]) -> list[UUID]:
    return list(dict.fromkeys(people))


def _opened(key: DataKey | None, row: BlindReview) -> str | None:
    if row.reason_sealed is None or key is None:
        return None
    return key.open(row.reason_sealed, table="blind_reviews", column="reason_sealed", row=row.visit_id)


def _sealed(key: DataKey | None, text: str, column: str, row: UUID) -> str | None:
    return key.seal(text, table="blind_reviews", column=column, row=row) if text and key else None
