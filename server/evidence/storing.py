"""Keeps findings and marks, and the queue of visits whose facts changed since they were judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Integer, Table, Uuid, bindparam, delete, insert, select, text, update
from sqlalchemy.orm import Session

from server.db import UtcInstant, must_write
from server.evidence.models import FindingMade, Unjudged, VisitMarks
from server.evidence.terms import ABOVE_INFO, Finding, Marks, Place
from server.ledger.work import Work
from server.places.terms import Point
from server.prepared import Prepared, Row

LOCK = 0xE71D
"""The lock under which marks are written on PostgreSQL, one at a time, so that of two visits one sees the other."""
MOST_AROUND = 256
"""Visits of one worker, before and after, that one visit is compared with at most."""
MOST_SAME_TEXT = 16
"""Records with the same text, before and after, that one is compared with at most."""

_MARKS = cast("Table", VisitMarks.__table__)
_QUEUE = cast("Table", Unjudged.__table__)
_FINDINGS = cast("Table", FindingMade.__table__)
_PLAIN = tuple(one.name for one in fields(Marks) if one.name != "place")
_ID = bindparam("visit_id", type_=Uuid())


def alone(session: Session) -> None:
    """Let nobody else judge until the end of this transaction; on SQLite whoever is in one is alone already.

    Where there is no transaction, because somebody only looked, it is all done again in one.
    """
    must_write(session)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


_OLDEST = Prepared(
    select(_QUEUE.c.id, _QUEUE.c.visit_id, _QUEUE.c.spreads)
    .order_by(_QUEUE.c.id)
    .limit(bindparam("most", type_=Integer()))
)


def oldest_waiting(session: Session, most: int) -> list[Row]:
    """Give the rows of the queue that wait longest."""
    return _OLDEST.all(session, {"most": most})


def waiting_of(session: Session, visits: Iterable[UUID]) -> list[Row]:
    """Give the rows of the queue that are about some visits."""
    wanted = select(_QUEUE.c.id, _QUEUE.c.visit_id, _QUEUE.c.spreads).where(
        _QUEUE.c.visit_id.in_(list(visits))
    )
    return list(session.execute(wanted.order_by(_QUEUE.c.id)))


def take_off(session: Session, rows: Sequence[Row]) -> None:
    """Take rows off the queue; what triggers wrote meanwhile stays."""
    if rows:
        session.execute(delete(_QUEUE).where(_QUEUE.c.id.in_([row.id for row in rows])))


def ask_again(session: Session, visits: Iterable[UUID]) -> None:
    """Let visits be judged anew, themselves alone."""
    rows = [{"visit_id": one, "spreads": False} for one in sorted(visits, key=str)]
    if rows:
        session.execute(insert(_QUEUE), rows)


_MARKS_OF = Prepared(select(_MARKS).where(_MARKS.c.visit_id == _ID))


def marks_of(session: Session, visit_id: UUID) -> Marks | None:
    """Read the marks that a visit is compared by; None before it was judged."""
    row = _MARKS_OF.first(session, {"visit_id": visit_id})
    return None if row is None else _marks(row)


def write_marks(session: Session, old: Marks | None, new: Marks) -> None:
    """Put new marks in the place of the old ones."""
    if old is not None:
        session.execute(delete(_MARKS).where(_MARKS.c.visit_id == old.visit_id))
    session.execute(insert(_MARKS), _columns(new))


def _beside(where: Any, *, before: bool, most: int) -> Prepared:
    """Select the visits next to a place in time, on one side, along an index that ends in that order."""
    began, visit = _MARKS.c.began_at, _MARKS.c.visit_id
    at = bindparam("at", type_=UtcInstant())
    edge = bindparam("edge", type_=UtcInstant())
    wanted = select(_MARKS).where(where, visit != _ID).limit(most)
    if before:
        return Prepared(wanted.where(began <= at, began >= edge).order_by(began.desc(), visit.desc()))
    return Prepared(wanted.where(began > at, began <= edge).order_by(began, visit))


_OF_WORKER = _MARKS.c.worker_id == bindparam("worker_id", type_=Uuid())
_OF_TEXT = _MARKS.c.text_mark == bindparam("text_mark", type_=_MARKS.c.text_mark.type)
_AROUND = tuple(_beside(_OF_WORKER, before=before, most=MOST_AROUND) for before in (True, False))
_SAME_TEXT = tuple(_beside(_OF_TEXT, before=before, most=MOST_SAME_TEXT) for before in (True, False))


def around(session: Session, marks: Marks, within: Any) -> tuple[Marks, ...]:
    """Read the other visits of the same worker within a span before and after."""
    return _both(session, _AROUND, marks, within, worker_id=marks.worker_id)


def same_text(session: Session, marks: Marks, within: Any) -> tuple[Marks, ...]:
    """Read the records next in time that have the same text, whoever wrote them."""
    if marks.text_mark is None:
        return ()
    return _both(session, _SAME_TEXT, marks, within, text_mark=marks.text_mark)


def _both(
    session: Session, statements: Sequence[Prepared], marks: Marks, within: Any, **more: Any
) -> tuple[Marks, ...]:
    before, after = statements
    known = {"at": marks.began_at, "visit_id": marks.visit_id, **more}
    rows = before.all(session, known | {"edge": marks.began_at - within})
    rows += after.all(session, known | {"edge": marks.began_at + within})
    return tuple(_marks(row) for row in rows)


_STANDING = Prepared(
    select(
        *(_FINDINGS.c[name] for name in ("id", "code", "severity", "evidence", "rule_version")),
    ).where(_FINDINGS.c.visit_id == _ID, _FINDINGS.c.withdrawn_at.is_(None))
)


def save(work: Work, visit_id: UUID, person_id: UUID, found: Sequence[Finding]) -> bool:
    """Let exactly these findings stand about a visit; says whether that changed anything.

    What is found as before stays as it was made. A change above mere information leaves a ledger line of the house's
    own, whoever happened to ask.
    """
    session = work.session
    old = {row.code: row for row in _STANDING.all(session, {"visit_id": visit_id})}
    new = {one.code: one for one in found}
    gone = [row for code, row in old.items() if code not in new or not _is_same(row, new[code])]
    made = [one for code, one in new.items() if code not in old or not _is_same(old[code], one)]
    if not gone and not made:
        return False
    if gone:
        session.execute(
            update(_FINDINGS)
            .where(_FINDINGS.c.id.in_([row.id for row in gone]))
            .values(withdrawn_at=work.now)
        )
    if made:
        session.execute(insert(_FINDINGS), [_row(work, visit_id, person_id, one) for one in made])
    before = sorted(row.code for row in old.values() if row.severity in ABOVE_INFO)
    after = sorted(one.code for one in found if one.severity in ABOVE_INFO)
    if before != after:
        replace(work, signed_in=None).tell(
            "evidence.found",
            "visit",
            visit_id,
            person_id=person_id,
            changes=False,
            payload={"before": before, "after": after},
        )
    return True


def _is_same(row: Row, one: Finding) -> bool:
    return (row.severity, row.evidence, row.rule_version) == (one.severity, one.evidence, one.rule_version)


def _row(work: Work, visit_id: UUID, person_id: UUID, one: Finding) -> Mapping[str, Any]:
    return {
        "id": work.new_id(),
        "visit_id": visit_id,
        "person_id": person_id,
        "code": one.code,
        "severity": one.severity,
        "evidence": dict(one.evidence),
        "rule_version": one.rule_version,
        "found_at": work.now,
    }


def _marks(row: Row) -> Marks:
    place = None
    if row.latitude is not None:
        place = Place(point=Point(row.latitude, row.longitude), accuracy_m=row.accuracy_m, is_fix=row.is_fix)
    return Marks(place=place, **{name: getattr(row, name) for name in _PLAIN})


def _columns(marks: Marks) -> dict[str, Any]:
    place = marks.place
    return {
        **{name: getattr(marks, name) for name in _PLAIN},
        "latitude": place.point.latitude if place else None,
        "longitude": place.point.longitude if place else None,
        "accuracy_m": place.accuracy_m if place else None,
        "is_fix": place is not None and place.is_fix,
    }


def with_findings(session: Session, visits: Sequence[UUID], severities: Iterable[str]) -> set[UUID]:
    """Say which of some visits have a standing finding of one of these severities."""
    wanted = select(_FINDINGS.c.visit_id).where(
        _FINDINGS.c.visit_id.in_(visits),
        _FINDINGS.c.withdrawn_at.is_(None),
        _FINDINGS.c.severity.in_(list(severities)),
    )
    return set(session.scalars(wanted.distinct()))
