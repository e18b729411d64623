"""Pauses: days in which a person is not at home, with a reason and an end; one contact is owed all the same."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from server.errors import NotFound
from server.ledger.work import Work
from server.people.editing import AlreadyExists, OpenFile, open_file
from server.people.models import Pause
from server.people.rules import DAY, PauseOver, PausesOverlap, check_pause, said
from server.people.terms import NewPause

NOTE_MOST = 500


def pause(work: Work, person_id: UUID, new: NewPause) -> Pause:
    """Pause the visits of a person; two pauses never share a day. A repeat is harmless."""
    file = open_file(work, person_id)
    check_pause(new.from_on, new.to_on, work.today)
    new = replace(new, note=said(new.note, "note", NOTE_MOST))
    there = work.session.get(Pause, new.id)
    if there is not None:
        if not file.is_repeat("pause.begun", "pause", new.id, new):
            raise AlreadyExists
        return there
    file = open_file(work, person_id, alive=True)
    meeting = select(Pause.id).where(
        Pause.person_id == person_id,
        Pause.superseded_at.is_(None),
        Pause.from_on <= new.to_on,
        Pause.to_on >= new.from_on,
    )
    if work.session.scalar(meeting.limit(1)) is not None:
        raise PausesOverlap(errors={"from_on": ["与已有的暂停记录重叠。"]})
    row = _written(file, new)
    file.tell("pause.begun", "pause", row.id, {"asked": new}, duties=True)
    return row


def end_pause(work: Work, person_id: UUID, pause_id: UUID) -> Pause | None:
    """End a pause: the person is back today. What has not begun is withdrawn (None). A repeat is harmless.

    A pause that is over cannot be taken away: what was paused then stays as it was.
    """
    file = open_file(work, person_id)
    old = work.session.scalars(
        select(Pause).where(Pause.id == pause_id, Pause.person_id == person_id)
    ).one_or_none()
    if old is None:
        raise NotFound
    last = work.today - DAY
    if old.superseded_at is not None:
        return None
    if old.to_on <= last:
        raise PauseOver
    old.superseded_at = work.now
    left = _shortened(file, old, last) if old.from_on <= last else None
    file.tell(
        "pause.ended",
        "pause",
        old.id,
        {"before": old.to_on, "after": left and left.to_on, "as": left and left.id},
        duties=True,
    )
    return left


def _shortened(file: OpenFile, old: Pause, last: dt.date) -> Pause:
    note = file.open_from("pauses", "note_sealed", old.id, old.note_sealed)
    return _written(file, NewPause(file.work.new_id(), old.reason, old.from_on, last, note))


def _written(file: OpenFile, new: NewPause) -> Pause:
    row = Pause(
        id=new.id,
        person_id=file.person.id,
        reason=new.reason,
        from_on=new.from_on,
        to_on=new.to_on,
        note_sealed=file.seal_for("pauses", "note_sealed", new.id, new.note),
        recorded_at=file.work.now,
        recorded_by=file.work.actor_id,
    )
    file.work.session.add(row)
    file.work.session.flush()
    return row
