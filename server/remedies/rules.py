"""Who may take which step about a problem."""

from enum import StrEnum

from server.errors import Invalid, NotAllowed
from server.problems import states
from server.problems.terms import NewStep, ProblemStep


class Part(StrEnum):
    """What the step's taker has to do with the problem."""

    FIXER = "fixer"  # says that it is put right, or recorded the visit that shows it
    OTHER = "other"


class OwnRemedy(NotAllowed):
    """Whoever put a problem right does not check it; somebody else looks and closes it."""

    title = "不能核查自己的整改"
    detail = "不能关闭或退回自己整改的问题，请由其他审核人员核查。"


def may_step(step: ProblemStep, part: Part, *, checks: bool) -> None:
    """Refuse a step that is not this worker's to take; `checks` says whether their role checks what others fixed."""
    if step in states.BY_THE_HOUSE:
        raise Invalid(errors={"step": ["这一步由系统自动记录，不能手动提交。"]})
    if step in states.BY_CHECKERS and not checks:
        raise NotAllowed
    if step in {ProblemStep.CLOSE, ProblemStep.REOPEN} and part is Part.FIXER:
        raise OwnRemedy


def check(new: NewStep) -> str:
    """Refuse a step that does not say what it must; gives its note, trimmed."""
    note = (new.note or "").strip()
    errors: dict[str, list[str]] = {}
    if new.step in states.NEEDS_NOTE and not note:
        errors["note"] = ["请写明整改情况或原因。"]
    if new.step is not ProblemStep.ANSWER and (new.visit_id is not None or new.photo_ids):
        errors["photo_ids" if new.photo_ids else "visit_id"] = ["只有提交整改情况时才附佐证。"]
    if (new.step is ProblemStep.ASSIGN) is not (new.worker_id is not None):
        errors["worker_id"] = ["转交时须选择人员，其他步骤不填。"]
    if errors:
        raise Invalid(errors=errors)
    return note
