"""Visits on the wire, exactly as CONTRACT §4 writes them."""

from typing import Any

from marshmallow import fields, post_load

from api_schemas.answers import Answers
from api_schemas.paging import PageQuery, QueryWhole
from api_schemas.wire import (
    DateField,
    Instant,
    Latitude,
    Longitude,
    Many,
    ManyShown,
    Number,
    One,
    Shown,
    Strict,
    TermField,
    Text,
    UuidField,
    Whole,
    YesNo,
)
from api_schemas.worklists import DutyOut
from server.evidence.terms import FindingCode, FindingSeverity
from server.photos.terms import PhotoKind
from server.places.terms import Datum, NoLocationReason
from server.problems.terms import Severity
from server.visits import form
from server.visits.terms import (
    AbsenceReason,
    Conclusion,
    ContactWay,
    IdentityCheck,
    InformantRelation,
    Method,
    NeedKind,
    Outcome,
    Purpose,
    Signer,
    SigningManner,
    VisitState,
)

COARSEST_M = 100_000_000.0  # metres; further is no place on the ground
CODE_PATTERN = "^[a-z][a-z0-9_]*$"
SHA256_PATTERN = "^[0-9a-f]{64}$"
WORKER = "3f1c8a52-7f0e-4f43-9d0f-2b6f3f6a9b10"
PHOTO = "9a1e4c7d-22b5-4a0c-8f9e-5d0c4b1a7e33"
PERSON = "5b0d9a77-6c1e-4d55-8a43-0f5e2c9b1d21"


def _says(description: str, example: Any = None) -> dict[str, Any]:
    return {"description": description} | ({} if example is None else {"example": example})


def _text(description: str, longest: int = form.LONGEST_TEXT) -> Text:
    return Text(longest, load_default=None, metadata=_says(description))


class LocationIn(Strict):
    """One fix as the phone sent it."""

    latitude = Latitude(required=True, metadata=_says("纬度，手机给出的原值", 30.8931))
    longitude = Longitude(required=True, metadata=_says("经度，手机给出的原值", 119.4172))
    accuracy_m = Number(-1, COARSEST_M, load_default=None, metadata=_says("精度，米；不明可不填", 25))
    datum = TermField(Datum, required=True, metadata=_says("坐标系", "gcj02"))
    taken_at = Instant(load_default=None, metadata=_says("定位时间", "2026-03-05T09:12:00+08:00"))

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.Location:
        return form.Location(**data)


class InformantIn(Strict):
    """Somebody who was asked about a person who was not met."""

    relation = TermField(InformantRelation, required=True, metadata=_says("与本人关系", "neighbour"))
    name = Text(form.LONGEST_NAME, required=True, metadata=_says("知情人姓名"))
    said = Text(form.LONGEST_TEXT, required=True, metadata=_says("知情人所述"))
    phone = _text("知情人电话", form.LONGEST_PHONE)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.Informant:
        return form.Informant(**data)


class AbsenceIn(Strict):
    """What was found out when the person was not met."""

    informants = Many(
        One(InformantIn), most=form.MOST_ROWS, required=True, metadata=_says("知情人；问不到人时为空列表")
    )
    last_seen_on = DateField(required=True, metadata=_says("最后有人见到本人的日期", "2026-03-04"))
    whereabouts = Text(form.LONGEST_TEXT, required=True, metadata=_says("去向"))
    absence_reason = TermField(AbsenceReason, required=True, metadata=_says("不在的原因", "field_work"))
    contact_tried = Many(
        TermField(ContactWay),
        most=len(ContactWay),
        distinct=True,
        load_default=(),
        metadata=_says("已尝试的联系方式"),
    )
    next_try_on = DateField(required=True, metadata=_says("下次走访日期", "2026-03-06"))

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.Absence:
        return form.Absence(**data)


class NeedIn(Strict):
    """Something that the person needs."""

    kind = TermField(NeedKind, required=True, metadata=_says("需求类别", "medical"))
    detail = _text("具体需求")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.Need:
        return form.Need(**data)


class ProblemIn(Strict):
    """Something wrong that the visitor saw."""

    code = Text(
        form.LONGEST_CODE,
        pattern=CODE_PATTERN,
        required=True,
        metadata=_says("问题代码，小写英文和下划线", "old_wiring"),
    )
    severity = TermField(Severity, required=True, metadata=_says("严重程度", "high"))
    description = _text("问题说明")
    fixed_on_site = YesNo(load_default=False, metadata=_says("是否已现场解决", example=False))
    photo_ids = Many(
        UuidField(),
        most=form.MOST_ROWS,
        distinct=True,
        load_default=(),
        metadata=_says("本次走访照片中的编号", [PHOTO]),
    )
    owner = _text("整改责任人", form.LONGEST_NAME)
    due_on = DateField(load_default=None, metadata=_says("整改期限"))

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.ProblemFound:
        return form.ProblemFound(**data)


class SignatureIn(Strict):
    """How one party signed."""

    signer = TermField(Signer, required=True, metadata=_says("签字人"))
    manner = TermField(SigningManner, required=True, metadata=_says("签字方式"))
    name = _text("签字人姓名", form.LONGEST_NAME)
    reason = _text("未签字原因")
    photo_id = UuidField(load_default=None, metadata=_says("签字照片编号"))

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.Signature:
        return form.Signature(**data)


class PhotoDeclaredIn(Strict):
    """A photo that will follow."""

    id = UuidField(required=True, metadata=_says("照片编号，由手机生成", PHOTO))
    kind = TermField(PhotoKind, required=True, metadata=_says("照片类别", "hazard"))
    taken_at = Instant(load_default=None, metadata=_says("拍摄时间，不明可不填"))
    sha256 = Text(
        64,
        least=64,
        pattern=SHA256_PATTERN,
        load_default=None,
        metadata=_says("文件的 SHA-256，小写十六进制"),
    )

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.PhotoDeclared:
        return form.PhotoDeclared(**data)


class VisitIn(Strict):
    """The whole record of a visit or an attempt, as the phone sends it."""

    person_id = UuidField(required=True, metadata=_says("走访对象", PERSON))
    method = TermField(Method, required=True, metadata=_says("走访方式", "home"))
    purposes = Many(
        TermField(Purpose),
        least=1,
        most=len(Purpose),
        distinct=True,
        required=True,
        metadata=_says("走访目的", ["routine"]),
    )
    outcome = TermField(Outcome, required=True, metadata=_says("走访结果", "met"))
    identity_checked_by = TermField(
        IdentityCheck, load_default=None, metadata=_says("核对身份的方式；见到本人时必填", "known")
    )
    occurred_at = Instant(required=True, metadata=_says("走访时间", "2026-03-05T09:12:00+08:00"))
    ended_at = Instant(load_default=None, metadata=_says("结束时间", "2026-03-05T09:31:00+08:00"))
    client_created_at = Instant(
        required=True, metadata=_says("手机生成记录的时间", "2026-03-05T09:12:04+08:00")
    )
    visitors = Many(
        UuidField(),
        least=1,
        most=form.MOST_ROWS,
        distinct=True,
        required=True,
        metadata=_says("走访人员", [WORKER]),
    )
    recorded_for = UuidField(load_default=None, metadata=_says("代谁补录纸质记录；仅审核人员可填"))
    village_assistant = _text("协助走访的村（社区）人员", form.LONGEST_NAME)
    location = One(LocationIn, load_default=None, metadata=_says("定位"))
    no_location_reason = TermField(
        NoLocationReason, load_default=None, metadata=_says("没有定位的原因；上门而没有定位时必填")
    )
    answers = Answers(
        load_default=dict,
        metadata=_says(
            "问题的回答，都可填 not_asked（未询问）", {"food": "adequate", "electric": "not_asked"}
        ),
    )
    needs = Many(One(NeedIn), most=form.MOST_ROWS, load_default=(), metadata=_says("需求"))
    problems = Many(One(ProblemIn), most=form.MOST_ROWS, load_default=(), metadata=_says("发现的问题"))
    absence = One(AbsenceIn, load_default=None, metadata=_says("未见到本人的情况；未见到时必填"))
    conclusion = TermField(Conclusion, load_default=None, metadata=_says("走访结论", "normal"))
    notes = _text("备注", form.LONGEST_NOTES)
    signatures = Many(One(SignatureIn), most=form.MOST_ROWS, load_default=(), metadata=_says("签字"))
    photos = Many(
        One(PhotoDeclaredIn), most=form.MOST_ROWS, load_default=(), metadata=_says("随后上传的照片")
    )
    no_photo_reason = _text("没有照片的原因")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> form.VisitRecord:
        return form.VisitRecord(**data)


class CompletenessOut(Strict):
    """How many of the required questions were really answered."""

    answered = Whole(0, 1000, metadata=_says("已询问并回答的必填项数"))
    required = Whole(0, 1000, metadata=_says("必填项数"))


class FindingOut(Strict):
    """An explained signal, never a verdict (CONTRACT §6)."""

    code = TermField(FindingCode, metadata=_says("提示代码", "fence_outside"))
    severity = TermField(FindingSeverity, metadata=_says("程度", "warning"))
    title = Text(200, metadata=_says("标题"))
    evidence = fields.Dict(metadata=_says("依据：数值和编号"))
    rule_version = Text(32, metadata=_says("规则版本"))


class VisitOut(VisitIn):
    """The stored record, and what became of it; the record's part is in its wire form when it is dumped.

    `findings` is there only for roles that may see them. After an erasure the free texts are null.
    """

    location = Shown(LocationIn, allow_none=True)
    needs = ManyShown(One(NeedIn), most=form.MOST_ROWS)
    problems = ManyShown(One(ProblemIn), most=form.MOST_ROWS)
    absence = Shown(AbsenceIn, allow_none=True)
    signatures = ManyShown(One(SignatureIn), most=form.MOST_ROWS, allow_none=True)
    photos = ManyShown(One(PhotoDeclaredIn), most=form.MOST_ROWS)
    id = UuidField(required=True, metadata=_says("走访编号"))
    recorder = UuidField(required=True, metadata=_says("填报人", WORKER))
    received_at = Instant(required=True, metadata=_says("服务器收到的时间"))
    revised_at = Instant(required=True, metadata=_says("最近一次更正的时间"))
    filed_late = YesNo(required=True, metadata=_says("是否补录"))
    clock_skew_s = Whole(-(2**31), 2**31 - 1, required=True, metadata=_says("手机时间减服务器时间，秒"))
    state = TermField(VisitState, required=True, metadata=_says("记录状态", "submitted"))
    state_reason = Text(form.LONGEST_TEXT, required=True, allow_none=True, metadata=_says("退回或作废的原因"))
    awaiting_second = YesNo(
        required=True, metadata=_says("已有一人审核通过，等待另一名审核人员确认；state 仍为 submitted")
    )
    completeness = One(CompletenessOut, required=True, metadata=_says("完整性"))
    photo_debt = Many(UuidField(), most=1000, required=True, metadata=_says("尚未收到的照片"))
    duty = One(DutyOut, required=True, allow_none=True, metadata=_says("这次走访之后的走访任务"))
    findings = ManyShown(One(FindingOut), most=1000, metadata=_says("信号；仅部分岗位可见"))
    revision = Whole(1, 2**31 - 1, required=True, metadata=_says("版本号", 1))


class RevisionQuery(Strict):
    """Which revision the recorder saw, when they correct it."""

    revision = QueryWhole(1, 2**31 - 1, load_default=None, metadata=_says("更正时看到的版本号"))


class VisitsQuery(PageQuery):
    """Which visits."""

    person_id = UuidField(load_default=None)
    village = Text(
        12,
        least=6,
        pattern="^[0-9]{6,12}$",
        load_default=None,
        metadata=_says("行政区划代码（村、乡镇或县）"),
    )
    state = TermField(VisitState, load_default=None)
    since = Instant(data_key="from", load_default=None, metadata=_says("此时刻及以后发生的"))
    until = Instant(data_key="to", load_default=None, metadata=_says("此时刻以前发生的"))


class VisitsOut(Strict):
    """A page of visits, the latest first."""

    items = fields.List(fields.Nested(VisitOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
