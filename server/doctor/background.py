"""Background work: whether duties are opened, the ledger is sealed and old counts are forgotten."""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import AttemptCount
from server.doctor.terms import Finding, Part, State, plain_age
from server.ledger import checkpoints
from server.ledger.models import Event, Pending
from server.policies.service import begin_on
from server.schedule.models import OpenedPeriod
from server.schedule.periods import period_of
from server.schedule.queries import opened, rule_versions
from server.tools import SHANGHAI, Tools, business_day

PART = Part.BACKGROUND
OLDEST_CHECKPOINT = dt.timedelta(days=2)
LONGEST_UNSEALED = dt.timedelta(minutes=1)
OPENED_BY = dt.time(1, 0)
OLDEST_COUNT = dt.timedelta(days=3)


def examine_background(session: Session, tools: Tools) -> Iterator[Finding]:
    """Look at the traces that each kind of background work leaves."""
    yield from _duties(session, tools)
    yield from _ledger(session, tools)
    yield from _checkpoints(session, tools)
    oldest = session.scalar(select(func.min(AttemptCount.window_start)))
    if oldest is not None and tools.now() - oldest > OLDEST_COUNT:
        yield Finding(
            PART,
            State.WARNING,
            "登录次数的旧计数没有清理，定时任务可能没有运行。",
            "systemctl list-timers 'visits-*'",
        )


def _duties(session: Session, tools: Tools) -> Iterator[Finding]:
    units = {rule.unit for _, rule in rule_versions(session)}
    if not units:
        yield Finding(
            PART, State.TROUBLE, "还没有走访规定。", "flask db seed --begin-on 首个考核期的第一天。"
        )
        return
    today = business_day(tools.now())
    last = session.scalar(select(func.max(OpenedPeriod.opened_at)))
    since = f"上次打开在 {last.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if last else "从未打开过"
    first, there = begin_on(session, today), opened(session)
    late = [unit for unit in units if (str(unit), period_of(unit, today).start) not in there]
    if first > today:
        yield Finding(PART, State.OK, f"走访任务自 {first} 起计算，尚未开始。")
    elif late and tools.now().astimezone(SHANGHAI).time() >= OPENED_BY:
        yield Finding(
            PART,
            State.TROUBLE,
            f"本期的走访任务没有打开，{since}。",
            "flask duties open，再看 systemctl status visits-duties-open.timer。",
        )
    else:
        yield Finding(PART, State.OK, f"走访任务已打开，{since}。")


def _ledger(session: Session, tools: Tools) -> Iterator[Finding]:
    waiting, oldest = session.execute(
        select(func.count(), func.min(Event.at))
        .select_from(Pending)
        .join(Event, Event.id == Pending.event_id)
    ).one()
    age = tools.now() - oldest if oldest is not None else dt.timedelta()
    if age > LONGEST_UNSEALED:
        yield Finding(
            PART,
            State.TROUBLE,
            f"留痕有 {waiting} 条等待编号，最早的已等了 {plain_age(age)}：编号服务没有运行。",
            "systemctl status visits-ledger-seal；flask ledger seal 可手工补上。",
        )
    else:
        yield Finding(PART, State.OK, f"留痕编号跟得上，{waiting} 条等待。")


def _checkpoints(session: Session, tools: Tools) -> Iterator[Finding]:
    last = checkpoints.latest(session)
    if last is None:
        yield Finding(
            PART,
            State.WARNING,
            "留痕还没有签过检查点，不能离线核验，也不能出具回执。",
            "见 docs/operations.md §9：flask ledger keygen，再启用 visits-ledger-checkpoint.timer。",
        )
    elif (age := tools.now() - last.signed_at) > OLDEST_CHECKPOINT:
        yield Finding(
            PART,
            State.TROUBLE,
            f"留痕已有 {plain_age(age)}没有签检查点：定时任务没有运行，或留痕与以前的检查点接不上。",
            "journalctl -u visits-ledger-checkpoint；flask ledger checkpoint 会说明原因。",
        )
    else:
        yield Finding(PART, State.OK, f"留痕检查点第 {last.number} 号，{last.size} 条。")
