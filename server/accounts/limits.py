"""How often something may be tried in a window of time, counted in the database so that every process counts alike."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from server.accounts.models import AttemptCount
from server.db import rows_of
from server.errors import TooMany


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries in `window`."""

    name: str
    most: int
    window: dt.timedelta


FAILED_SIGN_INS_OF_ACCOUNT = Limit("account", 10, dt.timedelta(minutes=15))
FAILED_SIGN_INS_OF_ADDRESS = Limit("address", 60, dt.timedelta(minutes=15))


def refuse_too_many(session: Session, limit: Limit, key: str, now: dt.datetime) -> None:
    """Refuse when the window's tries are used up; says in how many seconds the next window begins."""
    count = session.scalar(
        select(AttemptCount.count).where(
            AttemptCount.key_digest == _digest(limit, key), AttemptCount.window_start == _window(limit, now)
        )
    )
    if count is not None and count >= limit.most:
        raise _too_many(limit, now)


def count_try(session: Session, limit: Limit, key: str, now: dt.datetime) -> int:
    """Count one try, and say the how manieth of its window it is; safe when many processes count at once."""
    dialect = session.get_bind().dialect.name
    insert = insert_postgresql if dialect == "postgresql" else insert_sqlite
    counted = (
        insert(AttemptCount)
        .values(key_digest=_digest(limit, key), window_start=_window(limit, now), count=1)
        .on_conflict_do_update(
            index_elements=["key_digest", "window_start"], set_={"count": AttemptCount.count + 1}
        )
        .returning(AttemptCount.count)
    )
    return session.execute(counted).scalar_one()


def take_try(session: Session, limit: Limit, key: str, now: dt.datetime) -> None:
    """Count one try before it is made, and refuse one too many, whose own count is taken back with its transaction.

    The row's lock lets one in after the other, so that trying all at once gives no more tries than trying in turn.
    """
    if count_try(session, limit, key, now) > limit.most:
        raise _too_many(limit, now)


def give_back(session: Session, limit: Limit, key: str, at: dt.datetime) -> None:
    """Take back a try that was counted at an instant, as it was none: it succeeded, or could not be made."""
    session.execute(
        update(AttemptCount)
        .where(
            AttemptCount.key_digest == _digest(limit, key),
            AttemptCount.window_start == _window(limit, at),
            AttemptCount.count > 0,
        )
        .values(count=AttemptCount.count - 1)
    )


def forget_old(session: Session, now: dt.datetime) -> int:
    """Delete the counts of windows that ended a day ago; returns how many."""
    return rows_of(
        session, delete(AttemptCount).where(AttemptCount.window_start < now - dt.timedelta(days=1))
    )


def _too_many(limit: Limit, now: dt.datetime) -> TooMany:
    wait = _window(limit, now) + limit.window - now
    return TooMany("尝试次数过多，请稍后再试。", retry_after=max(1, int(wait.total_seconds())))


def _window(limit: Limit, now: dt.datetime) -> dt.datetime:
    seconds = int(limit.window.total_seconds())
    return dt.datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=dt.UTC)


def _digest(limit: Limit, key: str) -> bytes:
    return hashlib.sha256(f"{limit.name}\x00{key}".encode()).digest()
