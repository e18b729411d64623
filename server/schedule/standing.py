"""How duties stand on a day, in the shape that goes over the wire (CONTRACT §3)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, cast

from server.schedule.models import Duty
from server.schedule.queries import facts_of
from server.schedule.rules import days_overdue, pause_on, state_from_tally
from server.schedule.terms import DutyState, DutyTally, Pause

URGENCY = {
    DutyState.OVERDUE: 0,
    DutyState.DUE_SOON: 1,
    DutyState.OPEN: 2,
    DutyState.PAUSED: 3,
}
"""What is owed, the most urgent first; the other states owe nothing."""

STANDS_ON = (
    *("kind", "period_start", "due_on", "due_soon_on", "opens_at", "due_at", "required", "in_person", "done"),
    *("done_in_person", "attempts", "met_on", "met_received_at", "closed_on", "exit_on", "in_correction"),
)
"""The columns of a duty that `standing` and `shown` read; a row with these will do."""


def standing(duty: Duty, pauses: Sequence[Pause], as_of: dt.date) -> DutyState:
    """Say how a duty stands at the end of a day that is not before its latest visit."""
    return state_from_tally(facts_of(duty, pauses), _tally(duty), as_of)


def shown(duty: Duty, pauses: Sequence[Pause], as_of: dt.date) -> dict[str, Any]:
    """Write a duty as the wire shows it; `pause` says why it rests and until when."""
    facts = facts_of(duty, pauses)
    state = state_from_tally(facts, _tally(duty), as_of)
    pause = pause_on(facts, as_of) if state is DutyState.PAUSED else None
    return {
        "period_start": duty.period_start,
        "due_on": duty.due_on,
        "required": duty.required,
        "done": duty.done,
        "attempts": duty.attempts,
        "state": state,
        "days_overdue": days_overdue(state, duty.due_on, as_of),
        "kind": duty.kind,
        "in_correction": duty.in_correction,
        "pause": {"reason": pause.reason, "until": pause.to_on} if pause else None,
    }


def _tally(duty: Duty) -> DutyTally:
    """Take a duty's row as its tally: the row has all of one, by the same names, and a sync asks thousands."""
    return cast("DutyTally", duty)


def most_urgent(duties: Iterable[Duty], pauses: Sequence[Pause], as_of: dt.date) -> Duty | None:
    """Choose what a person is owed first: the oldest overdue duty, else what falls due soonest; None when nothing is."""
    owed = [(URGENCY.get(standing(duty, pauses, as_of)), duty.due_on, str(duty.id), duty) for duty in duties]
    return min((one for one in owed if one[0] is not None), default=(None,) * 4)[3]
