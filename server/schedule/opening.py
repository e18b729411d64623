"""Opens duties, set-wise: one INSERT … SELECT for each rule that asks something of a period.

Any read or visit that finds its period unopened opens it (`ensure_open`), so that no timer is needed for truth.
Periods are opened from the day on which duties are kept (policy `duties.begin_on`) until today.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    Uuid,
    and_,
    cast,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from server.db import must_write, rows_of
from server.ledger.work import Work
from server.people.models import Enrolment, Person, PersonTag
from server.people.terms import CareLevel, Category
from server.policies.models import PolicyVersion
from server.policies.service import begin_on
from server.regions.queries import inside
from server.schedule.derive import Stretch, rules_for
from server.schedule.models import Duty, OpenedPeriod
from server.schedule.periods import first_second, join_until, last_second, periods_between
from server.schedule.queries import opened, rule_versions, rules_of
from server.schedule.terms import DutyKind, Period, PeriodUnit, VisitRule

UUID7_INSTANT = len("01941f29-7c00-7")
"""So many characters of a time-ordered id tell its instant and its version."""
COUNTED = 12
"""So many digits at its end count the duties of one opening."""
_open_through: WeakKeyDictionary[Engine, dt.date] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Asked:
    """What one rule asks of one period in one area (less the areas with answers of their own)."""

    rule: VisitRule
    period: Period
    area_code: str
    apart: tuple[str, ...]
    kinds: tuple[tuple[Category, CareLevel | None], ...]


def ensure_open(work: Work) -> int:
    """Open every period that has begun and is not open yet; returns how many duties that made. Cheap when none is."""
    engine = work.session.get_bind()
    assert isinstance(engine, Engine)
    if _open_through.get(engine) == work.today:
        return 0
    missing = list(_unopened(work))
    if not missing:
        _open_through[engine] = work.today
        return 0
    must_write(work.session)
    made = 0
    for unit, period in missing:
        made += _open(work, unit, period)
    return made


def lane_of(rule: VisitRule) -> str:
    """Name what a rule's duty is owed for: the tag, the category or the rule itself, and the kind of period."""
    return f"{rule.tag or rule.category or rule.key}.{rule.unit}"


def _unopened(work: Work) -> Iterator[tuple[PeriodUnit, Period]]:
    there = opened(work.session)
    units = {rule.unit for _, rule in rule_versions(work.session)}
    first = min(
        [begin_on(work.session, work.today)]
        + [
            dt.date.fromisoformat(value)
            for value in work.session.scalars(
                select(PolicyVersion.value).where(
                    PolicyVersion.key == "duties.begin_on", PolicyVersion.superseded_at.is_(None)
                )
            )
            if value
        ]
    )
    for unit in sorted(units):
        for period in periods_between(unit, first, work.today):
            if (str(unit), period.start) not in there:
                yield unit, period


def _open(work: Work, unit: PeriodUnit, period: Period) -> int:
    session = work.session
    claim = (
        _insert(work)(OpenedPeriod)
        .values(unit=unit, period_start=period.start, opened_at=work.now, duties=0)
        .on_conflict_do_nothing()
    )
    if not rows_of(session, claim):
        return 0  # somebody else opened it meanwhile
    made = sum(_insert_duties(work, asked) for asked in _asked(work, unit, period))
    work.changed_people.update(session.scalars(_leaving_within(period)))
    session.execute(
        OpenedPeriod.__table__.update()  # type: ignore[attr-defined]
        .where(OpenedPeriod.unit == unit, OpenedPeriod.period_start == period.start)
        .values(duties=made)
    )
    work.tell("duties.opened", "period", payload={"unit": unit, "start": period.start, "duties": made})
    return made


def _asked(work: Work, unit: PeriodUnit, period: Period) -> Iterator[Asked]:
    versions = rule_versions(work.session)
    areas = {area for area, _ in versions} | {""} | _areas_that_begin_apart(work)
    for area in sorted(areas):
        if begin_on(work.session, work.today, area_code=area) > period.end:
            continue  # duties are not kept there yet
        apart = tuple(other for other in areas if other != area and other.startswith(area))
        rules = rules_of(area, versions)
        tags = {rule.tag for rule in rules}
        chosen: dict[VisitRule, list[tuple[Category, CareLevel | None]]] = {}
        for tag in tags:
            for category in Category:
                for level in (None, *CareLevel):
                    stretch = Stretch(period.start, None, category, level, tag, is_head=True)
                    for rule in rules_for(stretch, rules, period.start):
                        if rule.unit is unit:
                            chosen.setdefault(rule, []).append((category, level))
        for rule, kinds in chosen.items():
            yield Asked(rule, period, area, apart, tuple(kinds))


def _leaving_within(period: Period) -> Select[UUID]:
    return select(Enrolment.person_id).where(
        Enrolment.superseded_at.is_(None),
        Enrolment.valid_to >= period.start,
        Enrolment.valid_to < period.end,
    )


def _areas_that_begin_apart(work: Work) -> set[str]:
    return set(
        work.session.scalars(
            select(PolicyVersion.area_code).where(
                PolicyVersion.key == "duties.begin_on", PolicyVersion.superseded_at.is_(None)
            )
        )
    )


def _insert_duties(work: Work, asked: Asked) -> int:
    columns = [
        "id",
        "person_id",
        "lane",
        "kind",
        "category",
        "village_code",
        "period_start",
        "due_on",
        "opens_at",
        "due_at",
        "required",
        "in_person",
        "due_soon_on",
        "exit_on",
        "done",
        "done_in_person",
        "attempts",
        "in_correction",
        "opened_at",
        "revision",
    ]
    owed = _insert(work)(Duty).from_select(columns, _owed(work, asked)).on_conflict_do_nothing()
    return rows_of(work.session, owed)


def _owed(work: Work, asked: Asked) -> Any:
    rule, period = asked.rule, asked.period
    facts: tuple[ColumnElement[object], ...] = (
        literal(period.start),
        literal(period.end),
        literal(first_second(period.start), Duty.opens_at.type),
        literal(last_second(period.end), Duty.due_at.type),
        literal(rule.required),
        literal(rule.in_person),
        literal(period.end - dt.timedelta(days=max(rule.alert_days, default=0))),
    )
    chosen: Any = (
        select(
            _new_uuid(work),
            Person.id,
            literal(lane_of(rule)),
            literal(DutyKind.ROUTINE, Duty.kind.type),
            Enrolment.category,
            Person.village_code,
            *facts,
            literal(None, Duty.exit_on.type),
            literal(0),
            literal(0),
            literal(0),
            literal(value=False),
            literal(work.now, Duty.opened_at.type),
            literal(1),
        )
        .join_from(Enrolment, Person, Person.id == Enrolment.person_id)
        .where(_reached(asked), _enrolled(asked))
        # In the order of the largest index: each of its pages is then written once.
        .order_by(Person.id)
    )
    if rule.tag is not None:
        chosen = chosen.where(_tagged(asked))
    return chosen


def _reached(asked: Asked) -> ColumnElement[bool]:
    """Select whom a rule means: where they live, their category and level, heads of households only where it says so."""
    parts: list[ColumnElement[bool]] = [or_(*_of_kinds(asked.kinds))]
    if asked.area_code:
        parts.append(inside(Person.village_code, asked.area_code))
    parts += [not_(inside(Person.village_code, area)) for area in asked.apart]
    if asked.rule.applies_to_head_only:
        parts.append(Person.is_head.is_(True))
    return and_(*parts)


def _of_kinds(kinds: Iterable[tuple[Category, CareLevel | None]]) -> Iterator[ColumnElement[bool]]:
    """Select categories with the levels that go with each, in words from which a planner can tell how many that is."""
    levels: dict[Category, set[CareLevel | None]] = defaultdict(set)
    for category, level in kinds:
        levels[category].add(level)
    for category, wanted in levels.items():
        chosen: list[ColumnElement[bool]] = []
        if None in wanted:
            chosen.append(Person.care_level.is_(None))
        if named := sorted(level for level in wanted if level is not None):
            chosen.append(Person.care_level.in_(named))
        is_any = len(wanted) == len(CareLevel) + 1
        yield Enrolment.category == category if is_any else and_(Enrolment.category == category, or_(*chosen))


def _enrolled(asked: Asked) -> ColumnElement[bool]:
    """Select who is enrolled to the end of the period and joined early enough; who leaves within it is settled singly."""
    period = asked.period
    until = max(period.start, join_until(asked.rule.unit, period, asked.rule.cutoff_day))
    return and_(
        Enrolment.superseded_at.is_(None),
        Enrolment.valid_from <= until,
        or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= period.end),
        or_(Person.died_on.is_(None), Person.died_on > period.end),
    )


def _tagged(asked: Asked) -> ColumnElement[bool]:
    return exists(
        select(PersonTag.id).where(
            PersonTag.person_id == Person.id,
            PersonTag.tag == asked.rule.tag,
            PersonTag.superseded_at.is_(None),
            PersonTag.valid_from <= join_until(asked.rule.unit, asked.period, asked.rule.cutoff_day),
            or_(PersonTag.valid_to.is_(None), PersonTag.valid_to >= asked.period.end),
        )
    )


def _new_uuid(work: Work) -> ColumnElement[Any]:
    """Give each row an id; those of one opening follow one another, so that they stand together in the index.

    PostgreSQL takes longer to draw a million ids by chance than to count them: they are counted from one that was drawn.
    """
    first = work.new_id()
    if work.session.get_bind().dialect.name == "postgresql":
        beginning, counted = str(first)[:-COUNTED], int(first.hex[-COUNTED:], 16) // 2
        place = func.row_number().over(order_by=Person.id) + counted
        return cast(literal(beginning).concat(func.lpad(func.to_hex(place), COUNTED, "0")), Uuid())
    beginning = first.hex[: UUID7_INSTANT - 2]
    by_chance = func.lower(func.hex(func.randomblob(10)))
    return literal(beginning).concat(func.substr(by_chance, 1, 32 - len(beginning)))


def _insert(work: Work):  # type: ignore[no-untyped-def]  # noqa: ANN202  (each dialect has an insert of its own)
    return insert_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_sqlite
