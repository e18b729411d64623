"""The clock: against the database's, against what was already recorded, and whether anything keeps it right."""

import ctypes
import datetime as dt
import errno
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from server.doctor.terms import Finding, Part, State
from server.ledger.models import Event
from server.tools import Tools

PART = Part.CLOCK
MOST_APART_S = 2.0
MOST_AHEAD = dt.timedelta(minutes=1)
TIMESYNC = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5
_TIMEX_BYTES = 512
_ADVICE = "用 timedatectl 查看；装好 systemd-timesyncd 或 chrony，指向可达的时间服务器，再重启服务。"


def examine_clock(
    engine: Engine, session: Session, tools: Tools, *, kept_right: Callable[[], bool | None] | None = None
) -> Iterator[Finding]:
    """Look at this machine's clock from every side that can be seen from here."""
    found = [*_against_the_database(engine, tools), *_against_the_ledger(session, tools)]
    right = (kept_right or is_kept_right)()
    if right is False:
        found.append(Finding(PART, State.WARNING, "系统时钟没有与时间服务器同步。", _ADVICE))
    elif right is None:
        found.append(Finding(PART, State.UNKNOWN, "看不到时间同步的状态。", "用 timedatectl 查看。"))
    yield from found or [Finding(PART, State.OK, "时钟准确，与时间服务器同步。")]


def _against_the_database(engine: Engine, tools: Tools) -> Iterator[Finding]:
    if engine.dialect.name != "postgresql":
        return  # SQLite reads this machine's own clock
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))  # so that connecting is not in what is measured
        before = tools.clock()
        theirs: dt.datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        after = tools.clock()
    apart = (theirs - (before + (after - before) / 2)).total_seconds()
    if abs(apart) > MOST_APART_S + (after - before).total_seconds() / 2:
        which = "慢" if apart > 0 else "快"
        yield Finding(PART, State.TROUBLE, f"本机时钟比数据库{which} {abs(apart):.0f} 秒。", _ADVICE)


def _against_the_ledger(session: Session, tools: Tools) -> Iterator[Finding]:
    newest = session.scalar(select(Event.at).where(Event.id == select(func.max(Event.id)).scalar_subquery()))
    if newest is not None and newest - tools.now() > MOST_AHEAD:
        ahead = round((newest - tools.now()).total_seconds() / 60)
        yield Finding(
            PART, State.TROUBLE, f"最近一条留痕记在 {ahead} 分钟之后：时钟往回跳过，或当时走快了。", _ADVICE
        )


def is_kept_right() -> bool | None:
    """Say whether the clock is synchronised with a time server; None when it cannot be known here."""
    if TIMESYNC.exists():
        return True
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    # `modes` stays 0: nothing is set, only asked.
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state < 0:
        return None if ctypes.get_errno() in {errno.EPERM, errno.ENOSYS} else False
    return bool(state != _TIME_ERROR)
