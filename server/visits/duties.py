"""Keeps duties up to date with what happened: visits, voids, pauses, exits, new enrolments.

`settle_visit` is the short way, for a visit: it re-tallies the duties that the visit can touch. `settle_people` is
the long way: it derives what a person owes from their whole history and brings the rows into line.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Uuid, and_, bindparam, select, update
from sqlalchemy.orm import Session

from server.ledger.work import Work
from server.people.models import Person
from server.photos.models import Photo
from server.policies.service import in_force
from server.prepared import Prepared, Row
from server.problems.models import Problem
from server.schedule import terms
from server.schedule.derive import derive_duties
from server.schedule.histories import histories, pauses_of
from server.schedule.models import Duty
from server.schedule.opening import ensure_open, lane_of
from server.schedule.queries import emergencies_about, facts_of, rule_versions, rules_of, told, touched_by
from server.schedule.rules import tally
from server.schedule.terms import Contact, DutyTally, OwedDuty
from server.visits.models import Visit
from server.visits.terms import Outcome, VisitState

BATCH = 200
AFRESH = {"populate_existing": True}


TALLY = ("done", "done_in_person", "attempts", "met_on", "met_received_at", "closed_on", "exit_on")
"""What visits leave on a duty's row."""

_SHOWN = tuple(
    column for column in Duty.__table__.c if column.name not in {"lane", "village_code", "opened_at"}
)
_CONTACT = (
    Visit.id.label("visit_id"),
    Visit.occurred_at,
    Visit.counted_since,
    Visit.counts,
    Visit.in_person.label("was_in_person"),  # a duty has an `in_person` of its own
    Visit.outcome,
)


def contacts_of(
    session: Session, people: Sequence[UUID], since: dt.datetime | None = None
) -> dict[UUID, list[Contact]]:
    """Read the visits and attempts on file for people since an instant, neither void nor withdrawn."""
    wanted = select(Visit.person_id, *_CONTACT).where(
        Visit.person_id.in_(people), Visit.out_of_count_at.is_(None)
    )
    if since is not None:
        wanted = wanted.where(Visit.occurred_at >= since)
    found: dict[UUID, list[Contact]] = defaultdict(list)
    for row in session.execute(wanted):
        found[row.person_id].append(_contact(row))
    return found


_TOUCHED_AND_CONTACTS = Prepared(
    touched_by(
        cast("UUID", bindparam("person_id", type_=Uuid())), cast("dt.date", bindparam("since", type_=Date()))
    )
    .with_only_columns(*_SHOWN, *_CONTACT)
    .outerjoin(
        Visit,
        and_(
            Visit.person_id == Duty.person_id,
            Visit.occurred_at >= Duty.opens_at,
            Visit.out_of_count_at.is_(None),
        ),
    )
)
"""The duties that a visit can touch, each with the visits that may count for it: one read."""
_TALLIED = Prepared(
    update(Duty)
    .where(Duty.id == bindparam("duty_id", type_=Uuid()))
    .values(
        {name: bindparam(name, type_=Duty.__table__.c[name].type) for name in TALLY}
        | {"revision": Duty.revision + 1}
    )
)


def settle_visit(work: Work, person_id: UUID, since: dt.date) -> list[Row]:
    """Bring the duties that visits since a day can change up to date; returns their rows, oldest first."""
    ensure_open(work)
    duties: dict[UUID, Row] = {}
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    for row in _TOUCHED_AND_CONTACTS.all(work.session, {"person_id": person_id, "since": since}):
        duties[row.id] = row
        if row.visit_id is not None:
            contacts[row.id].append(_contact(row))
    pauses: Sequence[terms.Pause] = ()
    if any(duty.in_person or duty.required > 1 for duty in duties.values()):
        pauses = pauses_of(work.session, [person_id]).get(person_id, [])
    for duty in duties.values():
        new = _tally_of(tally(facts_of(duty, pauses), contacts[duty.id]))
        if new != {name: getattr(duty, name) for name in TALLY}:
            _TALLIED.write(work.session, new | {"duty_id": duty.id})
            duties[duty.id] = duty._replace(**new)
    return list(duties.values())


def _contact(row: Any) -> Contact:
    return Contact(
        str(row.visit_id),
        row.occurred_at,
        row.counted_since,
        row.counts,
        row.was_in_person,
        row.outcome is Outcome.DEAD,
    )


def settle_people(work: Work, people: Iterable[UUID]) -> None:
    """Derive anew what each person owes, open what is missing, cancel what is owed no more, and re-tally."""
    ensure_open(work)
    work.session.flush()
    settings = _Settings(work)
    wanted = sorted(people)
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        # Locked before anything is read, as recording a visit does, so that neither overlooks the other; what this
        # transaction read of them earlier (a roster is compared with thousands) is read again.
        here = work.session.scalars(
            select(Person).where(Person.id.in_(batch)).order_by(Person.id).with_for_update(key_share=True),
            execution_options=AFRESH,
        ).all()
        facts = histories(work.session, batch)
        rows: dict[UUID, list[Duty]] = defaultdict(list)
        for duty in work.session.scalars(
            select(Duty).where(Duty.person_id.in_(batch)), execution_options=AFRESH
        ):
            rows[duty.person_id].append(duty)
        contacts = contacts_of(work.session, batch)
        _move_along(work.session, batch)
        emergencies = emergencies_about(work.session, {one.id: one.village_code for one in here})
        for person in here:
            history = facts[person.id]
            owed = derive_duties(
                history.enrolments,
                settings.rules(person.village_code),
                history.pauses,
                [told(row) for row in emergencies[person.id]],
                begin_on=settings.begin_on(person.village_code),
                as_of=work.today,
                tags=history.tags,
            )
            _settle(work, person, history.pauses, owed, rows[person.id], contacts[person.id])


def mark_corrections(work: Work, person_id: UUID, duties: Iterable[Row]) -> None:
    """Mark the duties whose visit was returned and waits for its recorder: met, but in correction (CONTRACT §6)."""
    work.session.flush()
    returned = work.session.scalars(
        select(Visit.occurred_at).where(Visit.person_id == person_id, Visit.state == VisitState.RETURNED)
    ).all()
    for duty in duties:
        waits = any(duty.opens_at <= happened <= duty.due_at for happened in returned)
        if duty.in_correction is not waits:
            work.session.execute(
                update(Duty)
                .where(Duty.id == duty.id)
                .values(in_correction=waits, revision=Duty.revision + 1)
                .execution_options(synchronize_session=False)
            )


def _move_along(session: Session, people: Sequence[UUID]) -> None:
    """Let the visits, photos and problems of people who moved lie where the people live now, for lists by area."""
    moved = session.execute(
        select(Visit.person_id, Person.village_code)
        .join(Person, Person.id == Visit.person_id)
        .where(Visit.person_id.in_(people), Visit.village_code != Person.village_code)
        .distinct()
    ).all()
    for person_id, village in moved:
        for table in (Visit, Photo, Problem):
            session.execute(update(table).where(table.person_id == person_id).values(village_code=village))


class _Settings:
    """What settling reads once for many people: rules and the first day, by village."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._versions = rule_versions(work.session)
        self._rules: dict[str, list[terms.VisitRule]] = {}

    def rules(self, village: str) -> list[terms.VisitRule]:
        if village not in self._rules:
            self._rules[village] = rules_of(village, self._versions)
        return self._rules[village]

    def begin_on(self, village: str) -> dt.date:
        day = in_force(self._work).on("duties.begin_on", self._work.today, village)
        return dt.date.fromisoformat(day) if day else self._work.today.replace(day=1)


def _settle(
    work: Work,
    person: Person,
    pauses: Sequence[terms.Pause],
    owed: Sequence[OwedDuty],
    stored: Sequence[Duty],
    contacts: Sequence[Contact],
) -> None:
    rows = {(duty.lane, duty.period_start): duty for duty in stored}
    settled: set[tuple[str, dt.date]] = set()
    for one in owed:
        lane = lane_of(one.rule) if one.rule else one.trigger
        if (lane, one.period.start) in settled:
            continue
        settled.add((lane, one.period.start))
        duty = rows.pop((lane, one.period.start), None)
        if duty is None:
            duty = _new(work, person, one, lane)
            work.session.add(duty)
        if duty.village_code != person.village_code:
            duty.village_code = person.village_code
        _write(duty, tally(one.facts, contacts))
    for duty in rows.values():  # owed under what was known before, owed no more
        done = tally(facts_of(duty, pauses), contacts)
        if done.met_on is None and (duty.exit_on is None or duty.exit_on > duty.period_start):
            duty.exit_on = duty.period_start
            duty.revision += 1


def _new(work: Work, person: Person, one: OwedDuty, lane: str) -> Duty:
    facts = one.facts
    return Duty(
        id=work.new_id(),
        person_id=person.id,
        lane=lane,
        kind=facts.kind,
        category=one.category,
        village_code=person.village_code,
        period_start=one.period.start,
        due_on=facts.due_on,
        opens_at=facts.opens_at,
        due_at=facts.due_at,
        due_soon_on=facts.due_soon_on,
        required=facts.required,
        in_person=facts.in_person,
        done=0,
        done_in_person=0,
        attempts=0,
        opened_at=work.now,
        in_correction=False,
        revision=1,
    )


def _tally_of(done: DutyTally) -> dict[str, Any]:
    return {name: getattr(done, name) for name in TALLY}


def _write(duty: Duty, done: DutyTally) -> None:
    new = _tally_of(done)
    if new == {name: getattr(duty, name) for name in TALLY}:
        return
    for name, value in new.items():
        setattr(duty, name, value)
    duty.revision += 1
