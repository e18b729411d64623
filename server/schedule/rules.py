"""Who is overdue: what visits do for a duty, and how it stands at the end of a business day (DOMAIN §1.4).

`tally` reads the visits once and gives what the duty's row keeps. `state_from_tally` reads the row. `state` asks about
any day, the past included, with what is known today: it looks away from later visits, and so must agree with
`overdue_on`, which asks the row alone and can be written as SQL.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from server.errors import Invalid
from server.schedule.periods import SECOND, business_day
from server.schedule.terms import Contact, DutyFacts, DutyKind, DutyState, DutyTally, Pause, VisitRule

LAST_DAY_OF_ANY_MONTH = 31


class VisitRuleWrong(Invalid):
    """The visit rule contradicts itself; `errors` names the fields."""

    title = "走访规则有误"
    detail = "走访规则填写不对，请按提示修改。"


def check_rule(rule: VisitRule) -> None:
    """Refuse a rule that could never be met or never apply, with `VisitRuleWrong`."""
    errors: dict[str, list[str]] = {}
    if not rule.key.strip():
        errors["key"] = ["请填写规则代码。"]
    if rule.required < 1:
        errors["required"] = ["每期走访次数至少为1次。"]
    if not 0 <= rule.in_person <= rule.required:
        errors["in_person"] = ["见面次数不能小于0，也不能多于走访次数。"]
    if not 1 <= rule.cutoff_day <= LAST_DAY_OF_ANY_MONTH:
        errors["cutoff_day"] = ["截止日应在1日至31日之间。"]
    if any(days < 0 for days in rule.alert_days):
        errors["alert_days"] = ["提前提醒的天数不能小于0。"]
    if rule.care_level is not None and (rule.category is None or rule.tag is not None):
        errors["care_level"] = ["护理等级只能和救助类别一起设置，且不能再设标签。"]
    if rule.effective_to is not None and rule.effective_to < rule.effective_from:
        errors["effective_to"] = ["停用日期不能早于启用日期。"]
    if errors:
        raise VisitRuleWrong(errors=errors)


def emergency_window(happened_at: datetime, hours: int) -> tuple[datetime, datetime, date]:
    """Give the window of an emergency duty: when it opens, when it is due, and on which business day.

    `hours` is a setting (24 until confirmed). Each emergency is a duty of its own, however many a month brings.
    """
    due_at = happened_at + timedelta(hours=hours)
    return happened_at, due_at, business_day(due_at)


def tally(facts: DutyFacts, contacts: Iterable[Contact]) -> DutyTally:
    """Say what the visits of the person have done for a duty; visits outside its window may be among them.

    The order of `contacts` does not matter. Removing one (void, withdrawn) and counting again undoes all it did.
    """
    filed = sorted(contacts, key=lambda contact: (contact.occurred_at, contact.visit_id))
    window = [contact for contact in filed if _in_window(facts, contact)]
    counting = [contact for contact in window if contact.counts]
    completing = _completing(facts, counting)
    arriving = _completing(
        facts, sorted(counting, key=lambda contact: (contact.received_at, contact.visit_id))
    )
    closing = None
    if completing is None:
        closing = next(
            (contact for contact in filed if contact.counts and _after_window(facts, contact)), None
        )
    return DutyTally(
        done=len(counting),
        done_in_person=sum(contact.in_person for contact in counting),
        attempts=sum(contact.is_attempt for contact in window),
        met_on=business_day(completing.occurred_at) if completing else None,
        met_by=completing.visit_id if completing else None,
        met_received_at=arriving.received_at if arriving else None,
        closed_on=business_day(closing.occurred_at) if closing else None,
        closed_by=closing.visit_id if closing else None,
        exit_on=_exit(facts, filed),
    )


def state_from_tally(facts: DutyFacts, done: DutyTally, as_of: date) -> DutyState:
    """Say how a duty stands at the end of the day `as_of`, which is not before the latest visit in the tally.

    What is met stays met, whatever comes later. Who leaves on or before the due date cancels the duty. Who leaves
    after it can no longer be visited: the duty was missed, and says so, but nobody has to act on it any more.
    """
    if done.met_on is not None and done.met_on <= as_of:
        return DutyState.MET_LATE if _came_late(facts, done) else DutyState.MET
    if done.exit_on is not None and done.exit_on <= as_of:
        return DutyState.CANCELLED if done.exit_on <= facts.due_on else DutyState.MISSED
    if done.closed_on is not None and done.closed_on <= as_of:
        return DutyState.MISSED
    if facts.due_on < as_of:
        return DutyState.OVERDUE
    if pause_on(facts, as_of) is not None:
        return DutyState.PAUSED
    return DutyState.DUE_SOON if facts.due_soon_on <= as_of else DutyState.OPEN


def state(facts: DutyFacts, contacts: Iterable[Contact], as_of: date) -> DutyState:
    """Say how a duty stood at the end of any day, from the visits up to that day and with today's knowledge.

    For what was known at an instant, hand in only the visits received until then.
    """
    happened = [contact for contact in contacts if business_day(contact.occurred_at) <= as_of]
    return state_from_tally(facts, tally(facts, happened), as_of)


def overdue_on(facts: DutyFacts, done: DutyTally, day: date) -> bool:
    """Say from the row alone whether a duty was overdue at the end of any day, before or after its latest visit.

    As SQL: `due_on < :day AND met_on IS NULL AND (closed_on IS NULL OR closed_on > :day) AND (exit_on IS NULL OR
    exit_on > :day)`, where `exit_on` is the tally's. It needs no look at `met_on`'s value: a duty is met by its due
    date or never.
    """
    return (
        facts.due_on < day
        and done.met_on is None
        and (done.closed_on is None or done.closed_on > day)
        and (done.exit_on is None or done.exit_on > day)
    )


def days_overdue(standing: DutyState, due_on: date, as_of: date) -> int:
    """Count the days since the due date of an overdue duty; 0 in every other state."""
    return (as_of - due_on).days if standing is DutyState.OVERDUE else 0


def pause_on(facts: DutyFacts, day: date) -> Pause | None:
    """Give the pause that a duty rests in on a day, the one that ends last; an emergency never rests."""
    if facts.kind is DutyKind.EMERGENCY or day > facts.due_on:
        return None
    covering = [pause for pause in facts.pauses if pause.covers(day)]
    return max(covering, key=lambda pause: pause.to_on, default=None)


def _in_window(facts: DutyFacts, contact: Contact) -> bool:
    # `due_at` names a whole second; an instant with a fraction still belongs to it.
    return facts.opens_at <= contact.occurred_at < facts.due_at + SECOND


def _after_window(facts: DutyFacts, contact: Contact) -> bool:
    return contact.occurred_at >= facts.due_at + SECOND


def _came_late(facts: DutyFacts, done: DutyTally) -> bool:
    return done.met_received_at is not None and done.met_received_at >= facts.due_at + SECOND


def _completing(facts: DutyFacts, counting: Sequence[Contact]) -> Contact | None:
    """Give the contact with which, taken in the given order, the duty is met.

    A pause that touches the window waives the minimum in person, and one contact during it is enough.
    """
    opens_on = business_day(facts.opens_at)
    pauses = [pause for pause in facts.pauses if pause.from_on <= facts.due_on and pause.to_on >= opens_on]
    in_person = 0 if pauses else facts.in_person
    face_to_face = 0
    for done, contact in enumerate(counting, start=1):
        face_to_face += contact.in_person
        day = business_day(contact.occurred_at)
        if (done >= facts.required and face_to_face >= in_person) or any(
            pause.covers(day) for pause in pauses
        ):
            return contact
    return None


def _exit(facts: DutyFacts, filed: Sequence[Contact]) -> date | None:
    # A visit that found the person dead closes what is owed at once, without waiting for the register. Not what
    # opens after it: were the visit wrong and never voided, nobody would ever look for that person again.
    deaths = [
        business_day(contact.occurred_at)
        for contact in filed
        if contact.dead and contact.occurred_at >= facts.opens_at
    ]
    exits = deaths if facts.exit_on is None else [*deaths, facts.exit_on]
    return min(exits, default=None)
