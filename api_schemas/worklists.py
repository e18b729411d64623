"""Lists of what is owed on the wire (CONTRACT §3, §7)."""

from marshmallow import fields, validate

from api_schemas.paging import LONGEST_CURSOR, PageQuery
from api_schemas.wire import DateField, Instant, Strict, TermField, Text, UuidField
from server.people.terms import CareLevel, Category, PauseReason, Sex
from server.schedule.terms import DutyKind, DutyState
from server.visits.terms import Outcome


class ListedVillageOut(Strict):
    """A village."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class ListedHomeOut(Strict):
    """Where a home is; GCJ-02, as mini-program maps take it."""

    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)
    datum = fields.String(required=True)


class ListedCaregiverOut(Strict):
    """Who cares for the person."""

    name = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)


class RestOut(Strict):
    """Why a duty rests, and until when."""

    reason = TermField(PauseReason, required=True)
    until = DateField(required=True)


class DutyOut(Strict):
    """What is owed to one person in one window, and how it stands."""

    period_start = DateField(required=True)
    due_on = DateField(required=True)
    required = fields.Integer(required=True)
    done = fields.Integer(required=True)
    attempts = fields.Integer(required=True)
    state = TermField(DutyState, required=True)
    days_overdue = fields.Integer(required=True)
    kind = TermField(DutyKind, required=True)
    in_correction = fields.Boolean(required=True)
    pause = fields.Nested(RestOut, required=True, allow_none=True)


class LastVisitOut(Strict):
    """The latest visit or attempt on file."""

    occurred_at = Instant(required=True)
    outcome = TermField(Outcome, required=True)


class ListedPersonOut(Strict):
    """A person as lists show them."""

    revision = fields.Integer(required=True)
    person_id = UuidField(required=True)
    file_no = fields.String(required=True)
    name = fields.String(required=True)
    sex = TermField(Sex, required=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    id_number_masked = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    village = fields.Nested(ListedVillageOut, required=True)
    address = fields.String(required=True, allow_none=True)
    home = fields.Nested(ListedHomeOut, required=True, allow_none=True)
    categories = fields.List(TermField(Category), required=True)
    care_level = TermField(CareLevel, required=True, allow_none=True)
    caregiver = fields.Nested(ListedCaregiverOut, required=True, allow_none=True)
    photo_consent = fields.Boolean(required=True)


class WorklistItemOut(ListedPersonOut):
    """A person whom the signed-in visitor owes a visit."""

    duty = fields.Nested(DutyOut, required=True)
    last_visit = fields.Nested(LastVisitOut, required=True, allow_none=True)


class WorklistOut(Strict):
    """A page of the worklist, most urgent first."""

    items = fields.List(fields.Nested(WorklistItemOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SyncQuery(Strict):
    """From where on."""

    cursor = Text(
        LONGEST_CURSOR,
        least=0,
        load_default=None,
        metadata={"description": "上一次给出的 next_cursor；第一次不填"},
    )


class SyncItemOut(Strict):
    """One changed row; `data` is null when it is no longer yours."""

    kind = fields.String(required=True, validate=validate.OneOf(["person", "duty", "visit"]))
    id = UuidField(required=True)
    revision = fields.Integer(required=True)
    data = fields.Dict(required=True, allow_none=True)


class SyncOut(Strict):
    """A page of the delta."""

    items = fields.List(fields.Nested(SyncItemOut), required=True)
    next_cursor = fields.String(required=True)
    has_more = fields.Boolean(required=True)
    server_time = Instant(required=True)


class OverdueQuery(PageQuery):
    """Which overdue people, on which day, by what was known when."""

    village = Text(
        12,
        least=6,
        pattern="^[0-9]{6,12}$",
        load_default=None,
        metadata={"description": "行政区划代码（村、乡镇或县）"},
    )
    category = TermField(Category, load_default=Category.TEKUN_DISPERSED)
    as_of = DateField(load_default=None, metadata={"description": "哪一天的逾期情况，默认今天"})
    known_at = Instant(load_default=None, metadata={"description": "按哪一时刻系统已知的情况"})


class OverdueExportQuery(Strict):
    """Which overdue people go into the workbook."""

    village = Text(12, least=6, pattern="^[0-9]{6,12}$", load_default=None)
    category = TermField(Category, load_default=Category.TEKUN_DISPERSED)
    as_of = DateField(load_default=None)
    known_at = Instant(load_default=None)


class AnswerableOut(Strict):
    """Who owes the visit."""

    worker_id = UuidField(required=True)
    name = fields.String(required=True)


class OverdueItemOut(Strict):
    """An overdue person, with the oldest overdue duty."""

    person = fields.Nested(ListedPersonOut, required=True)
    responsible = fields.Nested(AnswerableOut, required=True, allow_none=True)
    due_on = DateField(required=True)
    days_overdue = fields.Integer(required=True)
    attempts = fields.Integer(required=True)
    last_met_on = DateField(required=True, allow_none=True)


class OverdueOut(Strict):
    """A page of the overdue list, longest overdue first."""

    items = fields.List(fields.Nested(OverdueItemOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    as_of = DateField(required=True)
    known_at = Instant(required=True, allow_none=True)


class SummaryQuery(Strict):
    """Counted by what, on which day."""

    by = fields.String(
        load_default="village", validate=validate.OneOf(["village"], error="只能按 village 汇总。")
    )
    category = TermField(Category, load_default=Category.TEKUN_DISPERSED)
    as_of = DateField(load_default=None)


class CountsOut(Strict):
    """Duties counted by how they stand."""

    due = fields.Integer(required=True)
    met = fields.Integer(required=True)
    met_late = fields.Integer(required=True)
    attempted_only = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    missed = fields.Integer(required=True)
    paused = fields.Integer(required=True)


class SummaryRowOut(CountsOut):
    """One village's counts."""

    village = fields.Nested(ListedVillageOut, required=True)


class SummaryOut(Strict):
    """Counts by village, and in all."""

    items = fields.List(fields.Nested(SummaryRowOut), required=True)
    total = fields.Nested(CountsOut, required=True)
    as_of = DateField(required=True)
