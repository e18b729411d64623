"""Problems found on visits: raised with the visit, raised anew when it is corrected, withdrawn with it."""

import datetime as dt
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from server.ledger.work import Work
from server.people.terms import Living
from server.problems.models import Problem
from server.problems.terms import ProblemState, Severity
from server.vault.fields import DataKey


class Found(Protocol):
    """A problem as a visit found it; `restricted` for what only reviewers may see."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def description(self) -> str | None: ...
    @property
    def fixed_on_site(self) -> bool: ...
    @property
    def restricted(self) -> bool: ...


def raise_problems(
    work: Work,
    visit_id: UUID,
    revision: int,
    person: Living,
    key: DataKey | None,
    found: Iterable[Found],
    found_at: dt.datetime,
) -> None:
    """Raise what a visit's revision found; what an earlier revision raised is withdrawn."""
    if revision > 1:
        withdraw_of_visit(work, visit_id)
    for one in found:
        problem_id = work.new_id()
        sealed = None
        if one.description and key is not None:
            sealed = key.seal(one.description, table="problems", column="description_sealed", row=problem_id)
        work.session.add(
            Problem(
                id=problem_id,
                person_id=person.id,
                visit_id=visit_id,
                visit_revision=revision,
                village_code=person.village_code,
                code=one.code,
                severity=one.severity,
                description_sealed=sealed,
                fixed_on_site=one.fixed_on_site,
                restricted=one.restricted,
                state=ProblemState.FIXED if one.fixed_on_site else ProblemState.OPEN,
                found_at=found_at,
                raised_at=work.now,
            )
        )
        work.tell(
            "problem.raised",
            "problem",
            problem_id,
            person_id=person.id,
            payload={"visit": visit_id, "code": one.code, "severity": one.severity},
        )


def withdraw_of_visit(work: Work, visit_id: UUID) -> None:
    """Withdraw what is still open of a visit's problems: it was corrected, withdrawn or voided."""
    open_ones = work.session.scalars(
        select(Problem).where(Problem.visit_id == visit_id, Problem.state != ProblemState.WITHDRAWN)
    )
    for problem in open_ones:
        problem.state = ProblemState.WITHDRAWN
        problem.closed_at = work.now
        work.tell("problem.withdrawn", "problem", problem.id, person_id=problem.person_id)
