"""The words and values of the visit schedule: rules, periods, duties, contacts, pauses (DOMAIN §1.4, CONTRACT §3)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from server.people.terms import CareLevel, Category, PauseReason, Tag
from server.terms import Term


class DutyState(Term):
    """How a duty stands at the end of a business day; `server.schedule.rules.state_from_tally` decides it."""

    OPEN = "open", "待走访", "CONTRACT §3"
    DUE_SOON = "due_soon", "即将到期", "CONTRACT §3"
    MET = "met", "已完成", "CONTRACT §3"
    MET_LATE = "met_late", "已完成（补报）", "CONTRACT §3"
    OVERDUE = "overdue", "已逾期", "CONTRACT §3"
    MISSED = "missed", "已错过", "CONTRACT §3"
    PAUSED = "paused", "已暂停", "CONTRACT §3"
    CANCELLED = "cancelled", "已取消", "CONTRACT §3"


class DutyKind(Term):
    """Why a visit is owed: the calendar asks for it, or something happened."""

    ROUTINE = "routine", "例行走访", "DOMAIN §1.4"
    EMERGENCY = "emergency", "应急走访", "DOMAIN §1.4"


class PeriodUnit(Term):
    """The calendar period in which a rule asks for visits."""

    ISO_WEEK = "iso_week", "每周", "DOMAIN §1.4"
    MONTH = "month", "每月", "DOMAIN §1.4"
    QUARTER = "quarter", "每季度", "DOMAIN §1.4"
    HALF_YEAR = "half_year", "每半年", "DOMAIN §1.4"
    YEAR = "year", "每年", "DOMAIN §1.4"


class EmergencyKind(Term):
    """What calls for a visit within hours."""

    DISASTER = "disaster", "自然灾害", "DOMAIN §1.4"
    EXTREME_WEATHER = "extreme_weather", "极端天气", "DOMAIN §1.4"
    HOSPITAL_DISCHARGE = "hospital_discharge", "出院", "DOMAIN §1.4"
    CAREGIVER_DEATH = "caregiver_death", "照料服务人去世", "DOMAIN §1.4"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar period; both days belong to it, and its last day is the day that a visit is due on."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class VisitRule:
    """One version of a rule: who is owed how many visits in each period.

    `category` None means everybody, `tag` set means everybody who carries it, on top of what the category asks.
    `alert_days` are days before the due date; the earliest makes a duty due soon (day 20 of a month: 10).
    `cutoff_day` is the day of a period's last month until which a newcomer still owes the period (weeks: Thursday).
    Versions of one rule share `key`; a period uses the version in force on its first day.
    """

    key: str
    category: Category | None
    care_level: CareLevel | None
    tag: Tag | None
    unit: PeriodUnit
    required: int
    in_person: int
    alert_days: tuple[int, ...]
    cutoff_day: int
    effective_from: date
    effective_to: date | None = None
    applies_to_head_only: bool = False
    source: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A visit of the person that is on file, neither void nor withdrawn.

    `counts` is true for the outcomes `met`, `met_elsewhere` and `remote_met`; `dead` for the outcome `dead`; anything
    else was an attempt. `in_person` says that a counting visit was face to face. Both instants are aware.
    """

    visit_id: str
    occurred_at: datetime
    received_at: datetime
    counts: bool
    in_person: bool
    dead: bool = False

    @property
    def is_attempt(self) -> bool:
        """Say whether somebody tried, but did not meet the person."""
        return not self.counts and not self.dead


@dataclass(frozen=True, slots=True)
class Pause:
    """A spell in which the person is not at home; both days belong to it."""

    reason: PauseReason
    from_on: date
    to_on: date

    def covers(self, day: date) -> bool:
        """Say whether the day lies within the pause."""
        return self.from_on <= day <= self.to_on


@dataclass(frozen=True, slots=True)
class DutyFacts:
    """What is owed, before anybody looks at visits.

    The window runs from `opens_at` through the second `due_at`; `due_on` is the business day of `due_at`.
    `due_soon_on` is the first day on which the duty is due soon. `exit_on` is the day on which the person left the
    assistance or died: the first day that is no longer owed.
    """

    kind: DutyKind
    opens_at: datetime
    due_at: datetime
    due_on: date
    due_soon_on: date
    required: int = 1
    in_person: int = 0
    exit_on: date | None = None
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class DutyTally:
    """What visits have done for a duty: the part of its row that is written anew with every visit, void or pause.

    `done`, `done_in_person` and `attempts` count the window. `met_on` is the day of the contact (`met_by`) that
    completed what is required, in order of occurrence; `met_received_at` the instant at which the server had received
    enough. `closed_on` is the day of the first counting contact (`closed_by`) after the window of an unmet duty.
    `exit_on` is the duty's own, or the day of a visit that found the person dead, whichever is earlier.
    """

    done: int = 0
    done_in_person: int = 0
    attempts: int = 0
    met_on: date | None = None
    met_by: str | None = None
    met_received_at: datetime | None = None
    closed_on: date | None = None
    closed_by: str | None = None
    exit_on: date | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A stretch of one person's history under one category and one care level.

    `valid_to` is its last day (None: still running); the next stretch of the same category, if it starts on the day
    after, goes on with it. `exit_on` is the day on which the person left the category, None if they did not.
    `is_head` says whether the person is the head of the household, in whose name the household's visits are owed.
    """

    category: Category
    care_level: CareLevel | None
    valid_from: date
    valid_to: date | None = None
    exit_on: date | None = None
    is_head: bool = True


@dataclass(frozen=True, slots=True)
class TagHeld:
    """A stretch in which the person carried a tag; `valid_to` is its last day (None: still carried)."""

    tag: Tag
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Emergency:
    """Something that happened to the person or around them; `hours` is how soon somebody must have seen them."""

    id: str
    kind: EmergencyKind
    happened_at: datetime
    hours: int


@dataclass(frozen=True, slots=True)
class NewEmergency:
    """Declare an emergency for an area or for named people; `hours` None takes the setting in force."""

    id: UUID
    kind: EmergencyKind
    happened_at: datetime
    area_code: str | None = None
    person_ids: tuple[UUID, ...] | None = None
    hours: int | None = None
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewRuleVersion:
    """A version of a visit rule for an area, with the document that it follows; the id is made by the client."""

    id: UUID
    area_code: str
    rule: VisitRule
    source_url: str = ""


@dataclass(frozen=True, slots=True)
class OwedDuty:
    """A duty that follows from a person's history: its trigger, its period, and the facts that `tally` reads.

    `trigger` is a rule's key or `emergency:<id>`; trigger and `period.start` name the duty among the person's.
    Exactly one of `rule` and `emergency` is set. `category` is the one under which the person is enrolled then.
    """

    trigger: str
    category: Category
    period: Period
    rule: VisitRule | None
    emergency: Emergency | None
    facts: DutyFacts
