"""Enrolments and their ends, and deaths: what was known before is superseded, never overwritten."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from server.errors import Invalid, NotFound
from server.ledger.work import Work
from server.people.editing import AlreadyExists, OpenFile, open_file
from server.people.models import Enrolment, Person
from server.people.rules import (
    DAY,
    DiedOnAnotherDay,
    EnrolmentOver,
    Span,
    check_death,
    cut_at_death,
    possible_day,
    refuse_overlap,
)
from server.people.terms import Death, EndOfEnrolment, ExitReason, NewEnrolment

CENT = Decimal("0.01")
MOST_AMOUNT = Decimal(1_000_000)


def enrol(work: Work, person_id: UUID, new: NewEnrolment) -> Enrolment:
    """Enrol a person under a category, or move them there from another (`replaces`). A repeat is harmless."""
    file = open_file(work, person_id)
    new = checked_enrolment(work, new)
    there = work.session.get(Enrolment, new.id)
    if there is not None:
        if not file.is_repeat("enrolment.begun", "enrolment", new.id, new):
            raise AlreadyExists
        return there
    file = open_file(work, person_id, alive=True)
    if new.replaces is not None:
        _leave_for(file, new)
    return add_enrolment(file, new)


def end_enrolment(work: Work, person_id: UUID, enrolment_id: UUID, end: EndOfEnrolment) -> Enrolment:
    """End an enrolment on its last day; the row that had no end is kept as superseded. A repeat is harmless.

    A death is recorded by `record_death`, which ends every enrolment.
    """
    file = open_file(work, person_id)
    possible_day(end.valid_to, "valid_to", work.today, ahead=True)
    if end.reason is ExitReason.DEATH and file.person.died_on is None:
        raise Invalid(errors={"reason": ["死亡请在“登记死亡”中办理。"]})
    old = _enrolment(file, enrolment_id)
    if old.superseded_at is not None:
        if file.is_repeat("enrolment.ended", "enrolment", old.id, end):
            return _latest_like(file, old)
        raise EnrolmentOver
    if (old.valid_to, old.exit_reason) == (end.valid_to, end.reason):
        return old
    span = Span(old.category, old.valid_from, end.valid_to)
    refuse_overlap([_span(one) for one in in_force(file) if one.id != old.id], span)
    return _ended(file, old, end)


def record_death(work: Work, person_id: UUID, death: Death) -> Person:
    """Record that a person died: every enrolment ends on that day, those that begin later never were."""
    file = open_file(work, person_id)
    person = file.person
    if person.died_on is not None:
        if person.died_on == death.died_on:
            return person
        raise DiedOnAnotherDay
    check_death(death.died_on, person.birth_date, work.today)
    person.died_on = death.died_on
    file.tell("person.died", "person", person.id, {"after": {"died_on": death.died_on}}, duties=True)
    for one in in_force(file):
        left = cut_at_death(_span(one), death.died_on)
        if left is None:
            one.superseded_at = work.now
            file.tell(
                "enrolment.withdrawn",
                "enrolment",
                one.id,
                {"category": one.category, "valid_from": one.valid_from},
            )
        elif left != _span(one):
            _ended(file, one, EndOfEnrolment(death.died_on, ExitReason.DEATH))
    return person


def checked_enrolment(work: Work, new: NewEnrolment) -> NewEnrolment:
    """Check the days and the amount of an enrolment, and write the amount in cents."""
    possible_day(new.valid_from, "valid_from", work.today, ahead=True)
    if new.valid_to is not None:
        possible_day(new.valid_to, "valid_to", work.today, ahead=True)
    amount = new.monthly_amount
    if amount is None:
        return new
    if not (amount.is_finite() and 0 <= amount < MOST_AMOUNT):
        raise Invalid(errors={"monthly_amount": ["金额有误。"]})
    return replace(new, monthly_amount=amount.quantize(CENT))


def add_enrolment(file: OpenFile, new: NewEnrolment) -> Enrolment:
    """Add a checked enrolment to an open file, unless it overlaps another of its category."""
    refuse_overlap([_span(one) for one in in_force(file)], Span(new.category, new.valid_from, new.valid_to))
    if file.work.session.get(Enrolment, new.id) is not None:
        raise AlreadyExists
    row = Enrolment(
        id=new.id,
        person_id=file.person.id,
        category=new.category,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        monthly_amount=new.monthly_amount,
        recorded_at=file.work.now,
        recorded_by=file.work.actor_id,
    )
    file.work.session.add(row)
    file.work.session.flush()
    file.tell("enrolment.begun", "enrolment", row.id, {"asked": new}, duties=True)
    return row


def in_force(file: OpenFile) -> list[Enrolment]:
    """Read the enrolments of a file as they are known now."""
    return list(
        file.work.session.scalars(
            select(Enrolment)
            .where(Enrolment.person_id == file.person.id, Enrolment.superseded_at.is_(None))
            .order_by(Enrolment.valid_from, Enrolment.id)
        )
    )


def _leave_for(file: OpenFile, new: NewEnrolment) -> None:
    assert new.replaces is not None
    old = _enrolment(file, new.replaces)
    if old.superseded_at is not None or (old.valid_to is not None and old.valid_to < new.valid_from - DAY):
        raise EnrolmentOver
    if old.category is new.category:
        raise Invalid(errors={"category": ["与原类别相同，无需变更。"]})
    if new.valid_from < old.valid_from:
        raise Invalid(errors={"valid_from": ["变更日期不能早于原类别的开始日期。"]})
    if new.valid_from == old.valid_from:  # it was the wrong category from its first day
        old.superseded_at = file.work.now
        file.tell("enrolment.withdrawn", "enrolment", old.id, {"category": old.category}, duties=True)
        return
    _ended(file, old, EndOfEnrolment(new.valid_from - DAY, ExitReason.CATEGORY_CHANGE))


def _ended(file: OpenFile, old: Enrolment, end: EndOfEnrolment) -> Enrolment:
    work = file.work
    old.superseded_at = work.now
    new = Enrolment(
        id=work.new_id(),
        person_id=old.person_id,
        category=old.category,
        valid_from=old.valid_from,
        valid_to=end.valid_to,
        exit_reason=end.reason,
        monthly_amount=old.monthly_amount,
        recorded_at=work.now,
        recorded_by=work.actor_id,
    )
    work.session.add(new)
    work.session.flush()
    file.tell(
        "enrolment.ended",
        "enrolment",
        old.id,
        {
            "asked": end,
            "before": {"valid_to": old.valid_to, "exit_reason": old.exit_reason},
            "after": {"id": new.id, "valid_to": end.valid_to, "exit_reason": end.reason},
        },
        duties=True,
    )
    return new


def _enrolment(file: OpenFile, enrolment_id: UUID) -> Enrolment:
    row = file.work.session.scalars(
        select(Enrolment).where(Enrolment.id == enrolment_id, Enrolment.person_id == file.person.id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _latest_like(file: OpenFile, old: Enrolment) -> Enrolment:
    """Find what an ended enrolment is now; itself when it was withdrawn since."""
    like = [one for one in in_force(file) if (one.category, one.valid_from) == (old.category, old.valid_from)]
    return like[0] if like else old


def _span(row: Enrolment) -> Span:
    return Span(row.category, row.valid_from, row.valid_to, row.exit_reason)
