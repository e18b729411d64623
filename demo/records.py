"""Writes visit records as a phone's form does, with answers that vary as people do."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any
from uuid import UUID

from server.tools import SHANGHAI
from server.visits.answers import NOT_ASKED, QUESTIONS, AnswerKind, Asked, Question
from server.visits.terms import Outcome

Body = dict[str, Any]
Item = Mapping[str, Any]

NOTES: Sequence[Sequence[str]] = (
    (
        *(
            "老人精神不错",
            "刚午睡起来",
            "在灶间烧火",
            "坐在门口择菜",
            "菜地里刚回来",
            "正听收音机",
            "说夜里咳了两声",
        ),
        *("腿脚比上月利索", "头发才理过", "正喂几只鸡", "穿着新发的棉鞋", "在后院劈柴"),
    ),
    (
        *(
            "院子扫得干净",
            "被褥够厚",
            "米缸还有大半",
            "水缸是满的",
            "墙角堆着柴，已叫挪开",
            "窗缝漏风，记下了",
        ),
        *(
            "冰箱里有肉有菜",
            "插座换过新的",
            "煤气瓶放在屋外",
            "屋顶补过，没再漏",
            "床头有药，日期都对",
            "烟囱通畅",
        ),
    ),
    (
        *(
            "反映膝盖疼，已联系村卫生室",
            "想配一副老花镜",
            "问高龄津贴几时到账",
            "没有别的需求",
            "外甥周末来看过",
        ),
        *(
            "提醒了用火用电",
            "约好下月一道去体检",
            "医保卡找到了",
            "请帮忙看电视信号",
            "托我带两斤盐",
            "叮嘱雨天少出门",
        ),
    ),
)
"""What a visitor notes: how the person was, what was seen, what was said; or nothing."""
SAID = ("早上看见他去菜地了。", "前天去女儿家了，过两天回来。", "昨天还在门口晒太阳。", "一早赶集去了。")
USUAL = 0.78
"""How often an answer is the usual one, the first of its vocabulary."""


@dataclass(frozen=True)
class Told:
    """What a visitor brings home from one errand."""

    item: Item
    outcome: Outcome
    at: dt.datetime
    visitors: Sequence[str]
    purposes: Sequence[str] = ("routine",)
    photo_ids: Mapping[UUID, str] = field(default_factory=dict)
    hazard: bool = False


URGENT = 0.5
"""Which part of the hazards cannot wait."""


def written(told: Told, chance: Random) -> Body:
    """Write the whole record of a visit or an attempt."""
    met = told.outcome in {Outcome.MET, Outcome.MET_ELSEWHERE, Outcome.REMOTE_MET}
    remote = told.outcome is Outcome.REMOTE_MET
    ended_at = told.at + dt.timedelta(minutes=chance.randint(8, 35))
    dispersed = "tekun_dispersed" in told.item["categories"]
    location = None if remote else _location(told, chance)
    return {
        "person_id": told.item["person_id"],
        "method": chance.choice(["phone", "video"]) if remote else "home",
        "purposes": list(told.purposes),
        "outcome": told.outcome.value,
        "identity_checked_by": chance.choice(["known", "known", "id_card", "photo_compare"]) if met else None,
        "occurred_at": wire(told.at),
        "ended_at": wire(ended_at),
        "client_created_at": wire(ended_at + dt.timedelta(seconds=chance.randint(-40, 90))),
        "visitors": list(told.visitors),
        "location": location,
        "no_location_reason": None
        if location is not None or remote
        else chance.choice(["no_signal", "indoor", "refused"]),
        "answers": _answers(told.outcome, dispersed=dispersed, chance=chance) if met else {},
        "needs": [{"kind": "medical", "detail": "需要配药"}] if met and chance.random() < 0.1 else [],
        "problems": [_hazard(told, chance)] if told.hazard else [],
        "absence": None if met else _absence(told, chance),
        "conclusion": ("attention" if told.hazard or chance.random() < 0.12 else "normal") if met else None,
        "notes": _notes(chance),
        "signatures": [],
        "photos": [
            {"id": str(one), "kind": kind, "taken_at": wire(told.at + dt.timedelta(minutes=3))}
            for one, kind in told.photo_ids.items()
        ],
        "no_photo_reason": None if told.photo_ids or told.purposes == ("routine",) else "本人不愿拍照",
    }


def _notes(chance: Random) -> str | None:
    if chance.random() < 0.3:
        return None
    return "，".join(chance.choice(part) for part in NOTES) + "。"


def wire(instant: dt.datetime) -> str:
    """Write an instant as a phone in Shanghai does."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _answers(outcome: Outcome, *, dispersed: bool, chance: Random) -> Body:
    asked = {Asked.MET}
    if outcome is not Outcome.REMOTE_MET:
        asked.add(Asked.MET_FACE_TO_FACE)
    if outcome is Outcome.MET:
        asked.add(Asked.MET_IN_HOME)
    if dispersed:
        asked.add(Asked.MET_DISPERSED)
    wanted = [
        one
        for one in QUESTIONS.values()
        if one.asked in asked or (one.asked is Asked.NEVER and _is_small_talk(one) and chance.random() < 0.3)
    ]
    return {one.name: NOT_ASKED if chance.random() < 0.05 else _answer(one, chance) for one in wanted}


def _is_small_talk(question: Question) -> bool:
    return question.kind in {AnswerKind.WORD, AnswerKind.YES_NO} and not question.sealed


def _answer(question: Question, chance: Random) -> str | bool | int:
    if question.kind is AnswerKind.NUMBER:
        return chance.randint(max(question.least, 3), min(question.most, 5))
    if question.kind is AnswerKind.YES_NO:
        return question.name in {"policy_told", "care_fee_known", "asked_alone"} or chance.random() < 0.15
    assert question.vocabulary is not None
    words = list(question.vocabulary)
    return str(words[0] if chance.random() < USUAL else chance.choice(words[:2]))


def _location(told: Told, chance: Random) -> Body | None:
    home = told.item["home"]
    if home is None or chance.random() < 0.12:
        return None
    return {
        "latitude": round(home["latitude"] + chance.gauss(0, 0.0002), 6),
        "longitude": round(home["longitude"] + chance.gauss(0, 0.0002), 6),
        "accuracy_m": chance.choice([12, 20, 25, 35, 65]),
        "datum": home["datum"],
        "taken_at": wire(told.at + dt.timedelta(seconds=20)),
    }


def _hazard(told: Told, chance: Random) -> Body:
    """Write a hazard; of some, sparks were seen, and two reviewers have to know of it."""
    urgent = chance.random() < URGENT
    shown = [str(one) for one, kind in told.photo_ids.items() if kind == "hazard"]
    return {
        "code": "old_wiring",
        "severity": "urgent" if urgent else "high",
        "description": "灶间电线裸露打火，已拉闸。" if urgent else "堂屋电线老化，已提醒停用并报电工检修。",
        "fixed_on_site": False,
        "photo_ids": shown,
    }


def _absence(told: Told, chance: Random) -> Body:
    day = told.at.astimezone(SHANGHAI).date()
    return {
        "informants": [
            {
                "relation": chance.choice(["neighbour", "caregiver", "relative", "cadre"]),
                "name": chance.choice(["张大妈", "老李", "王婶", "村民组长刘师傅"]),
                "said": chance.choice(SAID),
            }
        ],
        "last_seen_on": (day - dt.timedelta(days=chance.randint(0, 2))).isoformat(),
        "whereabouts": chance.choice(["下地干活", "去亲戚家", "赶集"]),
        "absence_reason": chance.choice(["field_work", "visiting_relatives", "unknown"]),
        "contact_tried": ["phone"],
        "next_try_on": (day + dt.timedelta(days=chance.randint(1, 2))).isoformat(),
    }
