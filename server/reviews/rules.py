"""Who may decide on a record, and which accepted records are looked at a second time."""

from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from server.errors import NotAllowed
from server.reviews.terms import Decision

SEED_BYTES = 32
_DRAWN_FROM = 1 << 64


class Relation(StrEnum):
    """What the decider is to the record."""

    RECORDER = "recorder"  # filed it
    NAMED = "named"  # was on the visit, or has it filed in their name
    FIRST = "first"  # accepted it, and it waits for a second pair of eyes
    OTHER = "other"


class OwnRecord(NotAllowed):
    """Nobody decides on a record that they made themselves, or of a visit that they were on."""

    title = "不能审核自己的记录"
    detail = "不能审核自己填报或参加的走访记录，请由其他审核人员处理。"


class SecondPairOfEyes(NotAllowed):
    """The record needs two reviewers; whoever accepted it first cannot confirm it as well."""

    title = "须由另一人确认"
    detail = "您已审核通过，这条记录还须由另一名审核人员确认。"


def may_decide(decision: Decision, relation: Relation, *, reviews: bool) -> None:
    """Refuse a decision that is not this worker's to make; `reviews` says whether their role decides on visits.

    Withdrawing is the recorder's own; everything else is for a reviewer who had no part in the visit. Whoever accepted
    a record first may still return or void it, but not accept it twice.
    """
    if decision is Decision.WITHDRAW:
        if relation is not Relation.RECORDER:
            raise NotAllowed("只有填报人本人可以撤回。")
        return
    if not reviews:
        raise NotAllowed
    if relation in {Relation.RECORDER, Relation.NAMED}:
        raise OwnRecord
    if relation is Relation.FIRST and decision is Decision.ACCEPT:
        raise SecondPairOfEyes


def is_drawn(seed: bytes, visit_id: UUID, percent: int) -> bool:
    """Say whether an accepted record is looked at a second time.

    The first eight bytes of SHA-256(seed ‖ visit id, 16 bytes) as a share of 2⁶⁴: with the month's seed anybody can
    tell afterwards which records had to be drawn, and without it nobody can beforehand.
    """
    drawn = int.from_bytes(sha256(seed + visit_id.bytes).digest()[:8])
    return drawn * 100 < percent * _DRAWN_FROM


def agreement(agreed: int, looked_at: int) -> float | None:
    """Give the share of second looks that agreed; None while there are none. For a township as a whole, never a person."""
    return round(agreed / looked_at, 4) if looked_at else None
