"""The words of evidence, the facts that rules weigh, and the thresholds that they weigh them with.

Instants are aware UTC datetimes, places WGS-84, lengths metres. A fact that nobody knows is None: unknown, never a sign
of anything (CONTRACT §9).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from server.places.terms import FencePolicy, Fix, Point
from server.terms import Term

_SOURCE = "CONTRACT §6"


class FindingSeverity(Term):
    """How much a finding asks for a look (提示程度); only what lies above `info` keeps a record out of bulk acceptance."""

    INFO = "info", "仅供参考", _SOURCE
    NOTICE = "notice", "请留意", _SOURCE
    WARNING = "warning", "请核实", _SOURCE


class FindingCode(Term):
    """What a finding says (佐证提示); docs/evidence.md tells what each means, and what it does not."""

    FENCE_INSIDE = "fence_inside", "定位在住处范围内", _SOURCE
    FENCE_OUTSIDE = "fence_outside", "定位不在住处范围内", _SOURCE
    FENCE_UNCLEAR = "fence_unclear", "定位无法判断是否在住处", _SOURCE
    ONE_SPOT = "one_spot", "多户记录来自同一地点", _SOURCE
    SAME_FIX = "same_fix", "定位坐标与另一次完全相同", _SOURCE
    PHOTO_SAME_BYTES = "photo_same_bytes", "照片文件曾用于另一次走访", _SOURCE
    PHOTO_NEAR_DUPLICATE = "photo_near_duplicate", "照片与另一次走访的照片极为相似", _SOURCE
    PHOTO_TIME = "photo_time", "照片拍摄时间与走访时间不符", _SOURCE
    PHOTO_PLACE = "photo_place", "照片拍摄地点远离走访地点", _SOURCE
    PHOTO_FACTS_ABSENT = "photo_facts_absent", "照片没有拍摄信息（未知）", _SOURCE
    PHOTO_DEBT = "photo_debt", "照片尚未收齐", _SOURCE
    TRAVEL_IMPOSSIBLE = "travel_impossible", "两次走访之间来不及赶到", _SOURCE
    VISITS_OVERLAP = "visits_overlap", "两次走访时间重叠", _SOURCE
    TOO_SHORT = "too_short", "走访时长与填写内容不相称", _SOURCE
    CLOCK_OFF = "clock_off", "手机时间不准", _SOURCE
    RECORDED_LATER = "recorded_later", "记录在走访很久之后才填写", _SOURCE
    WRITTEN_IN_SERIES = "written_in_series", "多天的走访在短时间内连续填写", _SOURCE
    UNUSUAL_HOUR = "unusual_hour", "走访时间不在通常时段", _SOURCE
    MET_AFTER_DEATH = "met_after_death", "登记死亡之后仍记为见到本人", _SOURCE
    NOTES_COPIED = "notes_copied", "备注与其他走访的备注雷同", _SOURCE
    ANSWERS_COPIED = "answers_copied", "回答与其他对象的回答完全相同", _SOURCE
    TEXT_IN_MANY = "text_in_many", "同样的文字出现在许多记录中", _SOURCE


@dataclass(frozen=True, slots=True)
class Finding:
    """An explained signal: `evidence` holds numbers and ids, `rule_version` says which rule made it."""

    code: FindingCode
    severity: FindingSeverity
    evidence: Mapping[str, Any]
    rule_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a visit claims to have been, within `accuracy_m` metres; `is_fix` when a phone located it then and there.

    Otherwise it is the registered home, at which the person is said to have been met.
    """

    point: Point
    accuracy_m: float
    is_fix: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What of a visit is compared with other visits.

    `goes_there`: somebody went. `made_at` is the phone's clock when the record was made, None for paper. `text_mark`
    is equal for equal notes, `sketch` alike for notes that are alike, both keyed; `answers_mark` is equal for equal
    answers, of which `answers` were given and `telling` are out of the ordinary. `is_death`: it reports a death.
    `is_void`: it was voided or withdrawn, and nothing is compared with it.
    """

    visit_id: UUID
    worker_id: UUID
    person_id: UUID
    began_at: dt.datetime
    ended_at: dt.datetime | None = None
    made_at: dt.datetime | None = None
    goes_there: bool = True
    place: Place | None = None
    text_mark: int | None = None
    text_length: int = 0
    sketch: bytes | None = None
    answers_mark: int | None = None
    answers: int = 0
    telling: int = 0
    is_death: bool = False
    is_void: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSeen:
    """A photo that arrived; `taken_at` is what its camera wrote, `claimed_at` what the phone says.

    `is_paper`: it shows a document or a signed form, of which honest visits share one.
    """

    photo_id: UUID
    is_paper: bool = False
    taken_at: dt.datetime | None = None
    claimed_at: dt.datetime | None = None
    received_at: dt.datetime | None = None
    place: Point | None = None
    has_facts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoMatch:
    """A photo of this visit and one of another, `alike` per cent: the same bytes, or nearly the same picture.

    `is_own`: of the same person or household, whose rooms are photographed again and again.
    """

    photo_id: UUID
    other_photo_id: UUID
    other_visit_id: UUID
    other_person_id: UUID
    other_began_at: dt.datetime
    alike: int = 100
    is_own: bool = False
    other_is_void: bool = False
    is_paper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFacts:
    """Everything that is known when one visit is judged; the same facts always give the same findings.

    `homes` are all places ever registered as the person's home. `is_met`: the person was met (however), `in_person`
    face to face, `at_home` in their home. `around` are the same worker's other visits nearby in time, `same_text` other
    people's records with the same notes, `homes_of` the homes of people in `around`, `household_of` their households.
    """

    marks: Marks
    received_at: dt.datetime
    is_met: bool = False
    in_person: bool = False
    at_home: bool = False
    is_paper: bool = False
    clock_skew_s: int = 0
    fix: Fix | None = None
    homes: tuple[Point, ...] = ()
    household_id: UUID | None = None
    died_on: dt.date | None = None
    died_in: UUID | None = None
    died_at: dt.datetime | None = None
    photos: tuple[PhotoSeen, ...] = ()
    owed: tuple[UUID, ...] = ()
    same_bytes: tuple[PhotoMatch, ...] = ()
    near: tuple[PhotoMatch, ...] = ()
    around: tuple[Marks, ...] = ()
    same_text: tuple[Marks, ...] = ()
    homes_of: Mapping[UUID, tuple[Point, ...]] = field(default_factory=dict)
    household_of: Mapping[UUID, UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The numbers of the settings `evidence.*` and `fence.*` that hold on the day of the visit (server/policies)."""

    fence: FencePolicy
    fix_apart: dt.timedelta
    spot_radius_m: float
    spot_homes: int
    spot_within: dt.timedelta
    same_fix_apart: dt.timedelta
    photo_before: dt.timedelta
    photo_after: dt.timedelta
    photo_far_m: float
    photo_alike: int
    photo_alike_own: int
    speed_kmh: float
    travel_least_m: float
    travel_slack: dt.timedelta
    overlap_least: dt.timedelta
    seconds_per_answer: int
    answers_timed: int
    clock_ahead: dt.timedelta
    recorded_after: dt.timedelta
    series_visits: int
    series_within: dt.timedelta
    night_from: int
    night_until: int
    compared_within: dt.timedelta
    notes_least: int
    notes_alike: float
    text_least: int
    text_people: int
    answers_least: int
    answers_telling: int
    answers_people: int


ABOVE_INFO = frozenset({FindingSeverity.NOTICE, FindingSeverity.WARNING})
"""Severities that keep a record out of bulk acceptance."""
