"""Says a finding as a sentence that a reviewer understands, from its numbers alone; ids stay with the evidence."""

from collections.abc import Callable, Mapping
from typing import Any

from server.evidence.terms import FindingCode

Numbers = Mapping[str, Any]

_DOUBTS = {
    "no_home": "住处尚未标定位置",
    "no_fix": "没有定位",
    "unknown_accuracy": "定位精度不明",
    "coarse": "定位精度太低",
    "on_the_edge": "定位误差跨越范围边界",
    "datum": "坐标系可能标错，换一种坐标系则不在范围外",
    "fix_at_another_time": "定位不是走访当时取得的",
}


def sentence(code: str, told: Numbers) -> str:
    """Write the finding in Chinese; of one whose rule told other numbers than today's, what it is about."""
    known = _CODES[code]
    try:
        return _SENTENCES[known](told)
    except (KeyError, TypeError):
        return known.label


def _inside(told: Numbers) -> str:
    return f"定位距住处约{told['distance_m']}米，在{told['radius_m']}米范围内。"


def _outside(told: Numbers) -> str:
    return (
        f"定位距住处约{told['distance_m']}米（精度{told['accuracy_m']}米），"
        f"不在{told['radius_m']}米范围内，请核实是否在住处见到本人。"
    )


def _unclear(told: Numbers) -> str:
    return f"无法判断是否在住处：{_DOUBTS[told['doubt']]}。"


def _spot(told: Numbers) -> str:
    return (
        f"{told['days']}天内有{told['homes']}户的上门记录定位在同一地点（{told['radius_m']}米内），"
        "请核实是否逐户走访。"
    )


def _same_fix(told: Numbers) -> str:
    return f"定位坐标与另外{len(told['visits'])}次走访完全相同，而时间相隔{told['apart_min']}分钟以上。"


def _seen(how: str) -> Callable[[Numbers], str]:
    def say(told: Numbers) -> str:
        whose = "其他对象的" if told["other_people"] else "本人的"
        when = "较早的" if told["is_later"] else ""
        return f"有{told['photos']}张照片与{whose}{when}走访照片{how}，请比对两次的照片。"

    return say


def _photo_time(told: Numbers) -> str:
    first = told["times"][0]
    source = "相机记录" if first["from_camera"] else "手机填报"
    off, way = (
        (first["minutes_before"], "早于走访开始")
        if first["minutes_before"]
        else (first["minutes_after"], "晚于走访结束")
    )
    return f"有{told['photos']}张照片的拍摄时间与走访不符：{source}的时间{way}{_span(off)}。"


def _photo_place(told: Numbers) -> str:
    metres = max(one["distance_m"] for one in told["distances"])
    return f"有{told['photos']}张照片记录的拍摄地点距走访地点和住处{_metres(metres)}。"


def _travel(told: Numbers) -> str:
    first = told["trips"][0]
    return (
        f"与同一走访人员的另一次走访相距至少{_metres(first['distance_m'])}，间隔仅{first['minutes']}分钟，"
        f"时速{told['speed_kmh']}公里也来不及，请核实两次的时间。"
    )


def _later(told: Numbers) -> str:
    return f"按手机时间，记录在走访结束{_span(told['hours'] * 60)}后才填写。"


def _clock(told: Numbers) -> str:
    if told["ahead_s"] > told["allowed_s"]:
        return f"手机时间比服务器快{_span(told['ahead_s'] // 60)}。"
    return f"按手机时间，记录在走访开始前{_span(told['made_before_s'] // 60)}就已填写。"


def _death(told: Numbers) -> str:
    if told["days_after"]:
        return f"登记死亡{told['days_after']}天之后仍记为见到本人，请核实死亡日期和走访对象。"
    return "此前已有走访报告本人死亡，之后仍记为见到本人，请核实。"


_SENTENCES: Mapping[FindingCode, Callable[[Numbers], str]] = {
    FindingCode.FENCE_INSIDE: _inside,
    FindingCode.FENCE_OUTSIDE: _outside,
    FindingCode.FENCE_UNCLEAR: _unclear,
    FindingCode.ONE_SPOT: _spot,
    FindingCode.SAME_FIX: _same_fix,
    FindingCode.PHOTO_SAME_BYTES: _seen("是同一个文件"),
    FindingCode.PHOTO_NEAR_DUPLICATE: _seen("极为相似"),
    FindingCode.PHOTO_TIME: _photo_time,
    FindingCode.PHOTO_PLACE: _photo_place,
    FindingCode.PHOTO_FACTS_ABSENT: lambda told: (
        f"{told['of']}张照片中有{told['photos']}张没有拍摄时间和地点（微信会去掉），无从比对，不说明任何问题。"
    ),
    FindingCode.PHOTO_DEBT: lambda told: f"还有{told['photos']}张照片没有收到。",
    FindingCode.TRAVEL_IMPOSSIBLE: _travel,
    FindingCode.VISITS_OVERLAP: lambda told: (
        f"与同一走访人员的另外{len(told['visits'])}次走访重叠{told['minutes']}分钟，且不在一处。"
    ),
    FindingCode.TOO_SHORT: lambda told: (
        f"走访历时{told['seconds']}秒，填写了{told['answers']}项回答，平均每项不足{told['seconds_per_answer']}秒。"
    ),
    FindingCode.CLOCK_OFF: _clock,
    FindingCode.RECORDED_LATER: _later,
    FindingCode.WRITTEN_IN_SERIES: lambda told: (
        f"{told['days']}天的{told['visits']}次走访，按手机时间是在{told['within_min']}分钟内连续补填的。"
    ),
    FindingCode.UNUSUAL_HOUR: lambda told: (
        f"走访开始于{told['hour']}时{told['minute']:02}分，不在通常时段；仅供了解。"
    ),
    FindingCode.MET_AFTER_DEATH: _death,
    FindingCode.NOTES_COPIED: lambda told: (
        f"备注（{told['length']}字）与同一走访人员为另外{told['people']}名对象所写的雷同"
        f"（相似{told['alike_percent']}%）。"
    ),
    FindingCode.ANSWERS_COPIED: lambda told: (
        f"{told['answers']}项回答与另外{told['people']}名对象完全相同，其中{told['telling']}项不是通常的回答。"
    ),
    FindingCode.TEXT_IN_MANY: lambda told: (
        f"同样的备注（{told['length']}字）还出现在至少{told['people_at_least']}名其他对象的记录中。"
    ),
}
_CODES = {one.value: one for one in FindingCode}


def _metres(metres: int) -> str:
    return f"{metres / 1000:.1f}公里" if metres >= 1000 else f"{metres}米"  # noqa: PLR2004


def _span(minutes: int) -> str:
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)}天"
    return f"{minutes // 60}小时" if minutes >= 120 else f"{minutes}分钟"  # noqa: PLR2004
