"""What a visit record must hold (DOMAIN §3, CONTRACT §4), and what follows from it.

`check` gathers everything that is wrong into one refusal, so that a phone asks its user once. The requirements of
the whole record are the table in `server.visits.conditions`, those of single rows and answers are here.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

from server.errors import Invalid
from server.people.terms import Category
from server.photos.terms import PhotoKind
from server.problems.terms import Severity
from server.tools import business_day
from server.visits.answers import NOT_ASKED, QUESTIONS, REQUIRED, AnswerKind, Asked
from server.visits.body import (
    body,
    differing_fields,
    fingerprint,
    from_body,
    join,
    read_private,
    split,
    write_private,
)
from server.visits.conditions import CONDITIONS, Case, FormPolicy
from server.visits.form import RaisedProblem, VisitRecord
from server.visits.terms import (
    ATTEMPTS,
    COUNTING,
    FACE_TO_FACE,
    IN_PERSON_METHODS,
    DerivedProblem,
    Outcome,
    SigningManner,
)

HAZARDOUS = frozenset({Severity.HIGH, Severity.URGENT})
"""Severities of a hazard, which is shown by a photo or explained."""

VOUCHED_BY_PLACE = frozenset({Outcome.HOSPITAL, Outcome.IN_INSTITUTION})
"""Outcomes in which somebody sees the person daily, if an informant says so."""


class VisitInTheFuture(Invalid):
    """The visit lies further in the future than a phone's clock may be off.

    `occurred_at` may be up to ten minutes ahead of the server (policy `visits.future_tolerance`), and any time in the
    past. Other fields that are wrong are named as well.
    """

    title = "走访时间在未来"
    detail = "走访时间晚于现在，请检查手机的日期和时间后再提交。"


def _missing_answers(case: Case) -> Iterator[tuple[str, str]]:
    if case.policy.missing_answers_refused:
        for name in required_answers(case.record, case.category):
            if name not in case.record.answers:
                yield f"answers.{name}", f"请填写“{QUESTIONS[name].label}”，没有问到可选“未询问”。"


def _days_ahead(case: Case) -> Iterator[tuple[str, str]]:
    for name, answer in case.record.answers.items():
        question = QUESTIONS.get(name)
        if question is None or question.kind is not AnswerKind.DAY or answer == NOT_ASKED:
            continue
        if dt.date.fromisoformat(str(answer)) > case.day:
            yield f"answers.{name}", "日期不能晚于走访日期。"


def _hazards_without_photo(case: Case) -> Iterator[tuple[str, str]]:
    if case.record.no_photo_reason is not None or PhotoKind.HAZARD in case.photo_kinds:
        return
    for index, problem in enumerate(case.record.problems):
        if problem.severity in HAZARDOUS and not problem.photo_ids:
            yield f"problems.{index}.photo_ids", "严重的问题须有照片；没有照片请在“无照片原因”中说明。"


def _photo_rows(case: Case) -> Iterator[tuple[str, str]]:
    declared = set()
    for index, photo in enumerate(case.record.photos):
        if photo.id in declared:
            yield f"photos.{index}.id", "照片编号重复。"
        declared.add(photo.id)
        if photo.kind is PhotoKind.PERSON and not case.photo_consent:
            yield f"photos.{index}.kind", "本人没有同意拍照，不能提交本人照片。"
    for index, problem in enumerate(case.record.problems):
        if not declared.issuperset(problem.photo_ids):
            yield f"problems.{index}.photo_ids", "引用的照片不在这次走访的照片中。"
    for index, signature in enumerate(case.record.signatures):
        if signature.photo_id is not None and signature.photo_id not in declared:
            yield f"signatures.{index}.photo_id", "引用的照片不在这次走访的照片中。"


def _unsigned_without_reason(case: Case) -> Iterator[tuple[str, str]]:
    for index, one in enumerate(case.record.signatures):
        if one.manner in {SigningManner.UNABLE, SigningManner.REFUSED} and one.reason is None:
            yield f"signatures.{index}.reason", "没有签字时，请说明原因。"


ROW_RULES: tuple[Callable[[Case], Iterator[tuple[str, str]]], ...] = (
    _missing_answers,
    _days_ahead,
    _hazards_without_photo,
    _photo_rows,
    _unsigned_without_reason,
)
"""Requirements that name one row or answer each."""


def check(
    record: VisitRecord,
    *,
    category: Category | None,
    photo_consent: bool,
    now: dt.datetime,
    policy: FormPolicy,
) -> None:
    """Refuse a record that breaks the rules of the form, naming every field that is wrong.

    `category` is under what the person was assisted on that day, `photo_consent` whether they agreed to be
    photographed. Raises VisitInTheFuture, or Invalid.
    """
    case = Case(record, category, photo_consent, now, policy)
    errors: dict[str, list[str]] = {}
    in_the_future = record.occurred_at > now + policy.future_tolerance
    if in_the_future:
        errors["occurred_at"] = ["走访时间晚于现在。"]
    for condition in CONDITIONS:
        if condition.applies(case) and not condition.holds(case):
            errors.setdefault(condition.path, []).append(condition.sentence.format(policy=policy))
    for rule in ROW_RULES:
        for path, sentence in rule(case):
            errors.setdefault(path, []).append(sentence)
    if in_the_future:
        raise VisitInTheFuture(errors=errors)
    if errors:
        raise Invalid(errors=errors)


ASKED_WHEN: Mapping[Asked, Callable[[VisitRecord, Category | None], bool]] = {
    Asked.MET: lambda record, _: record.outcome in COUNTING,
    Asked.MET_FACE_TO_FACE: lambda record, _: record.outcome in FACE_TO_FACE,
    Asked.MET_IN_HOME: lambda record, _: record.outcome is Outcome.MET,
    Asked.MET_DISPERSED: lambda record, category: (
        record.outcome in COUNTING and category is Category.TEKUN_DISPERSED
    ),
}
"""What each circumstance of a question means: attempts and deaths require no answers."""


def required_answers(record: VisitRecord, category: Category | None) -> list[str]:
    """Name the answers that a record must hold, given how the person was met and what they are."""
    return [
        name for asked, names in REQUIRED.items() if ASKED_WHEN[asked](record, category) for name in names
    ]


def completeness(record: VisitRecord, category: Category | None) -> tuple[int, int]:
    """Count the required answers that were really answered, and the required ones (DOMAIN §3.9).

    `not_asked` satisfies the form, not completeness. Never used for ranking people.
    """
    required = required_answers(record, category)
    answered = sum(record.answers.get(name, NOT_ASKED) != NOT_ASKED for name in required)
    return answered, len(required)


def is_in_person(record: VisitRecord) -> bool:
    """Say whether somebody stood before the person."""
    return record.outcome in FACE_TO_FACE and record.method in IN_PERSON_METHODS


def urgent_absence(record: VisitRecord, policy: FormPolicy) -> bool:
    """Say whether nobody has seen the person for too long (CONTRACT §4: more than three days).

    What informants saw is `last_seen_on`; somebody in hospital or in an institution is vouched for by an informant.
    """
    absence = record.absence
    if absence is None or record.outcome not in ATTEMPTS:
        return False
    if record.outcome in VOUCHED_BY_PLACE and absence.informants:
        return False
    return business_day(record.occurred_at) - absence.last_seen_on > policy.unseen_urgent_after


FOR_THE_TOWNSHIP = frozenset(
    {
        DerivedProblem.NOT_SEEN_FOR_DAYS,
        DerivedProblem.ABUSE_SUSPECTED,
        DerivedProblem.CARD_HELD_BY_CADRE,
    }
)
"""What the village does not settle by itself."""

_BY_ANSWER: tuple[tuple[str, object, DerivedProblem, Severity, bool], ...] = (
    ("abuse_suspected", True, DerivedProblem.ABUSE_SUSPECTED, Severity.URGENT, True),
    ("caregiver_performing", "no", DerivedProblem.CAREGIVER_NOT_PERFORMING, Severity.HIGH, False),
    ("caregiver_performing", "partial", DerivedProblem.CAREGIVER_PARTLY_PERFORMING, Severity.MEDIUM, False),
    ("card_held_by", "cadre", DerivedProblem.CARD_HELD_BY_CADRE, Severity.HIGH, False),
    ("card_held_by", "other", DerivedProblem.CARD_HELD_BY_OTHER, Severity.HIGH, False),
    ("money_received", "no", DerivedProblem.MONEY_NOT_RECEIVED, Severity.MEDIUM, False),
)


def derived_problems(record: VisitRecord, policy: FormPolicy) -> list[RaisedProblem]:
    """List the problems that follow from the answers and the absence, without anybody having named them."""
    found = [
        RaisedProblem(
            code.value,
            severity,
            code.label,
            restricted=restricted,
            for_township=code in FOR_THE_TOWNSHIP,
        )
        for name, answer, code, severity, restricted in _BY_ANSWER
        if record.answers.get(name) == answer
    ]
    if urgent_absence(record, policy):
        unseen = DerivedProblem.NOT_SEEN_FOR_DAYS
        found.insert(0, RaisedProblem(unseen.value, Severity.URGENT, unseen.label, for_township=True))
    return found


def problems_of(record: VisitRecord, policy: FormPolicy) -> list[RaisedProblem]:
    """List what a record raises: the problems that the visitor named, then those that follow from it."""
    named = [
        RaisedProblem(
            one.code,
            one.severity,
            one.description,
            one.fixed_on_site,
            restricted=one.code == DerivedProblem.ABUSE_SUSPECTED.value,
            for_township=one.code in FOR_THE_TOWNSHIP,
            due_on=one.due_on,
        )
        for one in record.problems
    ]
    return named + derived_problems(record, policy)


__all__ = [
    "ASKED_WHEN",
    "CONDITIONS",
    "FormPolicy",
    "VisitInTheFuture",
    "body",
    "check",
    "completeness",
    "derived_problems",
    "differing_fields",
    "fingerprint",
    "from_body",
    "is_in_person",
    "join",
    "problems_of",
    "read_private",
    "required_answers",
    "split",
    "urgent_absence",
    "write_private",
]
