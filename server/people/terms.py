"""The closed vocabularies about people: categories, care levels, tags, exits, relations (DOMAIN §1.1, §1.2, §3.2, §5.5)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Protocol
from uuid import UUID

from server.places.terms import Datum
from server.terms import Term


class Living(Protocol):
    """What records about a person need of them: who it is, and where they live now."""

    @property
    def id(self) -> UUID: ...
    @property
    def village_code(self) -> str: ...


class Category(Term):
    """Under what a person is assisted (救助类别); for 低保, 边缘 and 刚性 the unit is the household."""

    DIBAO_URBAN = "dibao_urban", "城市最低生活保障", "最低生活保障审核确认办法"
    DIBAO_RURAL = "dibao_rural", "农村最低生活保障", "最低生活保障审核确认办法"
    TEKUN_DISPERSED = "tekun_dispersed", "分散供养特困人员", "民发〔2021〕43号"
    TEKUN_CENTRAL = "tekun_central", "集中供养特困人员", "民发〔2021〕43号"
    MARGIN = "margin", "最低生活保障边缘家庭", "国办发〔2023〕39号"
    RIGID = "rigid", "刚性支出困难家庭", "国办发〔2023〕39号"
    TEMP = "temp", "临时救助", "DOMAIN §1.1"
    ORPHAN = "orphan", "孤儿", "DOMAIN §1.1"
    UNSUPPORTED_CHILD = "unsupported_child", "事实无人抚养儿童", "DOMAIN §1.1"
    ANTI_RETURN = "anti_return", "防止返贫监测对象", "国办发〔2023〕39号"
    OTHER = "other", "其他困难人员", "国办发〔2023〕39号"


class Residence(Term):
    """Urban or rural registration, where the category does not say it already (特困, 边缘, 刚性)."""

    URBAN = "urban", "城市", "DOMAIN §1.1"
    RURAL = "rural", "农村", "DOMAIN §1.1"


class CareLevel(Term):
    """How much care a person needs, from the self-care assessment (生活自理能力)."""

    FULL_SELF = "full_self", "全自理", "DOMAIN §1.2"
    HALF_CARE = "half_care", "半护理", "DOMAIN §1.2"
    FULL_CARE = "full_care", "全护理", "DOMAIN §1.2"


class Ability(Term):
    """One of the six things that the self-care assessment asks: can the person do it alone?"""

    EAT = "eat", "自主吃饭", "DOMAIN §1.2"
    DRESS = "dress", "自主穿衣", "DOMAIN §1.2"
    BED = "bed", "自主上下床", "DOMAIN §1.2"
    TOILET = "toilet", "自主如厕", "DOMAIN §1.2"
    WALK = "walk", "室内自主行走", "DOMAIN §1.2"
    BATHE = "bathe", "自主洗澡", "DOMAIN §1.2"


class Tag(Term):
    """What else is true of a person, across categories; one person may carry several."""

    SERIOUS_ILLNESS = "serious_illness", "重病", "DOMAIN §1.1"
    LIVING_ALONE = "living_alone", "独居", "DOMAIN §1.1"
    EMPTY_NEST = "empty_nest", "空巢", "DOMAIN §1.1"
    LEFT_BEHIND = "left_behind", "留守", "DOMAIN §1.1"
    DISABLED_ELDER = "disabled_elder", "失能、半失能老人", "DOMAIN §1.1"
    ADVANCED_AGE = "advanced_age", "高龄", "DOMAIN §1.1"
    JISHENG_SPECIAL = "jisheng_special", "计划生育特殊家庭", "DOMAIN §1.1"
    SINGLE_PERSON_GUARANTEE = "single_person_guarantee", "单人保", "DOMAIN §1.1"
    NEAR_RELATIVE_FILING = "near_relative_filing", "近亲属备案", "DOMAIN §1.1"
    HIGH_RISK_ELDER = "high_risk_elder", "高风险老年人", "DOMAIN §1.4"
    KEY_OBJECT = "key_object", "重点探访对象", "DOMAIN §1.4"


class DisabilityType(Term):
    """The kind of a certified disability (残疾类别)."""

    SIGHT = "sight", "视力残疾", "DOMAIN §1.1"
    HEARING = "hearing", "听力残疾", "DOMAIN §1.1"
    SPEECH = "speech", "言语残疾", "DOMAIN §1.1"
    LIMB = "limb", "肢体残疾", "DOMAIN §1.1"
    INTELLECT = "intellect", "智力残疾", "DOMAIN §1.1"
    MENTAL = "mental", "精神残疾", "DOMAIN §1.1"
    MULTIPLE = "multiple", "多重残疾", "DOMAIN §1.1"


class DisabilityGrade(Term):
    """The grade of a certified disability (残疾等级); the first is the most severe."""

    FIRST = "grade_1", "一级", "DOMAIN §1.1"
    SECOND = "grade_2", "二级", "DOMAIN §1.1"
    THIRD = "grade_3", "三级", "DOMAIN §1.1"
    FOURTH = "grade_4", "四级", "DOMAIN §1.1"


@dataclass(frozen=True, slots=True)
class Disability:
    """A certified disability: its kind with its grade, as the certificate (残疾证) says."""

    type: DisabilityType
    grade: DisabilityGrade


class Sex(Term):
    """Sex as the id number or the register gives it."""

    MALE = "male", "男", "GB 11643"
    FEMALE = "female", "女", "GB 11643"
    UNKNOWN = "unknown", "不详", ""


class ExitReason(Term):
    """Why an enrolment ended (退出原因)."""

    DEATH = "death", "死亡", "DOMAIN §5.5"
    INCOME = "income", "收入超标", "DOMAIN §5.5"
    PROPERTY = "property", "财产超标", "DOMAIN §5.5"
    MOVED = "moved", "迁出", "DOMAIN §5.5"
    CATEGORY_CHANGE = "category_change", "转为其他类别", "DOMAIN §5.5"
    VOLUNTARY = "voluntary", "自愿退出", "DOMAIN §5.5"
    OTHER = "other", "其他", "DOMAIN §5.5"


class Relation(Term):
    """What a caregiver or an informant is to the person."""

    NEIGHBOUR = "neighbour", "邻居", "DOMAIN §3.2"
    CAREGIVER = "caregiver", "照料服务人", "DOMAIN §3.2"
    RELATIVE = "relative", "亲属", "DOMAIN §3.2"
    CADRE = "cadre", "村（社区）干部", "DOMAIN §3.2"
    DOCTOR = "doctor", "医生", "DOMAIN §3.2"
    SPOUSE = "spouse", "配偶", "DOMAIN §3.3"
    CHILD = "child", "子女", "DOMAIN §3.3"
    OTHER = "other", "其他", "DOMAIN §3.2"


class PauseReason(Term):
    """Why visits at home are suspended for a while; one contact in the period is owed all the same."""

    HOSPITAL = "hospital", "住院", "DOMAIN §1.4"
    OUT_OF_AREA = "out_of_area", "外出", "DOMAIN §1.4"
    INSTITUTION_TRIAL = "institution_trial", "试住供养机构", "DOMAIN §1.4"


class ResponsibilityKind(Term):
    """How a worker answers for a person's visits."""

    RESPONSIBLE = "responsible", "探视责任人", "DOMAIN §1.4"
    DEPUTY = "deputy", "代理责任人", "CONTRACT §1"


class Keep(Enum):
    """What stands in a change for a field that stays as it is (None empties it)."""

    IT = "keep"


KEEP = Keep.IT


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond which days a date is a typing error; days counted from the business day."""

    earliest: dt.date = dt.date(1900, 1, 1)
    ahead_days: int = 400
    longest_pause_days: int = 366
    longest_agreement_days: int = 3660
    most_deputies: int = 10
    most_tags: int = 30


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """Enrol a person under a category from a day on; `replaces` names the enrolment that ends the day before."""

    id: UUID
    category: Category
    valid_from: dt.date
    valid_to: dt.date | None = None
    monthly_amount: Decimal | None = None
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True)
class EndOfEnrolment:
    """End an enrolment; `valid_to` is its last day."""

    valid_to: dt.date
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Register a person: identity, where they live, their household and the first enrolment.

    The household is given by id, by its number in the village, or not at all: then the person is a household of
    their own. Without an id number a reason is needed. What the id number tells need not be given.
    """

    id: UUID
    name: str = field(repr=False)
    village_code: str
    id_number: str | None = field(default=None, repr=False)
    no_id_reason: str | None = None
    sex: Sex | None = None
    birth_date: dt.date | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    bank_account: str | None = field(default=None, repr=False)
    health: str | None = field(default=None, repr=False)
    household_id: UUID | None = None
    household_number: str | None = None
    is_head: bool | None = None
    relation_to_head: str | None = None
    legacy_no: str | None = None
    photo_consent: bool = False
    enrolment: NewEnrolment | None = None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Change what is given of a person; what is `KEEP` stays, None empties."""

    name: str | Keep = field(default=KEEP, repr=False)
    village_code: str | Keep = KEEP
    id_number: str | Keep = field(default=KEEP, repr=False)
    no_id_reason: str | Keep | None = KEEP
    sex: Sex | Keep = KEEP
    birth_date: dt.date | Keep | None = field(default=KEEP, repr=False)
    phone: str | Keep | None = field(default=KEEP, repr=False)
    address: str | Keep | None = field(default=KEEP, repr=False)
    bank_account: str | Keep | None = field(default=KEEP, repr=False)
    health: str | Keep | None = field(default=KEEP, repr=False)
    is_head: bool | Keep = KEEP
    relation_to_head: str | Keep | None = KEEP
    legacy_no: str | Keep | None = KEEP


@dataclass(frozen=True, slots=True)
class Death:
    """A person died on a day."""

    died_on: dt.date


@dataclass(frozen=True, slots=True)
class Assessment:
    """A self-care assessment: what the person can do alone, on which day, and who judged it."""

    id: UUID
    can: Mapping[Ability, bool]
    assessed_on: dt.date
    assessor: str


@dataclass(frozen=True, slots=True)
class NewCaregiver:
    """Who cares for the person from now on, instead of whoever did."""

    name: str = field(repr=False)
    relation: Relation
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewAgreement:
    """A care agreement with the person's present caregiver; both days belong to it."""

    id: UUID
    signed_on: dt.date
    starts_on: dt.date
    ends_on: dt.date
    monthly_fee: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewHome:
    """Where the home is, in degrees of the datum in which it was taken; the accuracy in metres."""

    latitude: float
    longitude: float
    datum: Datum
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class TagGiven:
    """A tag that a person carries from a day on."""

    tag: Tag
    valid_from: dt.date
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class NewPause:
    """Days in which the person is not at home; both belong to the pause."""

    id: UUID
    reason: PauseReason
    from_on: dt.date
    to_on: dt.date
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hand people from one worker to another; `person_ids` None means all whom the first answers for."""

    id: UUID
    from_worker: UUID
    to_worker: UUID
    reason: str
    person_ids: tuple[UUID, ...] | None = None
