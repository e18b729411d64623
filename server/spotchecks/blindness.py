"""Whether a checker had seen the record before they checked it: what the ledger says of their looks."""

from sqlalchemy import exists, select

from server.ledger.models import Event, Look, Position
from server.ledger.work import Work
from server.reviews.models import DecisionMade
from server.spotchecks.models import SpotCheck
from server.visits.models import Visit

SHOW_THE_RECORD = (
    "visit.read",
    "visits.read",
    "reviews.queue_read",
    "archive.read",
    "archive.timeline_read",
)
"""Looks that show what was answered on a visit."""


def had_looked(work: Work, check: SpotCheck) -> bool:
    """Say whether the actor has seen the record since it came in: opened it, met it in a list, or decided on it.

    Lists name their people once the sealer has been there, about a second later.
    """
    mine = work.actor.worker_id
    since = select(Visit.received_at).where(Visit.id == check.visit_id).scalar_subquery()
    opened = exists().where(
        Event.person_id == check.person_id,
        Event.actor_id == mine,
        Event.action.in_(SHOW_THE_RECORD),
        Event.at >= since,
    )
    listed = (
        select(Look.seq)
        .join(Position, Position.seq == Look.seq)
        .join(Event, Event.id == Position.event_id)
        .where(
            Look.person_id == check.person_id,
            Event.actor_id == mine,
            Event.action.in_(SHOW_THE_RECORD),
            Event.at >= since,
        )
        .exists()
    )
    decided = exists().where(DecisionMade.visit_id == check.visit_id, DecisionMade.decided_by == mine)
    return bool(work.session.scalar(select(opened | listed | decided)))
