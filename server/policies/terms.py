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


def _evidence(key: str, default: int, unit: str, label: str) -> PolicyNumber:
    return PolicyNumber(f"evidence.{key}", default, unit, f"佐证：{label}", "设计，docs/evidence.md，待确认")


EVIDENCE = (
    _evidence("fix_apart", 30, "minute", "定位时间与走访时间相差多少分钟以内才算当时的定位"),
    _evidence("spot_radius", 60, "metre", "多少米以内算同一地点"),
    _evidence("spot_homes", 4, "piece", "同一地点记录多少户起提示"),
    _evidence("spot_days", 10, "day", "同一地点的记录按多少天内计"),
    _evidence("same_fix_apart", 10, "minute", "相隔多少分钟以上坐标仍完全相同起提示"),
    _evidence("photo_before", 120, "minute", "照片早于走访开始多少分钟起提示"),
    _evidence("photo_after", 120, "minute", "照片晚于走访结束多少分钟起提示"),
    _evidence("photo_far", 1000, "metre", "照片拍摄地点距走访地点多少米起提示"),
    _evidence("photo_alike", 82, "percent", "与其他对象的照片相似到百分之多少起提示"),
    _evidence("photo_alike_own", 93, "percent", "与本人或同户以前的照片相似到百分之多少起提示"),
    _evidence("travel_speed", 120, "km_per_hour", "路上最快时速"),
    _evidence("travel_least", 1000, "metre", "相距多少米以上才比较赶路时间"),
    _evidence("travel_slack", 3, "minute", "赶路时间的宽限"),
    _evidence("overlap_least", 5, "minute", "两次走访重叠多少分钟起提示"),
    _evidence("seconds_per_answer", 4, "second", "平均每项回答至少需要的秒数"),
    _evidence("answers_timed", 8, "piece", "回答多少项起比较时长"),
    _evidence("clock_ahead", 10, "minute", "手机时间超前多少分钟起提示"),
    _evidence("recorded_after", 36, "hour", "走访结束多少小时后才填写起提示"),
    _evidence("series_visits", 3, "piece", "连续补填多少次不同日期的走访起提示"),
    _evidence("series_within", 20, "minute", "多少分钟以内填写算连续"),
    _evidence("night_from", 21, "hour", "几点以后算不寻常时段"),
    _evidence("night_until", 6, "hour", "几点以前算不寻常时段"),
    _evidence("compared_days", 45, "day", "同一人的走访在前后多少天内互相比较"),
    _evidence("notes_least", 14, "character", "备注多少字以上才比较"),
    _evidence("notes_alike", 55, "percent", "备注相似到百分之多少起提示"),
    _evidence("text_least", 20, "character", "多少字以上的文字在全部记录中比较"),
    _evidence("text_people", 4, "piece", "同样的文字用于多少名其他对象起提示"),
    _evidence("answers_least", 12, "piece", "回答多少项以上才比较"),
    _evidence("answers_telling", 3, "piece", "其中至少有多少项不是通常的回答"),
    _evidence("answers_people", 2, "piece", "回答与多少名其他对象完全相同起提示"),
)
"""From where on evidence speaks up; every threshold of server/evidence."""

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
        PolicyNumber("spotchecks.share", 10, "percent", "抽查比例的下限和默认值", "DOMAIN §12.23"),
        PolicyNumber(
            "spotchecks.every_visitor", 1, "yes_no", "每名走访人员每月至少抽查一次", "DOMAIN §7 [D]"
        ),
        PolicyNumber(
            "spotchecks.every_village", 1, "yes_no", "每村（社区）每月至少抽查一次", "DOMAIN §7 [D]"
        ),
        PolicyNumber("spotchecks.check_within", 20, "day", "抽中后多少天内完成核查", "设计，待确认"),
        PolicyNumber("spotchecks.recall_days", 3, "day", "回忆日期相差多少天以内算相符", "设计，待确认"),
        PolicyNumber("spotchecks.number_tolerance", 1, "piece", "数字答案相差多少以内算相同", "设计，待确认"),
        PolicyNumber(
            "spotchecks.minor_from", 1, "piece", "一类题目几处不同起建议认定一般问题", "设计，待确认"
        ),
        PolicyNumber(
            "spotchecks.major_from", 3, "piece", "一类题目几处不同起建议认定严重问题", "设计，待确认"
        ),
        PolicyNumber("rectification.answer_within", 15, "day", "整改通知后多少天内答复", "设计，待确认"),
        PolicyNumber("rectification.recheck_within", 10, "day", "整改答复后多少天内复核", "设计，待确认"),
        PolicyNumber(
            "rectification.escalate_first_after", 1, "day", "整改超期多少天第一次上报", "设计，待确认"
        ),
        PolicyNumber(
            "rectification.escalate_second_after", 7, "day", "整改超期多少天第二次上报", "设计，待确认"
        ),
        PolicyNumber("problems.due_low", 30, "day", "轻微问题的整改期限", "设计，待确认"),
        PolicyNumber("problems.due_medium", 15, "day", "一般问题的整改期限", "设计，待确认"),
        PolicyNumber("problems.due_high", 7, "day", "严重问题的整改期限", "设计，待确认"),
        PolicyNumber("problems.due_urgent", 1, "day", "紧急问题的整改期限", "设计，待确认"),
        PolicyNumber("problems.check_within", 5, "day", "整改后核查的期限", "设计，待确认"),
        PolicyNumber("problems.escalate_first_after", 1, "day", "问题逾期多少天第一次上报", "设计，待确认"),
        PolicyNumber("problems.escalate_second_after", 7, "day", "问题逾期多少天第二次上报", "设计，待确认"),
        PolicyNumber("problems.escalate_third_after", 30, "day", "问题逾期多少天第三次上报", "设计，待确认"),
        PolicyNumber(
            "reviews.second_for_deaths", 1, "yes_no", "死亡记录是否须两名审核人员通过", "设计，待确认"
        ),
        PolicyNumber(
            "reviews.second_for_urgent", 1, "yes_no", "有紧急问题的记录是否须两名审核人员通过", "设计，待确认"
        ),
        PolicyNumber(
            "reviews.blind_share", 5, "percent", "通过的记录中由另一人盲审复核的比例", "设计，待确认"
        ),
        PolicyNumber("archives.retention_years", 10, "year", "档案保存年限", "DOMAIN §4.1"),
        *EVIDENCE,
    )
}
