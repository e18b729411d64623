"""The policy numbers that the house knows: key, default, unit, source (DOMAIN §0.1: never numbers in code)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PolicyNumber:
    """One number: its default seeds the first version, marked for local confirmation."""

    key: str
    default: Any
    unit: str
    label: str
    source: str = "DOMAIN §1.4 [D]"


NUMBERS = {
    number.key: number
    for number in (
        PolicyNumber("duties.begin_on", None, "date", "走访任务起算日（上线日）", "设计"),
        PolicyNumber("emergency.hours", 24, "hour", "突发情况后须见到本人的小时数", "DOMAIN §1.4 V3"),
        PolicyNumber("visits.future_tolerance", 10, "minute", "走访时间允许超前的分钟数", "CONTRACT §4"),
        PolicyNumber("visits.late_after", 24, "hour", "走访后多久送达算补录", "DOMAIN §1.4"),
        PolicyNumber(
            "visits.missing_answers_refused",
            0,
            "yes_no",
            "必答项缺失时是否拒收（否则计入不完整）",
            "DOMAIN §3 [D]",
        ),
        PolicyNumber("absence.next_try_within", 3, "day", "未见到本人后再次走访的期限", "DOMAIN §3.2 [D]"),
        PolicyNumber("absence.unseen_urgent_after", 72, "hour", "多久无人见到即为紧急问题", "CONTRACT §4"),
        PolicyNumber("photos.most_per_visit", 9, "piece", "每次走访照片张数上限", "DOMAIN §3.9"),
        PolicyNumber("fence.radius", 200, "metre", "住址范围半径", "PEERS §3"),
        PolicyNumber("fence.worst_accuracy", 150, "metre", "可判断的最差定位精度", "PEERS §2"),
        PolicyNumber("duties.escalate_first_after", 1, "day", "逾期多少天第一次上报", "设计，待确认"),
        PolicyNumber("duties.escalate_second_after", 7, "day", "逾期多少天第二次上报", "设计，待确认"),
        PolicyNumber("duties.escalate_third_after", 30, "day", "逾期多少天第三次上报", "设计，待确认"),
        PolicyNumber(
            "reveal.most_per_hour", 30, "times", "每人每小时查看原始信息次数上限", "TRUST §2，待确认"
        ),
        PolicyNumber("archives.retention_years", 10, "year", "档案保存年限", "DOMAIN §4.1"),
    )
}
