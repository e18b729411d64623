"""People on the wire: registering, changing, enrolling, caring, handing over, importing (CONTRACT §7)."""

from marshmallow import fields

from api_schemas.paging import QueryWhole, QueryYesNo
from api_schemas.wire import (
    DateField,
    Instant,
    Latitude,
    Longitude,
    Many,
    MoneyField,
    Number,
    One,
    Strict,
    TermField,
    Text,
    UuidField,
    YesNo,
)
from server.people.terms import (
    Ability,
    CareLevel,
    Category,
    ExitReason,
    PauseReason,
    Relation,
    Sex,
    Tag,
)
from server.places.terms import Datum

FILE_NO = {"example": "341882003-TK-2026-00017"}


class EnrolmentIn(Strict):
    """An enrolment; `replaces` names the one of another category that ends the day before."""

    id = UuidField(required=True)
    category = TermField(Category, required=True)
    valid_from = DateField(required=True)
    valid_to = DateField(allow_none=True, load_default=None)
    monthly_amount = MoneyField(allow_none=True, load_default=None)
    replaces = UuidField(allow_none=True, load_default=None)


class NewPersonIn(Strict):
    """A person to be registered; the id is made by the client, so that a repeat is harmless."""

    id = UuidField(required=True)
    name = Text(100, required=True)
    village_code = Text(12, least=12, required=True)
    id_number = Text(40, allow_none=True, load_default=None)
    no_id_reason = Text(100, allow_none=True, load_default=None)
    sex = TermField(Sex, allow_none=True, load_default=None)
    birth_date = DateField(allow_none=True, load_default=None)
    phone = Text(40, allow_none=True, load_default=None)
    address = Text(200, allow_none=True, load_default=None)
    bank_account = Text(40, allow_none=True, load_default=None)
    health = Text(1000, allow_none=True, load_default=None)
    household_id = UuidField(allow_none=True, load_default=None)
    household_number = Text(40, allow_none=True, load_default=None)
    is_head = YesNo(allow_none=True, load_default=None)
    relation_to_head = Text(20, allow_none=True, load_default=None)
    legacy_no = Text(60, allow_none=True, load_default=None)
    photo_consent = YesNo(load_default=False)
    enrolment = One(EnrolmentIn, allow_none=True, load_default=None)


class PersonChangeIn(Strict):
    """What is to be changed of a person: what is left out stays, null empties."""

    name = Text(100)
    village_code = Text(12, least=12)
    id_number = Text(40)
    no_id_reason = Text(100, allow_none=True)
    sex = TermField(Sex)
    birth_date = DateField(allow_none=True)
    phone = Text(40, allow_none=True)
    address = Text(200, allow_none=True)
    bank_account = Text(40, allow_none=True)
    health = Text(1000, allow_none=True)
    is_head = YesNo()
    relation_to_head = Text(20, allow_none=True)
    legacy_no = Text(60, allow_none=True)


class PersonRevisionQuery(Strict):
    """The revision that the sender saw."""

    revision = QueryWhole(
        1,
        2**31 - 1,
        required=True,
        error_messages={"required": "请带上读到的 revision。"},
        metadata={"description": "修改时看到的版本号"},
    )


class EnrolmentEndIn(Strict):
    """The last day of an enrolment, and why it ended."""

    valid_to = DateField(required=True)
    reason = TermField(ExitReason, required=True)


class AbilitiesIn(Strict):
    """What the person does alone."""

    eat = YesNo(required=True, metadata={"description": Ability.EAT.label})
    dress = YesNo(required=True, metadata={"description": Ability.DRESS.label})
    bed = YesNo(required=True, metadata={"description": Ability.BED.label})
    toilet = YesNo(required=True, metadata={"description": Ability.TOILET.label})
    walk = YesNo(required=True, metadata={"description": Ability.WALK.label})
    bathe = YesNo(required=True, metadata={"description": Ability.BATHE.label})


class AssessmentIn(Strict):
    """A self-care assessment."""

    id = UuidField(required=True)
    can = One(AbilitiesIn, required=True)
    assessed_on = DateField(required=True)
    assessor = Text(100, required=True)


class HomeIn(Strict):
    """Where the home is, in the datum of the phone or the map."""

    latitude = Latitude(required=True)
    longitude = Longitude(required=True)
    datum = TermField(Datum, required=True)
    accuracy_m = Number(0, 100_000, allow_none=True, load_default=None)


class CaregiverIn(Strict):
    """Who cares for the person from now on."""

    name = Text(100, required=True)
    relation = TermField(Relation, required=True)
    phone = Text(40, allow_none=True, load_default=None)


class AgreementIn(Strict):
    """A care agreement with the present caregiver."""

    id = UuidField(required=True)
    signed_on = DateField(required=True)
    starts_on = DateField(required=True)
    ends_on = DateField(required=True)
    monthly_fee = MoneyField(allow_none=True, load_default=None)


class PersonTagIn(Strict):
    """A tag that the person carries from a day on."""

    tag = TermField(Tag, required=True)
    valid_from = DateField(required=True)
    detail = Text(40, allow_none=True, load_default=None)


class PersonTagsIn(Strict):
    """All the tags that the person carries; those not named end."""

    tags = Many(One(PersonTagIn), most=30, required=True)


class PhotoConsentIn(Strict):
    """Whether the person agrees to photos."""

    photo_consent = YesNo(required=True)


class PauseIn(Strict):
    """Days in which the person is not at home."""

    id = UuidField(required=True)
    reason = TermField(PauseReason, required=True)
    from_on = DateField(required=True)
    to_on = DateField(required=True)
    note = Text(500, allow_none=True, load_default=None)


class DeathIn(Strict):
    """The day on which the person died."""

    died_on = DateField(required=True)


class ResponsibleIn(Strict):
    """Who is responsible from now on."""

    worker_id = UuidField(required=True)


class DeputiesIn(Strict):
    """All who deputise from now on."""

    worker_ids = Many(UuidField(), most=10, distinct=True, required=True)


class HandOverIn(Strict):
    """People who go from one worker to another; without `person_ids` all whom the first answers for."""

    id = UuidField(required=True)
    from_worker = UuidField(required=True)
    to_worker = UuidField(required=True)
    person_ids = Many(UuidField(), most=2000, least=1, distinct=True, allow_none=True, load_default=None)
    reason = Text(200, required=True)


class HandOverOut(Strict):
    """Who was handed over."""

    person_ids = Many(UuidField(), most=100_000, required=True)


class PersonVillageOut(Strict):
    """A village."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class AnsweringWorkerOut(Strict):
    """A worker by name."""

    id = UuidField(required=True)
    name = fields.String(required=True)


class PersonHouseholdOut(Strict):
    """The household, and what the person is in it."""

    id = UuidField(required=True)
    number = fields.String(required=True, allow_none=True)
    is_head = fields.Boolean(required=True)
    relation_to_head = fields.String(required=True, allow_none=True)


class PersonHomeOut(Strict):
    """Where the home is, always in GCJ-02."""

    latitude = Latitude(required=True)
    longitude = Longitude(required=True)
    datum = TermField(Datum, required=True)
    set_at = Instant(required=True)


class PersonCaregiverOut(Strict):
    """Who cares for the person."""

    name = fields.String(required=True)
    relation = TermField(Relation, required=True)
    phone = fields.String(required=True, allow_none=True)


class PersonAgreementOut(Strict):
    """The care agreement that ends last."""

    id = UuidField(required=True)
    signed_on = DateField(required=True)
    starts_on = DateField(required=True)
    ends_on = DateField(required=True)
    monthly_fee = MoneyField(required=True, allow_none=True)


class PersonEnrolmentOut(Strict):
    """An enrolment as it is known now."""

    id = UuidField(required=True)
    category = TermField(Category, required=True)
    valid_from = DateField(required=True)
    valid_to = DateField(required=True, allow_none=True)
    exit_reason = TermField(ExitReason, required=True, allow_none=True)
    monthly_amount = MoneyField(required=True, allow_none=True)


class PersonTagOut(Strict):
    """A tag as it is known now."""

    tag = TermField(Tag, required=True)
    detail = fields.String(required=True, allow_none=True)
    valid_from = DateField(required=True)
    valid_to = DateField(required=True, allow_none=True)


class PersonPauseOut(Strict):
    """A pause as it is known now."""

    id = UuidField(required=True)
    reason = TermField(PauseReason, required=True)
    from_on = DateField(required=True)
    to_on = DateField(required=True)


class PersonFileOut(Strict):
    """A person's file: phone and address whole for those who must find the person, masked for others."""

    person_id = UuidField(required=True)
    revision = fields.Integer(required=True)
    file_no = fields.String(required=True, metadata=FILE_NO)
    legacy_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    sex = TermField(Sex, required=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    id_number_masked = fields.String(required=True, allow_none=True)
    no_id_reason = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    bank_account_masked = fields.String(required=True, allow_none=True)
    household = One(PersonHouseholdOut, required=True)
    photo_consent = fields.Boolean(required=True)
    died_on = DateField(required=True, allow_none=True)
    village = One(PersonVillageOut, required=True)
    categories = fields.List(TermField(Category), required=True)
    care_level = TermField(CareLevel, required=True, allow_none=True)
    home = One(PersonHomeOut, required=True, allow_none=True)
    caregiver = One(PersonCaregiverOut, required=True, allow_none=True)
    agreement = One(PersonAgreementOut, required=True, allow_none=True)
    enrolments = fields.List(One(PersonEnrolmentOut), required=True)
    tags = fields.List(One(PersonTagOut), required=True)
    pauses = fields.List(One(PersonPauseOut), required=True)
    responsible = One(AnsweringWorkerOut, required=True, allow_none=True)
    deputies = fields.List(One(AnsweringWorkerOut), required=True)


class ImportQuery(Strict):
    """How a roster is taken in; category and village hold for rows that do not say them."""

    dry_run = QueryYesNo(load_default=False, metadata={"description": "只核对，不写入"})
    leave_out_rejected = QueryYesNo(load_default=False, metadata={"description": "略去有问题的行"})
    sheet = Text(100, load_default=None, metadata={"description": "工作表名称；不填取第一张有内容的"})
    category = TermField(Category, load_default=None)
    village_code = Text(
        12, least=12, load_default=None, metadata={"description": "名册未写明时的村（社区）代码"}
    )


class RosterForm(Strict):
    """The form of an import, for the OpenAPI file; the file itself is read from the stream."""

    file = fields.Raw(
        required=True,
        metadata={"type": "string", "format": "binary", "description": "名册：.xlsx、.xls、.csv 或 .ods"},
    )


class ImportNoteOut(Strict):
    """Something about one row; no personal datum is in it."""

    row = fields.Integer(required=True)
    column = fields.String(required=True)
    message = fields.String(required=True)


class ImportLeftOutOut(Strict):
    """A row that is not a person, and why it was taken for none."""

    row = fields.Integer(required=True)
    reason = fields.String(required=True)


class ImportOut(Strict):
    """What a roster would do, or did."""

    dry_run = fields.Boolean(required=True)
    rows = fields.Integer(required=True)
    new = fields.Integer(required=True)
    updated = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    problems = fields.List(One(ImportNoteOut), required=True)
    warnings = fields.List(One(ImportNoteOut), required=True)
    sheet = fields.String(required=True, allow_none=True)
    other_sheets = fields.List(fields.String(), required=True)
    unknown_columns = fields.List(fields.String(), required=True)
    left_out = fields.List(One(ImportLeftOutOut), required=True)
    hidden_rows = fields.Integer(required=True)
