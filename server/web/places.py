"""The villages that a reader may choose from, by what their role reaches."""

from collections.abc import Sequence

from server.ledger.work import Work
from server.regions.models import Region
from server.regions.queries import villages
from server.regions.terms import Level


def villages_within(work: Work) -> Sequence[Region]:
    """List the townships and villages inside the reader's area, by code."""
    found = work.session.scalars(villages(work.actor.area_code, work.today)).all()
    return [region for region in found if region.level is not Level.COUNTY]
