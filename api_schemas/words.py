"""The vocabularies and the questions of the form on the wire (CONTRACT §1)."""

from marshmallow import fields

from api_schemas.wire import Strict

NAME = {"pattern": "^[a-z][a-z0-9_]*$"}


class TermOut(Strict):
    """One word: what is sent, what people read, where it comes from."""

    value = fields.String(required=True, metadata={"description": "传输和保存的值", "example": "met"})
    label = fields.String(required=True, metadata={"description": "中文名称", "example": "见到本人"})
    source = fields.String(required=True, metadata={"description": "出处", "example": "DOMAIN §3.1"})


class VocabularyOut(Strict):
    """One closed vocabulary."""

    name = fields.String(required=True, metadata={"description": "词表名称", "example": "outcome", **NAME})
    terms = fields.List(fields.Nested(TermOut), required=True)


class QuestionOut(Strict):
    """One question of the visit form; every answer may also be `not_asked`."""

    name = fields.String(
        required=True, metadata={"description": "answers 中的名称", "example": "food", **NAME}
    )
    label = fields.String(required=True, metadata={"description": "问题", "example": "食物"})
    section = fields.String(required=True, metadata={"description": "所在部分，见词表 section"})
    kind = fields.String(
        required=True,
        metadata={
            "description": "回答的形式",
            "enum": ["word", "words", "yes_no", "number", "day", "text"],
        },
    )
    vocabulary = fields.String(
        required=True, allow_none=True, metadata={"description": "选项所在的词表（word 和 words）"}
    )
    required_when = fields.String(
        required=True,
        metadata={
            "description": "何时必答：从不、见到本人、当面见到、在家见到、见到分散供养特困人员",
            "enum": ["never", "met", "met_face_to_face", "met_in_home", "met_dispersed"],
        },
    )
    least = fields.Integer(required=True, allow_none=True, metadata={"description": "最小值（number）"})
    most = fields.Integer(required=True, allow_none=True, metadata={"description": "最大值（number）"})
    source = fields.String(required=True, metadata={"description": "出处", "example": "DOMAIN §3.3"})


class TermsOut(Strict):
    """Every vocabulary and every question."""

    vocabularies = fields.List(fields.Nested(VocabularyOut), required=True)
    questions = fields.List(fields.Nested(QuestionOut), required=True)
