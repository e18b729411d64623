"""The archives on the wire (CONTRACT §7)."""

from marshmallow import fields

from api_schemas.paging import PageQuery
from api_schemas.people import PersonFileOut
from api_schemas.wire import DateField, Instant, MoneyField, Strict, TermField, Text, UuidField
from api_schemas.worklists import DutyOut, ListedPersonOut
from server.archives.terms import EventKind, RevealField
from server.people.terms import (
    CareLevel,
    Category,
    ExitReason,
    PauseReason,
    Relation,
    ResponsibilityKind,
    Tag,
)
from server.photos.terms import PhotoKind
from server.places.terms import Datum
from server.problems.terms import ProblemState, Severity


class ArchivesQuery(PageQuery):
    """Which files."""

    query = Text(
        100,
        least=0,
        load_default=None,
        metadata={"description": "姓名、拼音首字母、档案编号、身份证号后四位或完整身份证号"},
    )
    village = Text(
        12,
        pattern="^[0-9]{6,12}$",
        load_default=None,
        metadata={"description": "行政区划代码（村、乡镇或县）"},
    )
    category = TermField(Category, load_default=None)


class ArchivesOut(Strict):
    """A page of people as lists show them, by village and file number."""

    items = fields.List(fields.Nested(ListedPersonOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class MemberOut(Strict):
    """Another member of the household."""

    person_id = UuidField(required=True)
    file_no = fields.String(required=True)
    name = fields.String(required=True)
    is_head = fields.Boolean(required=True)
    relation_to_head = fields.String(required=True, allow_none=True)
    died_on = DateField(required=True, allow_none=True)


class RecordedOut(Strict):
    """A row of a history: when it was recorded, and when another took its place."""

    id = UuidField(required=True)
    recorded_at = Instant(required=True)
    superseded_at = Instant(required=True, allow_none=True)


class EnrolmentHistoryOut(RecordedOut):
    """An enrolment as it was recorded."""

    category = TermField(Category, required=True)
    valid_from = DateField(required=True)
    valid_to = DateField(required=True, allow_none=True)
    exit_reason = TermField(ExitReason, required=True, allow_none=True)
    monthly_amount = MoneyField(required=True, allow_none=True)


class AssessmentHistoryOut(Strict):
    """A self-care assessment."""

    id = UuidField(required=True)
    level = TermField(CareLevel, required=True)
    assessed_on = DateField(required=True)
    assessor = fields.String(required=True)
    recorded_at = Instant(required=True)
    can = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


class CaregiverHistoryOut(RecordedOut):
    """A caregiver."""

    name = fields.String(required=True)
    relation = TermField(Relation, required=True)
    phone = fields.String(required=True, allow_none=True)


class AgreementHistoryOut(RecordedOut):
    """A care agreement."""

    caregiver_id = UuidField(required=True)
    signed_on = DateField(required=True)
    starts_on = DateField(required=True)
    ends_on = DateField(required=True)
    monthly_fee = MoneyField(required=True, allow_none=True)


class HomeHistoryOut(Strict):
    """A registered place as it was set, in its datum; shown to those who must find the person."""

    id = UuidField(required=True)
    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)
    datum = TermField(Datum, required=True)
    accuracy_m = fields.Float(required=True, allow_none=True)
    set_at = Instant(required=True)
    set_by = UuidField(required=True, allow_none=True)
    superseded_at = Instant(required=True, allow_none=True)


class TagHistoryOut(RecordedOut):
    """A tag as it was recorded."""

    tag = TermField(Tag, required=True)
    detail = fields.String(required=True, allow_none=True)
    valid_from = DateField(required=True)
    valid_to = DateField(required=True, allow_none=True)


class ConsentsOut(Strict):
    """What the person agrees to."""

    photo = fields.Boolean(required=True)


class ResponsibilityHistoryOut(Strict):
    """Who answered for the person, from when until when."""

    id = UuidField(required=True)
    worker_id = UuidField(required=True)
    worker = fields.String(required=True)
    kind = TermField(ResponsibilityKind, required=True)
    from_at = Instant(required=True)
    to_at = Instant(required=True, allow_none=True)


class PauseHistoryOut(RecordedOut):
    """A pause."""

    reason = TermField(PauseReason, required=True)
    from_on = DateField(required=True)
    to_on = DateField(required=True)
    note = fields.String(required=True, allow_none=True)


class FileDutyOut(DutyOut):
    """A duty that is owed now or still not met."""

    id = UuidField(required=True)
    category = TermField(Category, required=True)


class FileProblemOut(Strict):
    """A problem found on a visit; restricted ones are shown to reviewers only."""

    id = UuidField(required=True)
    visit_id = UuidField(required=True)
    code = fields.String(required=True)
    severity = TermField(Severity, required=True)
    state = TermField(ProblemState, required=True)
    fixed_on_site = fields.Boolean(required=True)
    restricted = fields.Boolean(required=True)
    found_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)


class FileCountsOut(Strict):
    """How much there is."""

    visits = fields.Integer(required=True, metadata={"description": "计入任务的走访"})
    attempts = fields.Integer(required=True, metadata={"description": "未见到本人等其他记录"})
    void = fields.Integer(required=True, metadata={"description": "已作废或撤回"})
    photos = fields.Integer(required=True)
    photo_debt = fields.Integer(required=True, metadata={"description": "已申报、尚未收到的照片"})


class FilePhotoOut(Strict):
    """A photo that arrived; `GET /photos/{id}` shows it."""

    id = UuidField(required=True)
    visit_id = UuidField(required=True)
    kind = TermField(PhotoKind, required=True)
    received_at = Instant(required=True)


class FileOut(Strict):
    """A person's whole file."""

    person = fields.Nested(PersonFileOut, required=True)
    has_health_remark = fields.Boolean(required=True)
    household_members = fields.List(fields.Nested(MemberOut), required=True)
    enrolments = fields.List(fields.Nested(EnrolmentHistoryOut), required=True)
    assessments = fields.List(fields.Nested(AssessmentHistoryOut), required=True)
    caregivers = fields.List(fields.Nested(CaregiverHistoryOut), required=True)
    agreements = fields.List(fields.Nested(AgreementHistoryOut), required=True)
    homes = fields.List(fields.Nested(HomeHistoryOut), required=True)
    tags = fields.List(fields.Nested(TagHistoryOut), required=True)
    consents = fields.Nested(ConsentsOut, required=True)
    responsibilities = fields.List(fields.Nested(ResponsibilityHistoryOut), required=True)
    pauses = fields.List(fields.Nested(PauseHistoryOut), required=True)
    duties = fields.List(fields.Nested(FileDutyOut), required=True)
    problems = fields.List(fields.Nested(FileProblemOut), required=True)
    counts = fields.Nested(FileCountsOut, required=True)
    photos = fields.List(fields.Nested(FilePhotoOut), required=True)


class TimelineItemOut(Strict):
    """One line of the timeline; what `data` holds depends on `kind`."""

    at = Instant(required=True)
    kind = TermField(EventKind, required=True)
    id = UuidField(required=True)
    data = fields.Dict(required=True)


class TimelineOut(Strict):
    """A page of the timeline, the newest first."""

    items = fields.List(fields.Nested(TimelineItemOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ReasonIn(Strict):
    """Why a datum is to be seen whole."""

    reason = Text(200, least=4, required=True, metadata={"description": "查看原因，留痕备查"})


class RevealIn(ReasonIn):
    """Which datum, and why."""

    field = TermField(RevealField, required=True)


class RevealOut(Strict):
    """The datum whole; null when it is not on file."""

    field = TermField(RevealField, required=True)
    value = fields.String(required=True, allow_none=True)
