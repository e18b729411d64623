"""What came of a plan: counts by result, and how often answers differ by question; never by worker.

Small samples say little: every rate comes with the number compared and the 95 % interval round it. The sample that
chance drew and what is always included are counted apart, because only the first speaks for the whole.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, cast, func, select

from server.ledger.work import Work
from server.spotchecks.comparing import KINDS, interval
from server.spotchecks.models import AnswerCompared, BackCheck, SpotCheck
from server.spotchecks.planning import plan_in_sight
from server.spotchecks.rectification_models import Rectification
from server.spotchecks.terms import (
    QuestionKind,
    Recall,
    RectificationState,
    SpotCheckResult,
    SpotCheckState,
    StratumBy,
    WhyDrawn,
)
from server.visits.answers import QUESTIONS

PLACES = 4  # of a share


class _Rate(NamedTuple):
    compared: int
    differing: int


def summary(work: Work, plan_id: UUID, by: StratumBy | None = None) -> dict[str, Any]:
    """Sum up a plan as it stands: states, results, recall, rectifications, discrepancy rates; parted by village or category."""
    plan = plan_in_sight(work, plan_id, whole=True)
    work.looked("spot_check.summary_read", "spot_check_plan", plan.id)
    return {
        "plan_id": plan.id,
        "state": plan.state,
        "frame_size": plan.frame_size,
        "drawn": plan.drawn_count,
        **_counts(work, plan.id),
        "recall": _grouped(
            work,
            select(BackCheck.recall, func.count()).join(SpotCheck).where(BackCheck.reached),
            plan.id,
            Recall,
        ),
        "rectifications": _rectifications(work, plan.id),
        "kinds": _by_kind(work, plan.id),
        "questions": _by_question(work, plan.id),
        "parts": _parts(work, plan.id, by) if by else [],
    }


def _counts(work: Work, plan_id: UUID) -> dict[str, Any]:
    states: Counter[SpotCheckState] = Counter()
    results: dict[bool, Counter[SpotCheckResult]] = {True: Counter(), False: Counter()}
    sizes: Counter[bool] = Counter()
    rows = work.session.execute(
        select(SpotCheck.why, SpotCheck.state, SpotCheck.result, func.count())
        .where(SpotCheck.plan_id == plan_id)
        .group_by(SpotCheck.why, SpotCheck.state, SpotCheck.result)
    )
    for why, state, result, count in rows:
        states[state] += count
        sizes[why is not WhyDrawn.ALWAYS] += count
        if result is not None:
            results[why is not WhyDrawn.ALWAYS][result] += count
    return {
        "states": {state.value: states[state] for state in SpotCheckState},
        "by_chance": {"drawn": sizes[True], **_written(results[True])},
        "always_included": {"drawn": sizes[False], **_written(results[False])},
    }


def _written(counts: Counter[SpotCheckResult]) -> dict[str, int]:
    return {result.value: counts[result] for result in SpotCheckResult}


def _grouped(work: Work, wanted: Any, plan_id: UUID, vocabulary: Any) -> dict[str, int]:
    counts = dict(
        work.session.execute(wanted.where(SpotCheck.plan_id == plan_id).group_by(BackCheck.recall)).all()
    )
    return {word.value: counts.get(word, 0) for word in vocabulary}


def _rectifications(work: Work, plan_id: UUID) -> dict[str, int]:
    counts = dict(
        work.session.execute(
            select(Rectification.state, func.count())
            .join(SpotCheck, SpotCheck.id == Rectification.check_id)
            .where(SpotCheck.plan_id == plan_id)
            .group_by(Rectification.state)
        ).all()
    )
    return {state.value: counts.get(state, 0) for state in RectificationState}


def _rates(work: Work, plan_id: UUID) -> dict[str, _Rate]:
    rows = work.session.execute(
        select(AnswerCompared.question, func.count(), func.sum(cast(AnswerCompared.differs, Integer)))
        .where(AnswerCompared.plan_id == plan_id)
        .group_by(AnswerCompared.question)
    )
    return {question: _Rate(compared, int(differing)) for question, compared, differing in rows}


def _by_question(work: Work, plan_id: UUID) -> list[dict[str, Any]]:
    rates = _rates(work, plan_id)
    return [
        {"question": name, "label": QUESTIONS[name].label, "kind": KINDS[name], **_told(rates[name])}
        for name in QUESTIONS
        if name in rates
    ]


def _by_kind(work: Work, plan_id: UUID) -> list[dict[str, Any]]:
    kinds: dict[QuestionKind, list[_Rate]] = defaultdict(list)
    for name, rate in _rates(work, plan_id).items():
        kinds[KINDS[name]].append(rate)
    return [{"kind": kind, **_told(_sum(kinds[kind]))} for kind in QuestionKind]


def _sum(rates: Iterable[_Rate]) -> _Rate:
    together = list(rates)
    return _Rate(sum(one.compared for one in together), sum(one.differing for one in together))


def _told(rate: _Rate) -> dict[str, Any]:
    span = interval(rate.differing, rate.compared)
    return {
        "compared": rate.compared,
        "differing": rate.differing,
        "share": round(rate.differing / rate.compared, PLACES) if rate.compared else None,
        "low": round(span.low, PLACES) if span else None,
        "high": round(span.high, PLACES) if span else None,
    }


def _parts(work: Work, plan_id: UUID, by: StratumBy) -> list[dict[str, Any]]:
    """Count by village or by category. By visitor nobody is counted: that would be a ranking."""
    column = SpotCheck.village_code if by is StratumBy.VILLAGE else SpotCheck.category
    found: dict[str, Counter[SpotCheckResult]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    rows = work.session.execute(
        select(column, SpotCheck.result, func.count())
        .where(SpotCheck.plan_id == plan_id)
        .group_by(column, SpotCheck.result)
        .order_by(column)
    )
    for part, result, count in rows:
        sizes[part] += count
        if result is not None:
            found[part][result] += count
    return [{"part": part, "drawn": size, **_written(found[part])} for part, size in sizes.items()]
