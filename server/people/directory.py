"""The villages that a roster may name, today."""

from sqlalchemy import select
from sqlalchemy.orm import aliased

from server.ledger.work import Work
from server.people.roster.villages import VillageName
from server.people.sight import is_the_house
from server.regions.models import Region
from server.regions.queries import in_force, inside
from server.regions.terms import Level


def villages_within_reach(work: Work) -> list[VillageName]:
    """List the villages of the actor's area with their townships; all of them for the house itself."""
    township = aliased(Region)
    wanted = (
        select(Region.code, Region.name, township.name)
        .join(township, township.code == Region.parent_code)
        .where(Region.level == Level.VILLAGE, in_force(work.today))
        .where(township.valid_from <= work.today)
        .where(township.valid_to.is_(None) | (township.valid_to >= work.today))
        .order_by(Region.code)
    )
    if not is_the_house(work):
        wanted = wanted.where(inside(Region.code, work.actor.area_code))
    return [VillageName(code, name, town) for code, name, town in work.session.execute(wanted)]
