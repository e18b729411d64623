"""The words of reviewing."""

from dataclasses import dataclass

from server.terms import Term


class Decision(Term):
    """What is decided on a visit record (审核结论)."""

    ACCEPT = "accept", "通过", "CONTRACT §6"
    RETURN = "return", "退回更正", "CONTRACT §6"
    VOID = "void", "作废", "CONTRACT §6"
    WITHDRAW = "withdraw", "撤回", "CONTRACT §6"


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision on the revision that the decider saw."""

    decision: Decision
    revision: int
    reason: str | None = None
