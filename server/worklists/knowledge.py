"""Who was overdue as the house knew it at an instant: derived from the facts recorded until then, nothing else.

Visits, corrections, voids, enrolments, pauses, emergencies, assessments, rules and settings are all read as of that
instant; names are today's. People are read in batches, so memory stays bounded however large the area is.
"""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import and_, or_, select

from server.ledger.work import Work
from server.people.dwelling import living_in
from server.people.models import Dwelling, Enrolment, Person
from server.people.sight import visible_to
from server.policies.service import begin_on
from server.schedule import terms
from server.schedule.derive import derive_duties
from server.schedule.histories import History, histories
from server.schedule.queries import emergencies_about, known, rule_versions, rules_of, told
from server.schedule.rules import overdue_on, tally
from server.schedule.terms import Contact, OwedDuty
from server.tools import business_day
from server.visits.models import PastRevision, Visit
from server.visits.terms import Outcome
from server.worklists.terms import Filters, OverdueRow

BATCH = 200


def overdue(
    work: Work, filters: Filters, day: dt.date, after: tuple[dt.date, UUID] | None, limit: int
) -> Sequence[OverdueRow]:
    """List the people overdue at the end of `day` by what was known at `filters.known_at`, in the list's order.

    Who may see a person is today's question: whoever sees them today sees what was known of them then, and nobody else
    does, whoever saw them at the time. Which village they are counted in is the past's: `filters.village` looks for
    where they lived on `day`, by what was known then. The rules are those of the village that was their last then.
    """
    assert filters.known_at is not None
    rows = (
        row
        for batch in _batches(work, filters, day)
        for row in _overdue_in(work, filters, day, batch)
        if after is None or (row.due_on, row.person_id) > after
    )
    return heapq.nsmallest(limit, rows, key=lambda row: (row.due_on, row.person_id))


def _batches(work: Work, filters: Filters, day: dt.date) -> Iterator[list[tuple[UUID, str]]]:
    last: UUID | None = None
    while True:
        wanted = (
            select(Person.id, Dwelling.village_code)
            .join(Dwelling, Dwelling.person_id == Person.id)
            .where(
                visible_to(work.signed_in),
                Dwelling.valid_to.is_(None),
                known(Dwelling.recorded_at.expression, Dwelling.superseded_at.expression, filters.known_at),
                Person.id.in_(
                    select(Enrolment.person_id).where(
                        Enrolment.category == filters.category,
                        known(
                            Enrolment.recorded_at.expression,
                            Enrolment.superseded_at.expression,
                            filters.known_at,
                        ),
                    )
                ),
            )
            .order_by(Person.id)
            .limit(BATCH)
        )
        if filters.village:
            wanted = wanted.where(Person.id.in_(living_in(filters.village, day, filters.known_at)))
        if last is not None:
            wanted = wanted.where(Person.id > last)
        batch = [(row.id, row.village_code) for row in work.session.execute(wanted)]
        if not batch:
            return
        yield batch
        last = batch[-1][0]


def _overdue_in(
    work: Work, filters: Filters, day: dt.date, batch: Sequence[tuple[UUID, str]]
) -> Iterator[OverdueRow]:
    known_at = filters.known_at
    ids = [person_id for person_id, _ in batch]
    facts = histories(work.session, ids, known_at=known_at)
    contacts = _contacts(work, ids, known_at)
    versions = rule_versions(work.session, known_at=known_at)
    emergencies = emergencies_about(work.session, dict(batch), known_at=known_at)
    for person_id, village in batch:
        reaching = [told(row) for row in emergencies[person_id]]
        owed = _owed(work, filters, day, village, facts[person_id], versions, reaching)
        happened = [one for one in contacts[person_id] if business_day(one.occurred_at) <= day]
        unmet = []
        for one in owed:
            done = tally(one.facts, happened)
            if one.category is filters.category and overdue_on(one.facts, done, day):
                unmet.append((one.facts.due_on, done.attempts))
        if unmet:
            due_on, attempts = min(unmet)
            met = [business_day(one.occurred_at) for one in happened if one.counts]
            yield OverdueRow(due_on, person_id, attempts, max(met, default=None))


def _owed(
    work: Work,
    filters: Filters,
    day: dt.date,
    village: str,
    history: History,
    versions: Sequence[tuple[str, terms.VisitRule]],
    emergencies: Sequence[terms.Emergency],
) -> list[OwedDuty]:
    return derive_duties(
        history.enrolments,
        rules_of(village, versions),
        history.pauses,
        emergencies,
        begin_on=begin_on(work.session, work.today, area_code=village, known_at=filters.known_at),
        as_of=day,
        tags=history.tags,
    )


def _contacts(work: Work, ids: Sequence[UUID], known_at: dt.datetime | None) -> dict[UUID, list[Contact]]:
    """Read the visits as they stood at an instant: the revision of then, unless it was void by then."""
    found: dict[UUID, list[Contact]] = defaultdict(list)
    standing = or_(Visit.out_of_count_at.is_(None), Visit.out_of_count_at > known_at)
    now = select(
        Visit.id,
        Visit.person_id,
        Visit.occurred_at,
        Visit.counted_since.label("since"),
        Visit.counts,
        Visit.in_person,
        Visit.outcome,
    ).where(Visit.person_id.in_(ids), Visit.revised_at <= known_at, standing)
    then = (
        select(
            Visit.id,
            PastRevision.person_id,
            PastRevision.occurred_at,
            PastRevision.recorded_at.label("since"),
            PastRevision.counts,
            PastRevision.in_person,
            PastRevision.outcome,
        )
        .join(Visit, Visit.id == PastRevision.visit_id)
        .where(
            PastRevision.person_id.in_(ids),
            and_(PastRevision.recorded_at <= known_at, PastRevision.superseded_at > known_at),
            standing,
        )
    )
    for wanted in (now, then):
        for row in work.session.execute(wanted):
            found[row.person_id].append(
                Contact(
                    str(row.id),
                    row.occurred_at,
                    row.since,
                    row.counts,
                    row.in_person,
                    row.outcome is Outcome.DEAD,
                )
            )
    return found
