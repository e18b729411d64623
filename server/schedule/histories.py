"""Gathers what duties follow from: enrolments, assessments, tags, pauses of many people at once.

`known_at` gathers what the house knew at an instant; None is now.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.nested import among
from server.people.models import CareAssessment, Enrolment, Pause, Person, PersonTag
from server.people.terms import CareLevel, PauseReason
from server.prepared import Prepared
from server.schedule import terms
from server.schedule.periods import DAY
from server.schedule.queries import known


@dataclass(slots=True)
class History:
    """What is known of one person, as the rules read it."""

    enrolments: list[terms.Enrolment] = field(default_factory=list)
    tags: list[terms.TagHeld] = field(default_factory=list)
    pauses: list[terms.Pause] = field(default_factory=list)


def histories(
    session: Session, people: Sequence[UUID], *, known_at: dt.datetime | None = None
) -> dict[UUID, History]:
    """Gather the histories of at most a few hundred people in four reads."""
    found: dict[UUID, History] = defaultdict(History)
    levels = _levels(session, people, known_at)
    rows = session.execute(
        select(Enrolment, Person.is_head)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Enrolment.person_id.in_(people),
            known(Enrolment.recorded_at.expression, Enrolment.superseded_at.expression, known_at),
        )
        .order_by(Enrolment.valid_from)
    )
    for row, is_head in rows:
        found[row.person_id].enrolments += _stretches(row, levels[row.person_id], is_head=is_head)
    for tag in session.scalars(
        select(PersonTag).where(
            PersonTag.person_id.in_(people),
            known(PersonTag.recorded_at.expression, PersonTag.superseded_at.expression, known_at),
        )
    ):
        found[tag.person_id].tags.append(terms.TagHeld(tag.tag, tag.valid_from, tag.valid_to))
    for person_id, pauses in pauses_of(session, people, known_at=known_at).items():
        found[person_id].pauses = pauses
    return found


def pauses_of(
    session: Session, people: Sequence[UUID], *, known_at: dt.datetime | None = None
) -> dict[UUID, list[terms.Pause]]:
    """Gather the pauses of people."""
    found: dict[UUID, list[terms.Pause]] = defaultdict(list)
    named = {"people": people}
    rows = _PAUSES.all(session, named) if known_at is None else session.execute(_pauses(known_at), named)
    for person_id, reason, from_on, to_on in rows:
        found[person_id].append(terms.Pause(reason, from_on, to_on))
    return found


def _pauses(known_at: dt.datetime | None) -> Select[UUID, PauseReason, dt.date, dt.date]:
    pause = Pause.__table__
    return select(pause.c.person_id, pause.c.reason, pause.c.from_on, pause.c.to_on).where(
        among(pause.c.person_id, "people"), known(pause.c.recorded_at, pause.c.superseded_at, known_at)
    )


_PAUSES = Prepared(_pauses(None))  # every list asks it


def _levels(
    session: Session, people: Sequence[UUID], known_at: dt.datetime | None
) -> dict[UUID, list[tuple[dt.date, CareLevel]]]:
    found: dict[UUID, list[tuple[dt.date, CareLevel]]] = defaultdict(list)
    wanted = select(CareAssessment.person_id, CareAssessment.assessed_on, CareAssessment.level).where(
        CareAssessment.person_id.in_(people)
    )
    if known_at is not None:
        wanted = wanted.where(CareAssessment.recorded_at <= known_at)
    for person_id, day, level in session.execute(
        wanted.order_by(CareAssessment.assessed_on, CareAssessment.recorded_at)
    ):
        found[person_id].append((day, level))
    return found


def _stretches(
    row: Enrolment, levels: Sequence[tuple[dt.date, CareLevel]], *, is_head: bool
) -> list[terms.Enrolment]:
    """Cut an enrolment where an assessment changed the level of care."""
    exit_on = row.valid_to + DAY if row.valid_to is not None else None
    level: CareLevel | None = None
    starts: list[tuple[dt.date, CareLevel | None]] = [(row.valid_from, None)]
    for day, new in levels:
        if day <= row.valid_from:
            level = new
            starts[0] = (row.valid_from, level)
        elif (row.valid_to is None or day <= row.valid_to) and new is not starts[-1][1]:
            starts.append((day, new))
    made = []
    for number, (start, care_level) in enumerate(starts):
        is_last = number + 1 == len(starts)
        end = row.valid_to if is_last else starts[number + 1][0] - DAY
        made.append(
            terms.Enrolment(
                row.category, care_level, start, end, exit_on if is_last else None, is_head=is_head
            )
        )
    return made
