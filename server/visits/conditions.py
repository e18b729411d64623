"""The conditional requirements of a visit record, as a table (DOMAIN §3, CONTRACT §4).

`CONDITIONS` reads as sentences: where each applies, what must hold, what the worker is told.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from server.people.terms import Category
from server.photos.terms import PhotoKind
from server.tools import business_day
from server.visits.form import VisitRecord
from server.visits.terms import (
    ATTEMPTS,
    COUNTING,
    FACE_TO_FACE,
    IN_PERSON_METHODS,
    PROVEN_BY_PHOTO,
    REMOTE_METHODS,
    TWO_SURVEYORS,
    Outcome,
    Signer,
    SigningManner,
)


@dataclass(frozen=True, slots=True)
class FormPolicy:
    """The numbers that the form is checked against; fed from the policy settings.

    `missing_answers_refused` False lets a record through without its required answers; it is then less complete.
    """

    future_tolerance: dt.timedelta = dt.timedelta(minutes=10)
    next_try_within: dt.timedelta = dt.timedelta(days=3)
    unseen_urgent_after: dt.timedelta = dt.timedelta(hours=72)
    longest_visit: dt.timedelta = dt.timedelta(hours=24)
    most_photos: int = 9
    least_surveyors: int = 2
    missing_answers_refused: bool = True


@dataclass(frozen=True)
class Case:
    """One record with what it is judged against; `day` is its business day."""

    record: VisitRecord
    category: Category | None
    photo_consent: bool
    now: dt.datetime
    policy: FormPolicy

    @cached_property
    def day(self) -> dt.date:
        """Give the business day on which the visit happened."""
        return business_day(self.record.occurred_at)

    @cached_property
    def photo_kinds(self) -> frozenset[PhotoKind]:
        """Give the kinds of the declared photos."""
        return frozenset(photo.kind for photo in self.record.photos)

    @property
    def is_proven(self) -> bool:
        """Say whether there is a photo, or a reason why there is none."""
        return bool(self.record.photos) or self.record.no_photo_reason is not None


@dataclass(frozen=True, slots=True)
class Condition:
    """One conditional requirement: where `applies`, `holds` must be true, or `path` gets the `sentence`."""

    name: str
    path: str
    applies: Callable[[Case], bool]
    holds: Callable[[Case], bool]
    sentence: str


def _met(case: Case) -> bool:
    return case.record.outcome in COUNTING


def _absent(case: Case) -> bool:
    return case.record.absence is not None


def _goes_there(case: Case) -> bool:
    return case.record.method in IN_PERSON_METHODS


def _always(_case: Case) -> bool:
    return True


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "remote contact is by phone or video",
        "outcome",
        lambda case: case.record.outcome is Outcome.REMOTE_MET,
        lambda case: case.record.method in REMOTE_METHODS,
        "“远程联系到本人”只用于电话或视频走访。",
    ),
    Condition(
        "nobody is met face to face by phone or video",
        "outcome",
        lambda case: case.record.outcome in FACE_TO_FACE,
        _goes_there,
        "电话或视频走访请选“远程联系到本人”。",
    ),
    Condition(
        "a person who was met was identified",
        "identity_checked_by",
        _met,
        lambda case: case.record.identity_checked_by is not None,
        "见到本人时，请选择核对身份的方式。",
    ),
    Condition(
        "a person who was not met was not identified",
        "identity_checked_by",
        lambda case: not _met(case),
        lambda case: case.record.identity_checked_by is None,
        "没有见到本人，不能填核对身份的方式。",
    ),
    Condition(
        "an absence is accounted for",
        "absence",
        lambda case: case.record.outcome in ATTEMPTS,
        _absent,
        "没有见到本人，请填写未见到的情况（知情人、最后见到日期、去向、下次走访日期）。",
    ),
    Condition(
        "who was met was not absent",
        "absence",
        _met,
        lambda case: not _absent(case),
        "见到了本人，不能填未见到的情况。",
    ),
    Condition(
        "a person was last seen before the visit",
        "absence.last_seen_on",
        _absent,
        lambda case: (it := case.record.absence) is None or it.last_seen_on <= case.day,
        "最后见到的日期不能晚于走访日期。",
    ),
    Condition(
        "the next try is not before the visit",
        "absence.next_try_on",
        _absent,
        lambda case: (it := case.record.absence) is None or it.next_try_on >= case.day,
        "下次走访日期不能早于这次走访。",
    ),
    Condition(
        "the next try is soon",
        "absence.next_try_on",
        _absent,
        lambda case: (
            (it := case.record.absence) is None or it.next_try_on - case.day <= case.policy.next_try_within
        ),
        "下次走访须在{policy.next_try_within.days}天之内。",
    ),
    Condition(
        "a visit ends after it began",
        "ended_at",
        lambda case: case.record.ended_at is not None,
        lambda case: (end := case.record.ended_at) is None or end >= case.record.occurred_at,
        "结束时间不能早于开始时间。",
    ),
    Condition(
        "a visit ends within a day",
        "ended_at",
        lambda case: case.record.ended_at is not None,
        lambda case: (
            (end := case.record.ended_at) is None
            or end - case.record.occurred_at <= case.policy.longest_visit
        ),
        "结束时间离开始时间太远，请检查。",
    ),
    Condition(
        "a visit has ended when it is recorded",
        "ended_at",
        lambda case: case.record.ended_at is not None,
        lambda case: (end := case.record.ended_at) is None or end <= case.now + case.policy.future_tolerance,
        "结束时间晚于现在，请检查手机的日期和时间。",
    ),
    Condition(
        "an investigation has two surveyors",
        "visitors",
        lambda case: not TWO_SURVEYORS.isdisjoint(case.record.purposes),
        lambda case: len(case.record.visitors) >= case.policy.least_surveyors,
        "复核、预警核实和新申请须有{policy.least_surveyors}名以上走访人员。",
    ),
    Condition(
        "no location has a reason",
        "no_location_reason",
        lambda case: _goes_there(case) and case.record.location is None,
        lambda case: case.record.no_location_reason is not None,
        "没有定位时，请选择原因。",
    ),
    Condition(
        "a location needs no excuse",
        "no_location_reason",
        lambda case: case.record.location is not None,
        lambda case: case.record.no_location_reason is None,
        "已有定位，不能再填没有定位的原因。",
    ),
    Condition(
        "photos are few",
        "photos",
        _always,
        lambda case: len(case.record.photos) <= case.policy.most_photos,
        "照片最多{policy.most_photos}张。",
    ),
    Condition(
        "a review on the spot shows a photo",
        "photos",
        lambda case: _goes_there(case) and not PROVEN_BY_PHOTO.isdisjoint(case.record.purposes),
        lambda case: case.is_proven,
        "复核和预警核实须有照片；没有照片请说明原因。",
    ),
    Condition(
        "a paper record shows the signed form",
        "photos",
        lambda case: case.record.recorded_for is not None,
        lambda case: PhotoKind.SIGNED_FORM in case.photo_kinds or case.record.no_photo_reason is not None,
        "补录纸质记录须附签字表单的照片；没有照片请说明原因。",
    ),
    Condition(
        "who cannot sign has a witness",
        "signatures",
        lambda case: any(
            one.signer is Signer.RECIPIENT and one.manner is SigningManner.UNABLE
            for one in case.record.signatures
        ),
        lambda case: any(one.signer is Signer.WITNESS for one in case.record.signatures),
        "救助对象无法签字时，须有见证人签字。",
    ),
)
