"""Judges visits by the rules of evidence: what waits is judged by a job, or first by whoever reads it (docs/adr/0013-findings.md).

The findings of a visit follow from the facts that are stored, in whatever order they came. A visit whose own facts
changed lets those be judged anew that a rule may compare it with, before and after the change.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from server.db import UtcInstant
from server.evidence import storing
from server.evidence.printing import print_new
from server.evidence.rules import findings
from server.evidence.rules.nearness import is_related
from server.evidence.terms import ABOVE_INFO, Marks, Thresholds
from server.ledger.work import Work
from server.prepared import Prepared, Row
from server.visits.gathering import Gathered, gather
from server.visits.models import Visit

BATCH = 16
"""Visits judged in one transaction of the job: on SQLite nobody else writes meanwhile."""
AT_ONCE = 48
"""Rows of the queue that a reader takes off at once, besides those of what they read."""
A_FEW = 8
"""Rows that they take off when more wait than that, as after an upgrade of a large store."""
ROUNDS = 3
"""How often a reader looks again: what was judged may have asked for what they read once more."""

_VISITS = Visit.__table__
_MET_LATER = Prepared(
    select(_VISITS.c.id)
    .where(
        _VISITS.c.person_id == bindparam("person_id", type_=Uuid()),
        _VISITS.c.occurred_at > bindparam("at", type_=UtcInstant()),
        _VISITS.c.counts,
    )
    .order_by(_VISITS.c.occurred_at)
    .limit(storing.MOST_AROUND)
)


def work_off(work: Work, most: int = BATCH) -> int:
    """Judge the visits that wait longest, at most so many; returns how many were judged."""
    if not storing.oldest_waiting(work.session, 1):
        return 0
    storing.alone(work.session)
    rows = storing.oldest_waiting(work.session, most * 4)
    chosen = list(dict.fromkeys(row.visit_id for row in rows))[:most]
    return _judge(work, chosen)


def catch_up(work: Work, visits: Sequence[UUID]) -> None:
    """Judge those of some visits that wait for it, and some of whatever else waits: others may speak about them.

    While the job keeps up, nothing waits. Where it does not run, whoever reads does its work, a bounded part at a time.
    """
    for again in range(ROUNDS):
        waiting = {row.visit_id for row in storing.waiting_of(work.session, visits)}
        if again and visits and not waiting:
            return
        others = [row.visit_id for row in storing.oldest_waiting(work.session, AT_ONCE)]
        if len(others) == AT_ONCE:  # the job is far behind, and goes on
            others = others[:A_FEW]
        chosen = [*dict.fromkeys([*others, *sorted(waiting, key=str)])]
        if not chosen:
            return
        storing.alone(work.session)
        _judge(work, chosen)


def doubtful(work: Work, visits: Sequence[UUID]) -> set[UUID]:
    """Say which of some visits have a finding above mere information; what waits is judged first."""
    catch_up(work, visits)
    return storing.with_findings(work.session, visits, ABOVE_INFO)


def _judge(work: Work, visits: Iterable[UUID]) -> int:
    waiting: dict[UUID, list[Row]] = {}
    for row in storing.waiting_of(work.session, visits):
        waiting.setdefault(row.visit_id, []).append(row)
    for visit_id, rows in waiting.items():
        _judge_one(work, visit_id, spreads=any(row.spreads for row in rows))
        storing.take_off(work.session, rows)
    return len(waiting)


def _judge_one(work: Work, visit_id: UUID, *, spreads: bool) -> None:
    if spreads:
        print_new(work, visit_id)
    known = gather(work, visit_id)
    if known is None:
        return
    if spreads:
        _spread(work, known)
    storing.save(work, visit_id, known.facts.marks.person_id, findings(known.facts, known.thresholds))


def _spread(work: Work, known: Gathered) -> None:
    """Write the visit's new marks, and let those be judged anew about whom they may say something else."""
    facts = known.facts
    mine = facts.marks
    old = storing.marks_of(work.session, mine.visit_id)
    others = {one.other_visit_id for one in (*facts.same_bytes, *facts.near)}
    if old != mine:
        storing.write_marks(work.session, old, mine)
        others |= _related(mine, known.beside, known.same_text, known.thresholds)
        if old is not None:
            others |= _related_before(work, old, known.thresholds)
        if mine.is_death or (old is not None and old.is_death):
            since = min(one.began_at for one in (old, mine) if one is not None)
            asked = {"person_id": mine.person_id, "at": since}
            others |= {row.id for row in _MET_LATER.all(work.session, asked)}
    storing.ask_again(work.session, others - {mine.visit_id})


def _related_before(work: Work, old: Marks, t: Thresholds) -> set[UUID]:
    """Name the visits that a rule may have spoken about because of what a visit was before it changed."""
    beside = storing.around(work.session, old, t.compared_within)
    same = storing.same_text(work.session, old, t.compared_within) if old.text_length >= t.text_least else ()
    return _related(old, beside, same, t)


def _related(marks: Marks, beside: Sequence[Marks], same_text: Sequence[Marks], t: Thresholds) -> set[UUID]:
    return {one.visit_id for one in beside if is_related(marks, one, t)} | {one.visit_id for one in same_text}
