"""The answers of a visit on the wire: one field, checked straight from the table of questions."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import fields
from marshmallow.exceptions import ValidationError
from marshmallow.types import ErrorMessages

from api_schemas import wire
from server.visits.form import LONGEST_ANSWER, NOT_ASKED, QUESTIONS, Answer, AnswerKind, Question

Check = Callable[[Any], Answer]
"""Takes one value as sent, gives the answer; raises ValidationError."""


def _word(question: Question) -> Check:
    assert question.vocabulary is not None
    words = {member.value: member.value for member in question.vocabulary}

    def check(value: Any) -> Answer:
        found = words.get(value) if isinstance(value, str) else None
        if found is None:
            raise wire.outside({**words, NOT_ASKED: NOT_ASKED})
        return found

    return check


def _words(question: Question) -> Check:
    one = _word(question)

    def check(value: Any) -> Answer:
        if not isinstance(value, list):
            raise ValidationError("应当是一个列表（[…]）。")
        if len(value) > len(question.vocabulary or ()):
            raise ValidationError("选项太多。")
        found = tuple(str(one(word)) for word in value)
        if len(set(found)) != len(found):
            raise ValidationError("有重复的项。")
        return found

    return check


def _yes_no(_question: Question) -> Check:
    def check(value: Any) -> Answer:
        if not isinstance(value, bool):
            raise ValidationError("应当是 true、false 或 not_asked。")
        return value

    return check


def _number(question: Question) -> Check:
    return lambda value: wire.whole(value, question.least, question.most)


def _day(_question: Question) -> Check:
    return lambda value: wire.day(value).isoformat()


def _text(_question: Question) -> Check:
    return lambda value: wire.text(value, LONGEST_ANSWER)


_CHECKS: Mapping[AnswerKind, Callable[[Question], Check]] = {
    AnswerKind.WORD: _word,
    AnswerKind.WORDS: _words,
    AnswerKind.YES_NO: _yes_no,
    AnswerKind.NUMBER: _number,
    AnswerKind.DAY: _day,
    AnswerKind.TEXT: _text,
}

CHECKS: Mapping[str, Check] = {name: _CHECKS[one.kind](one) for name, one in QUESTIONS.items()}


def _schema(question: Question) -> dict[str, Any]:
    words = [member.value for member in question.vocabulary or ()]
    shown: dict[str, Any] = {"description": question.label, "x-source": question.source}
    if question.vocabulary is not None:
        shown["x-labels"] = wire.labels(question.vocabulary) | {NOT_ASKED: "未询问"}
    not_asked = {"type": ["string", "null"], "enum": [NOT_ASKED, None]}
    match question.kind:
        case AnswerKind.WORD:
            return shown | {"type": ["string", "null"], "enum": [*words, NOT_ASKED, None]}
        case AnswerKind.TEXT:
            return shown | {"type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_ANSWER}
        case AnswerKind.DAY:
            form: dict[str, Any] = {"type": "string", "format": "date"}
        case AnswerKind.NUMBER:
            form = {"type": "integer", "minimum": question.least, "maximum": question.most}
        case AnswerKind.YES_NO:
            form = {"type": "boolean"}
        case AnswerKind.WORDS:
            items = {"type": "string", "enum": words}
            form = {"type": "array", "items": items, "uniqueItems": True, "maxItems": len(words)}
    return shown | {"anyOf": [form, not_asked]}


def answers_schema() -> dict[str, Any]:
    """Describe the answers as JSON Schema; every answer may be `not_asked`, and null is the same as left out."""
    return {
        "type": "object",
        "properties": {name: _schema(question) for name, question in QUESTIONS.items()},
        "additionalProperties": False,
    }


class Answers(fields.Field[Mapping[str, Answer]]):
    """The answers of a visit by question name; unknown names are refused, null counts as left out."""

    default_error_messages: ErrorMessages = wire.MESSAGES

    def __init__(self, **options: Any) -> None:
        metadata = answers_schema() | dict(options.pop("metadata", {}))
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Answer]:
        del attr, data, kwargs
        if not isinstance(value, dict):
            raise ValidationError("应当是一个对象（{…}）。")
        found: dict[str, Answer] = {}
        errors: dict[str, list[Any]] = {}
        for name, answer in value.items():
            check = CHECKS.get(name) if isinstance(name, str) else None
            if check is None:
                errors[str(name)] = ["没有这个问题，请检查名称。"]
            elif answer == NOT_ASKED:
                found[name] = NOT_ASKED
            elif answer is not None:
                try:
                    found[name] = check(answer)
                except ValidationError as refused:
                    errors[name] = list(refused.messages)
        if errors:
            raise ValidationError(errors)
        return found
