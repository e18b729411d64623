"""Where people of a village live, for a map: places alone, of those within sight."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select

from server.ledger.work import Work
from server.people.models import Home, Person
from server.people.sight import visible_to
from server.regions.queries import inside


def homes_within(work: Work, village: str, most: int) -> Sequence[Row[UUID, float, float]]:
    """List the registered homes of the living in a village: (person_id, wgs_latitude, wgs_longitude)."""
    return work.session.execute(
        select(Person.id, Home.wgs_latitude, Home.wgs_longitude)
        .join(Home, (Home.person_id == Person.id) & Home.superseded_at.is_(None))
        .where(inside(Person.village_code, village), visible_to(work.signed_in), Person.died_on.is_(None))
        .order_by(Person.village_code, Person.file_no)
        .limit(most)
    ).all()
