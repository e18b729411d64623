"""What a worker is to a record: the facts behind who may decide on it."""

from uuid import UUID

from server.reviews.rules import Relation
from server.visits.models import Visit
from server.visits.showing import awaits_second


def relation_of(visit: Visit, worker_id: UUID) -> Relation:
    """Say what a worker is to a record."""
    if visit.recorder_id == worker_id:
        return Relation.RECORDER
    if visit.recorded_for_id == worker_id or str(worker_id) in visit.open_body.get("visitors", ()):
        return Relation.NAMED
    if awaits_second(visit) and visit.first_accepted_by == worker_id:
        return Relation.FIRST
    return Relation.OTHER
