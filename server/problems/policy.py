"""The policy numbers about problems: how many days to put one right, to check an answer, and until it escalates."""

from server.ledger.work import Work
from server.policies.service import in_force
from server.problems.terms import Deadlines, Severity

DUE = {
    Severity.LOW: "problems.due_low",
    Severity.MEDIUM: "problems.due_medium",
    Severity.HIGH: "problems.due_high",
    Severity.URGENT: "problems.due_urgent",
}
ESCALATE = (
    "problems.escalate_first_after",
    "problems.escalate_second_after",
    "problems.escalate_third_after",
)


def deadlines(work: Work, area_code: str) -> Deadlines:
    """Read the days in force today for an area."""
    numbers = in_force(work)
    return Deadlines(
        {severity: int(numbers.on(key, work.today, area_code)) for severity, key in DUE.items()},
        int(numbers.on("problems.check_within", work.today, area_code)),
    )


def escalation_steps(work: Work, area_code: str) -> tuple[int, ...]:
    """Read after how many days overdue each level of escalation is reached."""
    numbers = in_force(work)
    return tuple(int(numbers.on(key, work.today, area_code)) for key in ESCALATE)
