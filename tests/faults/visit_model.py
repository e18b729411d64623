"""What must become of one visit, whoever sends it however often: the rules of CONTRACT §4 and §6 without a database."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

SUBMITTED, RETURNED, ACCEPTED, VOID = "submitted", "returned", "accepted", "void"
DECISIONS = {
    (SUBMITTED, "accept"): ACCEPTED,
    (SUBMITTED, "return"): RETURNED,
    (SUBMITTED, "void"): VOID,
    (SUBMITTED, "withdraw"): VOID,
    (RETURNED, "void"): VOID,
    (ACCEPTED, "void"): VOID,
}
RESPONSIBLE, DEPUTY, STRANGER = "responsible", "deputy", "stranger"


@dataclass(frozen=True)
class Fate:
    """What is known of the visit: `bodies` that were kept, oldest first, by number; who recorded it; where it stands."""

    bodies: Sequence[int] = field(default=())
    state: str = SUBMITTED
    revision: int = 0
    body_revision: int = 0
    recorder: str = ""
    stranger_is_responsible: bool = False

    @property
    def stored(self) -> bool:
        """Say whether there is a visit."""
        return bool(self.bodies)

    def sees(self, who: str) -> bool:
        """Say whether a worker may see the person, did when the visit happened, or recorded it."""
        return who != STRANGER or self.stranger_is_responsible or self.recorder == who


@dataclass(frozen=True)
class Expected:
    """An answer, its code when it is a refusal, and what is true afterwards."""

    status: int
    code: str | None
    after: Fate


def sent(  # noqa: PLR0911  (one line for each row of the table)
    fate: Fate, who: str, body: int, revision: int | None
) -> Expected:
    """Say what comes of sending a body, as it is or as the correction of a revision."""
    if not fate.stored:
        if revision is not None or not fate.sees(who):
            return Expected(404, "not_found", fate)
        return Expected(201, None, replace(fate, bodies=(body,), revision=1, body_revision=1, recorder=who))
    if not fate.sees(who):
        return Expected(404, "not_found", fate)
    if body in fate.bodies:
        return Expected(200, None, fate)
    if fate.recorder != who or revision is None:
        return Expected(409, "visit_conflict", fate)
    if not fate.body_revision <= revision <= fate.revision:
        return Expected(409, "stale_revision", fate)
    if fate.state not in {SUBMITTED, RETURNED}:
        return Expected(409, "visit_closed", fate)
    new = fate.revision + 1
    after = replace(fate, bodies=(*fate.bodies, body), revision=new, body_revision=new, state=SUBMITTED)
    return Expected(200, None, after)


def decided(fate: Fate, who: str, decision: str, revision: int) -> Expected:
    """Say what comes of a decision of the reviewer, or of a recorder's withdrawal."""
    if not fate.stored or (who and not fate.sees(who)):
        return Expected(404, "not_found", fate)
    if decision == "withdraw" and fate.recorder != who:
        return Expected(403, "not_allowed", fate)
    if revision != fate.revision:
        return Expected(409, "stale_revision", fate)
    following = DECISIONS.get((fate.state, decision))
    if following is None:
        return Expected(409, "decision_not_possible", fate)
    return Expected(201, None, replace(fate, state=following, revision=fate.revision + 1))


def handed_over(fate: Fate, *, to_stranger: bool) -> Expected:
    """Say what comes of handing the person over to somebody who had nothing to do with them, or back."""
    return Expected(200, None, replace(fate, stranger_is_responsible=to_stranger))
