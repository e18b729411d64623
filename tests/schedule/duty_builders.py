"""Duties, visits and pauses for the tests of the schedule, by hand and as Hypothesis strategies."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from server.schedule.periods import first_second, last_second, period_of
from server.schedule.rules import emergency_window
from server.schedule.terms import Contact, DutyFacts, DutyKind, Pause, PauseReason, PeriodUnit

SHANGHAI = ZoneInfo("Asia/Shanghai")
_numbers = count()


def at(text: str) -> datetime:
    """Read a Shanghai time such as `2024-02-29 23:59:59` (or a day, at nine in the morning) as UTC."""
    moment = datetime.fromisoformat(text if " " in text else f"{text} 09:00:00")
    return moment.replace(tzinfo=SHANGHAI).astimezone(UTC)


def visit(
    when: str, *, received: str | None = None, counts: bool = True, in_person: bool = True, dead: bool = False
) -> Contact:
    return Contact(
        visit_id=f"visit-{next(_numbers)}",
        occurred_at=at(when),
        received_at=at(received or when),
        counts=counts,
        in_person=in_person and counts,
        dead=dead,
    )


def attempt(when: str) -> Contact:
    return visit(when, counts=False)


def pause(first: str, last: str, reason: PauseReason = PauseReason.HOSPITAL) -> Pause:
    return Pause(reason, date.fromisoformat(first), date.fromisoformat(last))


def monthly(
    month: str,
    *,
    required: int = 1,
    in_person: int = 0,
    exit_on: str | None = None,
    pauses: tuple[Pause, ...] = (),
) -> DutyFacts:
    """A duty of one month, `2024-02`, due soon ten days before its end."""
    period = period_of(PeriodUnit.MONTH, date.fromisoformat(f"{month}-01"))
    return DutyFacts(
        kind=DutyKind.ROUTINE,
        opens_at=first_second(period.start),
        due_at=last_second(period.end),
        due_on=period.end,
        due_soon_on=period.end - timedelta(days=10),
        required=required,
        in_person=in_person,
        exit_on=date.fromisoformat(exit_on) if exit_on else None,
        pauses=pauses,
    )


def emergency(happened: str, hours: int = 24) -> DutyFacts:
    opens_at, due_at, due_on = emergency_window(at(happened), hours)
    return DutyFacts(DutyKind.EMERGENCY, opens_at, due_at, due_on, due_soon_on=due_on - timedelta(days=1))


# Two months around a leap day, so that few examples suffice to hit windows, edges and each other.
START = date(2024, 1, 25)
days = st.integers(0, 75).map(lambda offset: START + timedelta(days=offset))
instants = st.builds(
    lambda day, second: first_second(day) + timedelta(seconds=second),
    days,
    st.sampled_from([0, 1, 9 * 3600, 16 * 3600, 86_399]),
)
pauses = st.builds(
    lambda first, length: Pause(PauseReason.OUT_OF_AREA, first, first + timedelta(days=length)),
    days,
    st.integers(0, 40),
)


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    occurred_at = draw(instants)
    outcome = draw(st.sampled_from(["counts", "counts", "counts", "attempt", "dead"]))
    return Contact(
        visit_id=f"visit-{next(_numbers)}",
        occurred_at=occurred_at,
        received_at=occurred_at + draw(st.sampled_from([0, 1, 30, 600, 1200])) * timedelta(hours=1),
        counts=outcome == "counts",
        in_person=outcome == "counts" and draw(st.booleans()),
        dead=outcome == "dead",
    )


@st.composite
def duties(draw: st.DrawFn) -> DutyFacts:
    exit_on = draw(st.none() | days)
    rests = tuple(draw(st.lists(pauses, max_size=2)))
    if draw(st.booleans()):
        opens_at, due_at, due_on = emergency_window(draw(instants), draw(st.sampled_from([1, 24, 72])))
        kind, required, in_person = DutyKind.EMERGENCY, 1, draw(st.integers(0, 1))
    else:
        period = period_of(draw(st.sampled_from([PeriodUnit.ISO_WEEK, PeriodUnit.MONTH])), draw(days))
        opens_at, due_at, due_on = first_second(period.start), last_second(period.end), period.end
        kind, required = DutyKind.ROUTINE, draw(st.integers(1, 3))
        in_person = draw(st.integers(0, required))
    return DutyFacts(
        kind, opens_at, due_at, due_on, due_on - timedelta(days=draw(st.integers(0, 12))),
        required, in_person, exit_on, rests,
    )  # fmt: skip
