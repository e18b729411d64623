"""From a person's history to the duties that it brings, one for each rule and period, whatever was opened before.

The functions take facts and settings and no clock, so the same history gives the same duties at any time. Where a
history is known only in part (an assessment is still missing), the rule of the category stands in.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.people.terms import CareLevel, Category, Tag
from server.schedule.periods import (
    DAY,
    business_day,
    first_second,
    join_until,
    last_second,
    periods_between,
)
from server.schedule.rules import emergency_window
from server.schedule.terms import (
    DutyFacts,
    DutyKind,
    Emergency,
    Enrolment,
    OwedDuty,
    Pause,
    Period,
    PeriodUnit,
    TagHeld,
    VisitRule,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days from `joined` to before `left` (None: still running) in which one set of rules speaks for a person."""

    joined: date
    left: date | None
    category: Category
    care_level: CareLevel | None
    tag: Tag | None
    is_head: bool

    def holds_on(self, day: date) -> bool:
        """Say whether the day lies within the stretch."""
        return self.joined <= day and (self.left is None or day < self.left)


def derive_duties(
    enrolments: Iterable[Enrolment],
    rules: Sequence[VisitRule],
    pauses: Iterable[Pause],
    emergencies: Iterable[Emergency],
    *,
    begin_on: date,
    as_of: date,
    tags: Iterable[TagHeld] = (),
    ending_from: date | None = None,
) -> list[OwedDuty]:
    """List every duty of one person in the periods begun by the day `as_of`, in order of period and trigger.

    `rules` are the versions that hold for the person's area. `begin_on` is the day on which the area went live: who
    was enrolled before counts as a newcomer of that day. `ending_from` leaves out duties due before that day, for the
    monthly opening of many people. A duty that a later exit cancels is listed, with its `exit_on`.
    """
    lanes = _lanes(enrolments, tags, begin_on=begin_on, as_of=as_of)
    rests = tuple(sorted(pauses, key=lambda pause: (pause.from_on, pause.to_on)))
    owed: dict[tuple[str, Period], OwedDuty] = {}
    for lane in lanes:
        for unit in PeriodUnit:
            for rule, category, period, left in _of_lane(lane, unit, rules, ending_from, as_of):
                duty = _routine(rule, category, period, left, rests)
                name = (duty.trigger, duty.period)
                # Two categories may both fall under one rule; who leaves one of them still owes by the other.
                owed[name] = max(owed.get(name, duty), duty, key=_stays)
    whole = [stretch for lane in lanes for stretch in lane if stretch.tag is None]
    for emergency in emergencies:
        for duty in _of_emergency(emergency, whole, rests, as_of):
            if ending_from is None or duty.facts.due_on >= ending_from:
                owed[duty.trigger, duty.period] = duty
    return sorted(owed.values(), key=lambda duty: (duty.period, duty.trigger))


def rules_for(stretch: Stretch, rules: Iterable[VisitRule], day: date) -> list[VisitRule]:
    """Choose the rules in force on a day that speak for a stretch: of each key the newest, and the most specific win.

    Category with care level goes before category, and that before everybody. A rule for heads of households is
    chosen like any other, and then asks nothing of the other members: they don't fall back to a wider rule.
    """
    newest: dict[str, VisitRule] = {}
    for rule in rules:
        in_force = rule.effective_from <= day and (rule.effective_to is None or day <= rule.effective_to)
        if in_force and (rule.key not in newest or newest[rule.key].effective_from < rule.effective_from):
            newest[rule.key] = rule
    speaking = [rule for rule in newest.values() if _speaks_for(rule, stretch)]
    most = max((_specificity(rule) for rule in speaking), default=0)
    return [
        rule
        for rule in speaking
        if _specificity(rule) == most and (stretch.is_head or not rule.applies_to_head_only)
    ]


def _stays(duty: OwedDuty) -> date:
    return duty.facts.exit_on or date.max


def _speaks_for(rule: VisitRule, stretch: Stretch) -> bool:
    return (
        rule.tag is stretch.tag
        and rule.category in {None, stretch.category}
        and rule.care_level in {None, stretch.care_level}
    )


def _specificity(rule: VisitRule) -> int:
    return (rule.category is not None) + (rule.care_level is not None)


def _lanes(
    enrolments: Iterable[Enrolment], tags: Iterable[TagHeld], *, begin_on: date, as_of: date
) -> list[list[Stretch]]:
    """Sort a history into lanes, one for each category and one for each tag, in which one stretch follows another.

    A tag asks for visits only while the person is enrolled under something.
    """
    held = list(tags)
    lanes: dict[str, list[Stretch]] = {}
    for enrolment in enrolments:
        joined = max(enrolment.valid_from, begin_on)
        left = _first_day_out(enrolment.valid_to, enrolment.exit_on)
        own = Stretch(joined, left, enrolment.category, enrolment.care_level, None, enrolment.is_head)
        lanes.setdefault(f"category:{enrolment.category}", []).append(own)
        for tag in held:
            lanes.setdefault(f"tag:{tag.tag}", []).append(
                Stretch(
                    max(joined, tag.valid_from),
                    _earlier(left, _first_day_out(tag.valid_to, None)),
                    enrolment.category,
                    enrolment.care_level,
                    tag.tag,
                    enrolment.is_head,
                )
            )
    return [
        lane
        for stretches in lanes.values()
        if (
            lane := [
                stretch
                for stretch in stretches
                if stretch.joined <= as_of and (stretch.left is None or stretch.joined < stretch.left)
            ]
        )
    ]


def _first_day_out(last_day: date | None, exit_on: date | None) -> date | None:
    after = last_day + DAY if last_day is not None and last_day < date.max else None
    return _earlier(after, exit_on)


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)


def _leaves_on(stretch: Stretch, lane: Sequence[Stretch]) -> date | None:
    """Give the day on which a person is out for good, through all stretches of the lane that join without a gap."""
    left = stretch.left
    while left is not None:
        following = [
            other for other in lane if other.joined <= left and (other.left is None or other.left > left)
        ]
        if not following:
            return left
        ends = [other.left for other in following if other.left is not None]
        left = max(ends) if len(ends) == len(following) else None
    return None


def _of_lane(
    lane: Sequence[Stretch],
    unit: PeriodUnit,
    rules: Sequence[VisitRule],
    ending_from: date | None,
    as_of: date,
) -> Iterator[tuple[VisitRule, Category, Period, date | None]]:
    mine = [rule for rule in rules if any(_speaks_for(rule, stretch) for stretch in lane)]
    if not any(rule.unit is unit for rule in mine):
        return
    first = min(stretch.joined for stretch in lane)
    if ending_from is not None:
        first = max(first, ending_from)
    for period in periods_between(unit, first, as_of):
        for stretch, left in _speakers(lane, period):
            chosen = [rule for rule in rules_for(stretch, mine, period.start) if rule.unit is unit]
            bound = [rule for rule in chosen if stretch.joined <= join_until(unit, period, rule.cutoff_day)]
            if bound or stretch.holds_on(period.start):
                yield from ((rule, stretch.category, period, left) for rule in bound)
                break


def _speakers(lane: Sequence[Stretch], period: Period) -> list[tuple[Stretch, date | None]]:
    """Order the stretches that may speak for a period: who stays to its end first, who was there at its start first.

    So a change of care level in the middle of a month asks nothing new of that month, and who leaves and comes back
    within it owes it once.
    """
    present = [
        (stretch, _leaves_on(stretch, lane))
        for stretch in lane
        if stretch.joined <= period.end and (stretch.left is None or stretch.left > period.start)
    ]
    return sorted(present, key=lambda one: _turn(one[0], one[1], period))


def _turn(stretch: Stretch, left: date | None, period: Period) -> tuple[bool, int, bool, bool, str]:
    joined = stretch.joined.toordinal()
    return (
        left is not None and left <= period.end,
        # Who was there goes before who came. Of two that overlap at the start the newer is believed; the rest only makes the order sure.
        -joined if stretch.holds_on(period.start) else joined,
        not stretch.is_head,
        stretch.care_level is None,
        f"{stretch.care_level} {stretch.category}",
    )


def _routine(
    rule: VisitRule, category: Category, period: Period, left: date | None, pauses: Sequence[Pause]
) -> OwedDuty:
    facts = DutyFacts(
        kind=DutyKind.ROUTINE,
        opens_at=first_second(period.start),
        due_at=last_second(period.end),
        due_on=period.end,
        due_soon_on=period.end - timedelta(days=max(rule.alert_days, default=0)),
        required=rule.required,
        in_person=rule.in_person,
        exit_on=left,
        pauses=_touching(pauses, period),
    )
    return OwedDuty(
        trigger=rule.key, category=category, period=period, rule=rule, emergency=None, facts=facts
    )


def _of_emergency(
    emergency: Emergency, whole: Sequence[Stretch], pauses: Sequence[Pause], as_of: date
) -> Iterator[OwedDuty]:
    """Give the duty of an emergency, if the person was enrolled, and the area live, on the day that it happened."""
    opens_at, due_at, due_on = emergency_window(emergency.happened_at, emergency.hours)
    happened_on = business_day(opens_at)
    stretch = next((stretch for stretch in whole if stretch.holds_on(happened_on)), None)
    if stretch is None or happened_on > as_of:
        return
    period = Period(happened_on, due_on)
    facts = DutyFacts(
        kind=DutyKind.EMERGENCY,
        opens_at=opens_at,
        due_at=due_at,
        due_on=due_on,
        due_soon_on=happened_on,
        exit_on=_leaves_on(stretch, whole),
        pauses=_touching(pauses, period),
    )
    yield OwedDuty(
        trigger=f"emergency:{emergency.id}",
        category=stretch.category,
        period=period,
        rule=None,
        emergency=emergency,
        facts=facts,
    )


def _touching(pauses: Sequence[Pause], period: Period) -> tuple[Pause, ...]:
    return tuple(pause for pause in pauses if pause.from_on <= period.end and pause.to_on >= period.start)
