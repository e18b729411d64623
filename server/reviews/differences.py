"""What differs between two bodies of a visit, in words for a reviewer."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.terms import Term
from server.visits.answers import NOT_ASKED, QUESTIONS
from server.visits.form import VOCABULARIES

Body = Mapping[str, Any]
Change = dict[str, Any]

LABELS: Mapping[str, str] = {
    "method": "走访方式",
    "purposes": "走访目的",
    "outcome": "走访结果",
    "identity_checked_by": "核对身份方式",
    "occurred_at": "走访时间",
    "ended_at": "结束时间",
    "client_created_at": "手机生成记录的时间",
    "visitors": "走访人员",
    "recorded_for": "代谁补录",
    "village_assistant": "协助走访人员",
    "location": "定位",
    "no_location_reason": "没有定位的原因",
    "needs": "需求",
    "problems": "发现的问题",
    "absence": "未见到本人的情况",
    "conclusion": "走访结论",
    "notes": "备注",
    "signatures": "签字",
    "photos": "照片",
    "no_photo_reason": "没有照片的原因",
}
_WORDS: Mapping[str, str] = {
    member.value: member.label for vocabulary in reversed(VOCABULARIES) for member in vocabulary
}
_YES_NO = {True: "是", False: "否"}


def changes(before: Body, after: Body, *, only: frozenset[str] | None = None) -> list[Change]:
    """List the fields and answers that differ, in the order of the form; `only` names the fields to compare.

    Each has its `path` (`answers.food`), a `label`, the values of both, and the values as people read them.
    """
    return [
        {
            "path": path,
            "label": label,
            "before": old,
            "after": new,
            "before_text": read(old, vocabulary),
            "after_text": read(new, vocabulary),
        }
        for path, label, old, new, vocabulary in _pairs(before, after, only)
        if old != new or type(old) is not type(new)  # True == 1
    ]


def _pairs(
    before: Body, after: Body, only: frozenset[str] | None
) -> Iterator[tuple[str, str, Any, Any, type[Term] | None]]:
    for name in dict.fromkeys((*before, *after)):
        if name == "person_id" or (only is not None and name not in only):
            continue
        if name == "answers":
            yield from _answers(before.get(name) or {}, after.get(name) or {})
        else:
            yield name, LABELS.get(name, name), before.get(name), after.get(name), None


def _answers(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any, Any, type[Term] | None]]:
    named = [name for name in QUESTIONS if name in before or name in after]
    for name in named:
        question = QUESTIONS[name]
        yield f"answers.{name}", question.label, before.get(name), after.get(name), question.vocabulary


def read(value: Any, vocabulary: type[Term] | None = None) -> str:
    """Write a value as people read it; what has no short form is counted."""
    if value is None or value in ([], {}):
        return "—"
    if isinstance(value, list):
        is_plain = all(isinstance(one, str) for one in value)
        return "、".join(read(one, vocabulary) for one in value) if is_plain else f"{len(value)}项"
    if isinstance(value, bool):
        return _YES_NO[value]
    if value == NOT_ASKED:
        return "未询问"
    if isinstance(value, str):
        words = {one.value: one.label for one in vocabulary} if vocabulary else _WORDS
        return words.get(value, value)
    return "有" if isinstance(value, dict) else str(value)
