"""Searching the archives: every way in has its index, at a hundred thousand files too."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, Select, and_, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.archives.rules import Search, end_of_prefix, understood
from server.archives.terms import SearchKind, Wanted
from server.ledger.work import Work
from server.people.models import Enrolment, Person, Responsibility
from server.people.numbering import TOWNSHIP_DIGITS
from server.people.sight import visible_to
from server.permissions import Actor, Role
from server.regions.models import Region
from server.regions.queries import inside
from server.regions.terms import Level
from server.vault.blind_index import last_four, whole_id_number

Position = tuple[str, str]
_CODE = re.compile("[0-9]{1,12}", re.ASCII)
_NUMBER = re.compile("[0-9A-Z-]{1,40}", re.ASCII)


def village_of_cursor(text: str) -> str:
    """Check the village of a cursor."""
    return _fitting(_CODE, text)


def number_of_cursor(text: str) -> str:
    """Check the file number of a cursor."""
    return _fitting(_NUMBER, text)


def _fitting(shape: re.Pattern[str], text: str) -> str:
    if not shape.fullmatch(text):
        raise ValueError(text)
    return text


def files(work: Work, wanted: Wanted, after: Position | None, limit: int) -> Sequence[Row[UUID, str, str]]:
    """Find at most `limit` files within sight, in order of village and file number, behind a position."""
    return work.session.execute(statement(work, wanted, after, limit)).all()


def statement(work: Work, wanted: Wanted, after: Position | None, limit: int) -> Select[UUID, str, str]:
    """Give the select of one page: (id, village_code, file_no)."""
    chosen = select(Person.id, Person.village_code, Person.file_no).where(visible_to(work.signed_in))
    search = understood(wanted.query) if wanted.query else None
    if search is not None:
        found = _found(work, search)
        chosen = chosen.join(found, found.c.id == Person.id)
    elif work.actor.role is Role.VISITOR:
        chosen = chosen.where(Person.id.in_(_answered_for(work.actor)))
    if wanted.village is not None:
        chosen = chosen.where(inside(Person.village_code, wanted.village))
    if wanted.category is not None:
        chosen = chosen.where(
            Person.id.in_(
                select(Enrolment.person_id).where(
                    Enrolment.category == wanted.category,
                    Enrolment.superseded_at.is_(None),
                    Enrolment.valid_from <= work.today,
                    or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= work.today),
                )
            )
        )
    if after is not None:
        chosen = chosen.where(tuple_(Person.village_code, Person.file_no) > tuple_(*after))
    return chosen.order_by(Person.village_code, Person.file_no).limit(limit)


def _answered_for(actor: Actor) -> Select[UUID]:
    """Narrow a visitor's list to the few for whom they answer, so that nobody else is looked at."""
    return select(Responsibility.person_id).where(
        Responsibility.worker_id == actor.worker_id, Responsibility.to_at.is_(None)
    )


def _found(work: Work, search: Search) -> CTE:
    # Materialised: else a planner that hopes for an early end of the ordered list would walk through everybody.
    matching = select(Person.id).where(_matching(work, search)).cte("found")
    return matching.prefix_with("MATERIALIZED")


def _matching(work: Work, search: Search) -> ColumnElement[bool]:
    session, keyring = work.session, work.keys.keyring
    match search.kind:
        case SearchKind.ID_NUMBER:
            return Person.id_number_index == whole_id_number(keyring, search.text)
        case SearchKind.LAST_FOUR:
            return Person.last4_index.in_([last_four(keyring, search.text, area) for area in townships(work)])
        case SearchKind.FILE_NO:
            return _begins(session, Person.file_no, search.text)
        case SearchKind.INITIALS:
            return or_(
                _begins(session, Person.name_initials, search.text),
                _begins(session, Person.name, search.text),
            )
        case _:
            return _begins(session, Person.name, search.text)


def townships(work: Work) -> list[str]:
    """List the townships that an actor's area lies in or holds, those that have ended too."""
    area = work.actor.area_code
    if len(area) >= TOWNSHIP_DIGITS:
        return [area[:TOWNSHIP_DIGITS]]
    return list(
        work.session.scalars(
            select(Region.code)
            .where(inside(Region.code, area), Region.level == Level.TOWNSHIP)
            .distinct()
            .order_by(Region.code)
        )
    )


def _begins(session: Session, column: InstrumentedAttribute[str], prefix: str) -> ColumnElement[bool]:
    """Select what begins with a text as one indexed range by code points, whatever the database's collation."""
    end = end_of_prefix(prefix)
    if session.get_bind().dialect.name == "postgresql":
        bounds: list[ColumnElement[bool]] = [column.op("~>=~", is_comparison=True)(prefix)]
        if end is not None:
            bounds.append(column.op("~<~", is_comparison=True)(end))
    else:
        bounds = [column >= prefix]
        if end is not None:
            bounds.append(column < end)
    return and_(*bounds)
