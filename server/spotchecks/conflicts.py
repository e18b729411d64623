"""Who must not check a visit (回避): pure, from facts that were gathered; and how the work is spread."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from server.spotchecks.terms import CannotCheck


@dataclass(frozen=True, slots=True)
class Checker:
    """A worker who checks visits; `relatives` are the ids of workers and people related to them."""

    worker_id: UUID
    area_code: str
    relatives: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class VisitToCheck:
    """What must be known of a visit to find somebody for it.

    `visitors` went there, `answers_for` are responsible or deputise for the person, now or when it happened. `decided`
    have judged the record before: others are taken first, because they have not seen the answers.
    """

    check_id: UUID
    person_id: UUID
    village: str
    recorder: UUID
    visitors: frozenset[UUID]
    answers_for: frozenset[UUID] = frozenset()
    decided: frozenset[UUID] = field(default=frozenset())


def why_not(checker: Checker, visit: VisitToCheck) -> CannotCheck | None:
    """Say why a worker must not check a visit; None when they may."""
    mine, theirs = checker.worker_id, checker.relatives
    reasons = {
        CannotCheck.VISITED: mine in visit.visitors,
        CannotCheck.RECORDED: mine == visit.recorder,
        CannotCheck.ANSWERS_FOR: mine in visit.answers_for,
        CannotCheck.RELATED_TO_PERSON: visit.person_id in theirs,
        CannotCheck.RELATED_TO_VISITOR: bool(theirs & (visit.visitors | {visit.recorder})),
        CannotCheck.OUT_OF_AREA: not visit.village.startswith(checker.area_code),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def spread(
    visits: Sequence[VisitToCheck], checkers: Collection[Checker], held: Mapping[UUID, int]
) -> tuple[dict[UUID, UUID], dict[UUID, dict[CannotCheck, int]]]:
    """Give each visit to the checker with the least to do who may check it, the ones who have not judged it first.

    `held` is how many each has already. Returns checker by check, and for those without one how many were out for
    which reason. The same visits in the same order are always spread the same way. Visits that few may check go first.
    """
    load = {one.worker_id: held.get(one.worker_id, 0) for one in checkers}
    given: dict[UUID, UUID] = {}
    without: dict[UUID, dict[CannotCheck, int]] = {}
    fitting = {visit.check_id: [one for one in checkers if why_not(one, visit) is None] for visit in visits}
    for visit in sorted(visits, key=lambda one: len(fitting[one.check_id])):
        able = fitting[visit.check_id]
        if not able:
            without[visit.check_id] = _reasons(visit, checkers)
            continue
        best = min(able, key=lambda one: (one.worker_id in visit.decided, load[one.worker_id], one.worker_id))
        load[best.worker_id] += 1
        given[visit.check_id] = best.worker_id
    return given, without


def _reasons(visit: VisitToCheck, checkers: Iterable[Checker]) -> dict[CannotCheck, int]:
    counts: dict[CannotCheck, int] = {}
    for one in checkers:
        reason = why_not(one, visit)
        if reason is not None:
            counts[reason] = counts.get(reason, 0) + 1
    return counts
