"""The order in which rows are locked: the person first, then the visit (PostgreSQL; SQLite has one writer).

Settling locks people and then moves their visits along; whoever locked a visit first and its person afterwards would
wait for a move, and the move for them.
"""

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.people.models import Person
from server.visits.models import Visit

_PERSON_OF = (
    select(Person.id)
    .where(Person.id == select(Visit.person_id).where(Visit.id == bindparam("visit_id")).scalar_subquery())
    .with_for_update(of=Person, key_share=True)
)


def lock_person_of(session: Session, visit_id: UUID) -> None:
    """Lock the person whom a stored visit is about, before the visit itself is locked."""
    session.execute(_PERSON_OF, {"visit_id": visit_id})
