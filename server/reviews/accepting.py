"""Accepting many records at once: only those without findings, each with its own decision and ledger line."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.signed_in import stay_in_post
from server.errors import Conflict, Invalid, NotFound, Refusal, StaleRevision
from server.ledger.work import Work
from server.people.models import Person
from server.reviews import blind, states
from server.reviews.relations import relation_of
from server.reviews.rules import may_decide
from server.reviews.second_eyes import need_two
from server.reviews.service import write_decision
from server.reviews.terms import Acceptance, Decision, ReviewStage
from server.vault.models import StoredKey
from server.visits.judging import doubtful
from server.visits.models import Visit
from server.visits.showing import awaits_second
from server.visits.sight import visit_in_sight

MOST = 200
"""Records of one request; a bound of the wire, like the length of a page."""


class HasFindings(Conflict):
    """The record has findings: a person has to look at it, it is never accepted among many."""

    title = "有疑点，须单独审核"
    detail = "这条记录有疑点，请打开后单独审核。"


class NeedsTwo(Conflict):
    """The record needs a second pair of eyes: it is decided on by itself, never among many."""

    title = "须两人审核"
    detail = "这条记录须两名审核人员审核，请打开后单独审核。"


def accept_many(work: Work, wanted: Sequence[Acceptance]) -> list[dict[str, Any]]:
    """Accept what may be accepted without another look, and say of each record what became of it.

    One transaction: what is refused is left as it was, what is accepted is accepted whole. Records out of sight are
    "not there", and leave their trace like any other look.
    """
    stay_in_post(work)
    ids = [one.visit_id for one in wanted]
    if len(set(ids)) != len(ids):
        raise Invalid(errors={"items": ["同一条记录出现了两次。"]})
    found = _locked(work, ids)
    visits = [visit for visit, _, _ in found.values()]
    signalled = doubtful(work, [visit.id for visit in visits])
    for_two = need_two(work, visits)
    results: list[dict[str, Any]] = []
    accepted: list[Visit] = []
    for one in wanted:
        refusal: Refusal | None = NotFound()
        if one.visit_id in found:
            visit, key_id, wrapped = found[one.visit_id]
            refusal = _why_not(work, visit, one.revision, signalled, for_two)
            if refusal is None:
                key = work.keys.unwrap(key_id, wrapped) if key_id else None
                write_decision(work, visit, key, Decision.ACCEPT, ReviewStage.ACCEPTED, "")
                accepted.append(visit)
        results.append(_told(one, found, refusal))
    blind.draw(work, accepted)
    _trace(work, [one for one in ids if one not in found])
    return results


def _locked(work: Work, ids: Sequence[UUID]) -> dict[UUID, tuple[Visit, UUID | None, bytes | None]]:
    """Find those within sight, and lock them: the people first, in the order in which settling locks them."""
    actor = work.actor
    worker = {"worker_id": actor.worker_id}
    in_sight = visit_in_sight(actor.role, actor.area_code)
    work.session.execute(
        select(Person.id)
        .where(Person.id.in_(select(Visit.person_id).where(Visit.id.in_(ids))))
        .order_by(Person.id)
        .with_for_update(of=Person, key_share=True)
    )
    rows = work.session.execute(
        select(Visit, StoredKey.id, StoredKey.wrapped)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(Visit.id.in_(ids), in_sight)
        .order_by(Visit.id)
        .with_for_update(of=Visit, key_share=True)
        .execution_options(populate_existing=True),
        worker,
    )
    return {visit.id: (visit, key_id, wrapped) for visit, key_id, wrapped in rows}


def _why_not(
    work: Work, visit: Visit, revision: int, signalled: set[UUID], for_two: set[UUID]
) -> Refusal | None:
    try:
        may_decide(Decision.ACCEPT, relation_of(visit, work.actor.worker_id), reviews=True)
        # First where the record stands: who presses twice hears that it is accepted, not that somebody changed it.
        states.after(states.stage_of(visit.state, awaits_second=awaits_second(visit)), Decision.ACCEPT)
        if visit.revision != revision:
            return StaleRevision()
    except Refusal as refusal:
        return refusal
    if visit.id in signalled:
        return HasFindings()
    return NeedsTwo() if visit.id in for_two else None


def _told(
    one: Acceptance, found: Mapping[UUID, tuple[Visit, Any, Any]], refusal: Refusal | None
) -> dict[str, Any]:
    there = found.get(one.visit_id)
    return {
        "visit_id": one.visit_id,
        "accepted": refusal is None,
        "state": there[0].state if there else None,
        "revision": there[0].revision if there else None,
        "code": refusal.code() if refusal else None,
        "detail": refusal.detail if refusal else None,
    }


def _trace(work: Work, missing: Sequence[UUID]) -> None:
    """Leave what a look outside one's sight leaves; whether the record exists shows only in the ledger."""
    if not missing:
        return
    there: Mapping[UUID, UUID] = dict(
        work.session.execute(select(Visit.id, Visit.person_id).where(Visit.id.in_(missing))).all()
    )
    for one in missing:
        person = there.get(one)
        work.tell("refused.out_of_sight", "person", person, person_id=person, changes=False)
