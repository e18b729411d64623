"""The one way to a problem: its person is within sight, and suspected abuse is for few (DOMAIN §3.6)."""

from uuid import UUID

from sqlalchemy import ColumnElement, select, true

from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import out_of_sight, within_sight
from server.permissions import Can
from server.problems.models import Problem
from server.vault.fields import DataKey
from server.vault.models import StoredKey


def open_to(work: Work) -> ColumnElement[bool]:
    """Select the problems that this work may see among those of the people within sight."""
    if work.signed_in is None or work.actor.may(Can.SEE_RESTRICTED):
        return true()
    return Problem.restricted.is_(False)


def see_problem(work: Work, problem_id: UUID, *, to_change: bool = False) -> tuple[Problem, DataKey | None]:
    """Find a problem within sight, with the key of its person; one outside it is not there, and leaves a trace.

    `to_change` locks the person and then the problem (PostgreSQL), in the order in which visits are corrected.
    """
    if to_change:
        work.session.execute(
            select(Person.id)
            .where(Person.id == select(Problem.person_id).where(Problem.id == problem_id).scalar_subquery())
            .with_for_update(of=Person, key_share=True)
        )
    wanted = (
        select(Problem, StoredKey.id, StoredKey.wrapped)
        .join(Person, Person.id == Problem.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(Problem.id == problem_id, within_sight(work), open_to(work))
    )
    if to_change:
        wanted = wanted.with_for_update(of=Problem).execution_options(populate_existing=True)
    row = work.session.execute(wanted).one_or_none()
    if row is None:
        there = work.session.get(Problem, problem_id)
        raise out_of_sight(work, there.person_id if there else problem_id)
    problem, key_id, wrapped = row
    return problem, work.keys.unwrap(key_id, wrapped) if key_id else None
