"""Taking steps about a problem: begun, answered with evidence, checked by somebody else, closed or sent back."""

from uuid import UUID

from sqlalchemy import select

from server.accounts.models import RoleGrant, Worker
from server.accounts.signed_in import stay_in_post
from server.errors import Invalid, StaleRevision
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import visible_to
from server.permissions import Actor, Can
from server.photos.models import Photo
from server.problems import states
from server.problems.models import Problem, StepTaken
from server.problems.policy import deadlines
from server.problems.terms import NewStep, OwnerKind, ProblemStep
from server.remedies.finding import see_problem
from server.remedies.rules import Part, check, may_step
from server.tools import SHANGHAI
from server.vault.fields import DataKey
from server.visits.models import Visit


def take_step(work: Work, problem_id: UUID, new: NewStep) -> Problem:
    """Take a step on the revision that its taker saw; the same step by the same worker again changes nothing."""
    stay_in_post(work)
    note = check(new)
    problem, key = see_problem(work, problem_id, to_change=True)
    checks = work.actor.may(Can.CHECK_PROBLEMS)
    may_step(new.step, Part.OTHER, checks=checks)
    if new.revision != problem.revision:
        last = work.session.get(StepTaken, (problem.id, problem.revision))
        if last is not None and _is_repeat(work, last, new, note, key):
            work.looked("problem.step_repeated", "problem", problem.id, person_id=problem.person_id)
            return problem
        raise _somebody_was_faster(work, problem, last)
    following = states.after(problem.state, new.step)
    may_step(new.step, _part(work, problem), checks=checks)
    _check_evidence(work, problem, new)
    before = problem.state
    problem.put(following, work.now)
    _write(work, problem, new)
    step_id = work.new_id()
    work.session.add(
        StepTaken(
            problem_id=problem.id,
            revision=problem.revision,
            id=step_id,
            person_id=problem.person_id,
            step=new.step,
            state=following,
            due_on=problem.due_on,
            note_sealed=key.seal(note, table="problem_steps", column="note_sealed", row=step_id)
            if note and key
            else None,
            visit_id=new.visit_id,
            photo_ids=[str(one) for one in new.photo_ids],
            worker_id=new.worker_id,
            taken_by=work.actor.worker_id,
            taken_at=work.now,
        )
    )
    work.tell(
        f"problem.{new.step}",
        "problem",
        problem.id,
        person_id=problem.person_id,
        key=key,
        payload={
            "from": before,
            "to": following,
            "revision": problem.revision,
            "due_on": problem.due_on,
            "note": note,
            "visit": new.visit_id,
            "photos": list(new.photo_ids),
            "worker": new.worker_id,
        },
    )
    return problem


def _write(work: Work, problem: Problem, new: NewStep) -> None:
    """Let the problem's own row follow from the step: in whose hand it is now, and until when."""
    days = deadlines(work, problem.village_code)
    if new.step is ProblemStep.ANSWER:
        problem.fixed_by, problem.checked_by = work.actor.worker_id, None
        problem.due_on = days.to_check(work.today)
    elif new.step is ProblemStep.REOPEN:
        problem.checked_by = work.actor.worker_id
        problem.due_on = days.first(problem.severity, work.today)
    elif new.step is ProblemStep.CLOSE:
        problem.checked_by = work.actor.worker_id
    elif new.step is ProblemStep.ASSIGN:
        problem.owner_kind, problem.owner_id = OwnerKind.NAMED, new.worker_id


def _part(work: Work, problem: Problem) -> Part:
    """Say whether the actor put the problem right: says so, or recorded or was on the visit that is to show it."""
    me = work.actor.worker_id
    if problem.fixed_by == me:
        return Part.FIXER
    shows = work.session.scalar(
        select(StepTaken.visit_id)
        .where(StepTaken.problem_id == problem.id, StepTaken.step == ProblemStep.ANSWER)
        .order_by(StepTaken.revision.desc())
        .limit(1)
    )
    if shows is None and problem.fixed_on_site:
        shows = problem.visit_id
    visit = work.session.get(Visit, shows) if shows else None
    if visit is None:
        return Part.OTHER
    there = {visit.recorder_id, visit.recorded_for_id, *map(UUID, visit.open_body.get("visitors", ()))}
    return Part.FIXER if me in there else Part.OTHER


def _check_evidence(work: Work, problem: Problem, new: NewStep) -> None:
    """Refuse evidence that is not about this person, or that is older than the problem; and an owner out of post."""
    errors: dict[str, list[str]] = {}
    if new.visit_id is not None:
        visit = work.session.get(Visit, new.visit_id)
        if visit is None or visit.person_id != problem.person_id or visit.out_of_count_at is not None:
            errors["visit_id"] = ["没有这位救助对象的这次走访。"]
        elif visit.occurred_at < problem.found_at:
            errors["visit_id"] = ["这次走访早于问题发现的时间，不能作为整改佐证。"]
    if new.photo_ids:
        arrived = set(
            work.session.scalars(
                select(Photo.id).where(
                    Photo.id.in_(new.photo_ids),
                    Photo.person_id == problem.person_id,
                    Photo.blob_key.is_not(None),
                )
            )
        )
        if arrived != set(new.photo_ids):
            errors["photo_ids"] = ["有照片不属于这位救助对象，或尚未上传完成。"]
    if new.worker_id is not None and not _may_own(work, problem, new.worker_id):
        errors["worker_id"] = ["此人不在岗，或看不到这位救助对象，请重新选择。"]
    if errors:
        raise Invalid(errors=errors)


def _may_own(work: Work, problem: Problem, worker_id: UUID) -> bool:
    """Say whether somebody is in post, handles problems, and sees this one."""
    row = work.session.execute(
        select(Worker.id, Worker.name, RoleGrant.role, RoleGrant.area_code)
        .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
        .where(Worker.id == worker_id, Worker.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return False
    owner = Actor(row.id, row.role, row.area_code, row.name)
    if not owner.may(Can.HANDLE_PROBLEMS) or (problem.restricted and not owner.may(Can.SEE_RESTRICTED)):
        return False
    seen = select(Person.id).where(Person.id == problem.person_id, visible_to(owner))
    return work.session.scalar(seen) is not None


def _is_repeat(work: Work, last: StepTaken, new: NewStep, note: str, key: DataKey | None) -> bool:
    said = ""
    if last.note_sealed is not None and key is not None:
        said = key.open(last.note_sealed, table="problem_steps", column="note_sealed", row=last.id)
    there = (last.taken_by, last.revision - 1, last.step, said, last.visit_id, last.worker_id)
    asked = (work.actor.worker_id, new.revision, new.step, note, new.visit_id, new.worker_id)
    return there == asked and last.photo_ids == [str(one) for one in new.photo_ids]


def _somebody_was_faster(work: Work, problem: Problem, last: StepTaken | None) -> StaleRevision:
    """Refuse, and tell who did what and when, as far as a step tells it."""
    if last is None:
        return StaleRevision(extra={"revision": problem.revision})
    when = last.taken_at.astimezone(SHANGHAI)
    name = work.session.scalar(select(Worker.name).where(Worker.id == last.taken_by)) or "系统"
    return StaleRevision(
        f"{name}已于{when:%m月%d日%H:%M}{last.step.label}，请刷新后再看。",
        extra={
            "revision": problem.revision,
            "changed": {
                "by": {"id": str(last.taken_by) if last.taken_by else None, "name": name},
                "what": last.step.value,
                "at": when.isoformat(timespec="seconds"),
            },
        },
    )
