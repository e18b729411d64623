"""The words of the archives (一人一档)."""

from dataclasses import dataclass, field

from server.people.terms import Category
from server.terms import Term


class SearchKind(Term):
    """What a search is understood as."""

    NAME = "name", "姓名", "CONTRACT §7"
    INITIALS = "initials", "拼音首字母", "CONTRACT §7"
    FILE_NO = "file_no", "档案编号", "CONTRACT §7"
    LAST_FOUR = "last_four", "身份证号后四位", "CONTRACT §7"
    ID_NUMBER = "id_number", "身份证号", "CONTRACT §7"


class RevealField(Term):
    """One datum that is masked until somebody gives a reason."""

    ID_NUMBER = "id_number", "身份证号码", "CONTRACT §7"
    PHONE = "phone", "联系电话", "CONTRACT §7"
    ADDRESS = "address", "住址", "CONTRACT §7"
    BANK_ACCOUNT = "bank_account", "银行账号", "CONTRACT §7"
    HEALTH = "health", "健康备注", "CONTRACT §7"
    CAREGIVER_PHONE = "caregiver_phone", "照料服务人电话", "CONTRACT §7"


class EventKind(Term):
    """What a line of a person's timeline tells of; the values order lines of the same instant."""

    AGREEMENT = "agreement", "照料服务协议", "CONTRACT §7"
    ASSESSMENT = "assessment", "自理能力评估", "CONTRACT §7"
    ATTEMPT = "attempt", "走访未遇", "CONTRACT §7"
    DECISION = "decision", "审核", "CONTRACT §7"
    DUTY_MET = "duty_met", "任务完成", "CONTRACT §7"
    DUTY_MISSED = "duty_missed", "任务未按期完成", "CONTRACT §7"
    ENROLLED = "enrolled", "纳入救助", "CONTRACT §7"
    ENROLMENT_ENDED = "enrolment_ended", "退出救助", "CONTRACT §7"
    FINDING = "finding", "佐证提示", "CONTRACT §6"
    HANDED_OVER = "handed_over", "责任人变更", "CONTRACT §7"
    PAUSE = "pause", "暂停走访", "CONTRACT §7"
    PROBLEM = "problem", "发现问题", "CONTRACT §7"
    VISIT = "visit", "走访", "CONTRACT §7"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files a list asks for."""

    query: str | None = field(default=None, repr=False)
    village: str | None = None
    category: Category | None = None
