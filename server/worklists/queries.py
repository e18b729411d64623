"""What the overdue board reads: one page, and counts by village, each a statement that is made once.

Every page walks along an index of unmet duties that has its order: of everybody, of a township. The counts read the
month's duties once and older ones by the indexes of what is unmet and of what was missed.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    join,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from server.accounts.models import Worker
from server.db import UtcInstant, Word
from server.http import paging
from server.nested import among
from server.people.dwelling import lived, living_in
from server.people.models import Dwelling, Pause, Responsibility
from server.people.terms import Category, ResponsibilityKind
from server.prepared import Prepared
from server.regions.queries import TOWNSHIP_DIGITS, inside_shortest
from server.schedule.models import Duty

_DAY = bindparam("day", type_=Date())
_ON_DAY = cast("dt.date", _DAY)
_FIRST = bindparam("first", type_=Date())
_CATEGORY = bindparam("category", type_=Word(Category))
_WORKER = bindparam("worker_id", type_=Uuid())
COUNTS = ("due", "met", "met_late", "attempted_only", "overdue", "missed")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page or a count is asked for, less the values; each combination has its own statement.

    `area` is the narrower of what the reader may see and what they ask for; None is a visitor's own people.
    """

    area: str | None
    village: str | None = None
    lived_in: str | None = None
    """Where people lived on the day: of a past one, who is looked for and where they are counted is the past's."""
    past: bool = False
    after: bool = False
    limit: int = paging.DEFAULT_LIMIT + 1


@lru_cache(maxsize=1024)
def prepared(words: Callable[[Asked], Select[*tuple[Any, ...]]], asked: Asked) -> Prepared:
    """Give one of the reads below, made once for each way of asking.

    How many are overdue in a township decides how to find them: nearly all at a month's beginning, hardly any at its end.
    """
    return Prepared(words(asked), for_its_values=True)


def overdue_page(asked: Asked) -> Select[*tuple[Any, ...]]:
    """Select one page of the people overdue at the end of `:day`, each with the oldest overdue duty."""
    duty, older = _duties(), _duties("older")
    conditions = [_in_sight(duty, asked), duty.c.category == _CATEGORY, _overdue(duty, past=asked.past)]
    if asked.village is not None:
        conditions.append(inside_shortest(duty.c.village_code, asked.village))
    if asked.lived_in is not None:
        conditions.append(duty.c.person_id.in_(living_in(asked.lived_in, _ON_DAY)))
    columns = (duty.c.person_id, duty.c.due_on, duty.c.attempts, duty.c.id)
    rows: Table | CTE = duty
    if asked.area is None:
        # Materialised: else a planner that hopes for an early end of the ordered list would walk through everybody.
        rows = select(*columns, duty.c.category).where(*conditions).cte("own").prefix_with("MATERIALIZED")
        conditions = []
    oldest = ~exists(
        select(older.c.id).where(
            older.c.person_id == rows.c.person_id,
            older.c.category == _CATEGORY,
            tuple_(older.c.due_on, older.c.id) < tuple_(rows.c.due_on, rows.c.id),
            _overdue(older, past=asked.past),
        )
    )
    if asked.after:
        last = tuple_(bindparam("last_on", type_=Date()), bindparam("last_id", type_=Uuid()))
        conditions.append(tuple_(rows.c.due_on, rows.c.person_id) > last)
    return (
        select(rows.c.person_id, rows.c.due_on, rows.c.attempts)
        .where(*conditions, oldest)
        .order_by(rows.c.due_on, rows.c.person_id)
        # Written into the statement: a plan for an unknown limit is a plan for far too many rows.
        .limit(literal_column(str(asked.limit), Integer()))
    )


def counts_by_village(asked: Asked) -> Select[*tuple[Any, ...]]:
    """Count duties by village (`COUNTS`), as of `:day` in the month that begins on `:first`.

    Counted are the duties whose window touches the month up to `:day`, those overdue on `:day` (a visit may have closed
    them since), and those missed by a visit within the month. A village may come in several rows.
    """
    duty = _counted_duties(asked)
    mine = [duty.c.category == _CATEGORY]
    if asked.area is not None:
        mine.append(inside_shortest(duty.c.village_code, asked.area))
    older = (*mine, duty.c.due_on < _FIRST, duty.c.met_on.is_(None))
    parts = [
        (_of_the_month(duty), (*mine, duty.c.period_start <= _DAY, duty.c.due_on >= _FIRST)),
        (_unmet_before(duty), (*older, duty.c.closed_on.is_(None))),
        (_missed_lately(duty), (*older, duty.c.closed_on >= _FIRST)),
    ]
    every = union_all(*[_counted(duty, asked, counts, conditions) for counts, conditions in parts]).subquery()
    return select(every)


def paused_by_village(asked: Asked) -> Select[str, int]:
    """Count the duties of the month that wait, and rest because their person is away on `:day`; pauses are few."""
    duty, pause = _duties(), cast("Table", Pause.__table__)
    away = (
        select(pause.c.person_id)
        .where(pause.c.superseded_at.is_(None), pause.c.from_on <= _DAY, pause.c.to_on >= _DAY)
        .distinct()
        .cte("away")
        .prefix_with("MATERIALIZED")
    )
    waiting = and_(
        or_(duty.c.met_on.is_(None), duty.c.met_on > _DAY),
        ~and_(duty.c.met_on.is_(None), duty.c.closed_on.is_not(None), duty.c.closed_on <= _DAY),
        or_(duty.c.exit_on.is_(None), duty.c.exit_on > _DAY),
        duty.c.due_on >= _DAY,
    )
    village, rows = _where_they_lived(duty, asked)
    return (
        select(village, func.count().label("duties"))
        .select_from(rows)
        .where(
            duty.c.person_id.in_(select(away.c.person_id)),
            _in_sight(duty, asked),
            duty.c.category == _CATEGORY,
            duty.c.period_start <= _DAY,
            duty.c.due_on >= _FIRST,
            waiting,
        )
        .group_by(village)
    )


def _duties(name: str = "d") -> Table:
    return cast("Table", cast("Table", Duty.__table__).alias(name))


def _in_sight(duty: Table, asked: Asked) -> ColumnElement[bool]:
    if asked.area is not None:
        within = inside_shortest(duty.c.village_code, asked.area)
        # A village is found by the index of its township: one of its own would have to be kept up by every duty.
        return and_(inside_shortest(duty.c.village_code, asked.area[:TOWNSHIP_DIGITS]), within)
    theirs = select(Responsibility.person_id).where(
        Responsibility.worker_id == _WORKER, Responsibility.to_at.is_(None)
    )
    return duty.c.person_id.in_(theirs)


def _overdue(duty: Table, *, past: bool) -> ColumnElement[bool]:
    """Write `rules.overdue_on` as SQL; of today it is the same rows, by the index of unmet duties."""
    unclosed = duty.c.closed_on.is_(None)
    return and_(
        duty.c.due_on < _DAY,
        duty.c.met_on.is_(None),
        or_(unclosed, duty.c.closed_on > _DAY) if past else unclosed,
        or_(duty.c.exit_on.is_(None), duty.c.exit_on > _DAY),
    )


def _counted_duties(asked: Asked) -> Any:
    """Give the duties to count: the table, or of a visitor the few of their people, read once."""
    duty = _duties()
    if asked.area is not None:
        return duty
    return select(*duty.c).where(_in_sight(duty, asked)).cte("own").prefix_with("MATERIALIZED")


def _counted(
    duty: Any,
    asked: Asked,
    counts: Mapping[str, ColumnElement[bool]],
    conditions: Iterable[ColumnElement[bool]],
) -> Select[*tuple[Any, ...]]:
    none = literal_column("0", Integer())
    columns = [(func.count().filter(counts[name]) if name in counts else none).label(name) for name in COUNTS]
    village, rows = _where_they_lived(duty, asked)
    return select(village, *columns).select_from(rows).where(*conditions).group_by(village)


def _where_they_lived(duty: Any, asked: Asked) -> tuple[Any, Any]:
    """Give the village that a duty counts in, and the rows to count: of a past day the village of then."""
    if not asked.past:
        return duty.c.village_code, duty
    then = and_(Dwelling.person_id == duty.c.person_id, lived(_ON_DAY))
    return Dwelling.village_code, join(duty, Dwelling, then)


def _of_the_month(duty: Any) -> Mapping[str, ColumnElement[bool]]:
    met = duty.c.met_on <= _DAY
    unmet = or_(duty.c.met_on.is_(None), duty.c.met_on > _DAY)
    # Who left the category before the duty fell due, unmet, owed nothing.
    stays = or_(duty.c.exit_on.is_(None), duty.c.exit_on > _DAY, duty.c.exit_on > duty.c.due_on)
    return {
        "due": or_(met, stays),
        "met": and_(met, duty.c.met_received_at <= duty.c.due_at),
        "met_late": and_(met, duty.c.met_received_at > duty.c.due_at),
        "attempted_only": and_(duty.c.attempts > 0, unmet, stays),
        "overdue": _overdue(duty, past=True),
        "missed": and_(
            duty.c.due_on < _DAY,
            duty.c.met_on.is_(None),
            or_(duty.c.exit_on.is_(None), duty.c.exit_on > duty.c.due_on),
            or_(duty.c.closed_on <= _DAY, duty.c.exit_on <= _DAY),
        ),
    }


def _unmet_before(duty: Any) -> Mapping[str, ColumnElement[bool]]:
    """Count what fell due before the month and is neither met nor closed: these columns are all in its index."""
    return {
        "overdue": or_(duty.c.exit_on.is_(None), duty.c.exit_on > _DAY),
        "missed": and_(duty.c.exit_on <= _DAY, duty.c.exit_on > duty.c.due_on),
    }


def _missed_lately(duty: Any) -> Mapping[str, ColumnElement[bool]]:
    """Count what fell due before the month and was closed by a visit in it, or since: these too are in its index."""
    return {
        "overdue": and_(duty.c.closed_on > _DAY, or_(duty.c.exit_on.is_(None), duty.c.exit_on > _DAY)),
        "missed": and_(
            or_(duty.c.exit_on.is_(None), duty.c.exit_on > duty.c.due_on),
            or_(duty.c.closed_on <= _DAY, duty.c.exit_on <= _DAY),
        ),
    }


RESPONSIBLE_AT = Prepared(
    select(Responsibility.person_id, Responsibility.worker_id, Worker.name)
    .join(Worker, Worker.id == Responsibility.worker_id)
    .where(
        among(Responsibility.person_id, "people"),
        Responsibility.kind == ResponsibilityKind.RESPONSIBLE,
        Responsibility.from_at <= bindparam("at", type_=UtcInstant()),
        or_(Responsibility.to_at.is_(None), Responsibility.to_at > bindparam("at", type_=UtcInstant())),
    )
)
"""Who was responsible for each of `:people` at `:at`."""
