"""What a visit asks (DOMAIN §3.3 to §3.8): the one table of questions.

Validation, the OpenAPI schema, `GET /terms` and completeness all read `QUESTIONS`; there is no second list. Every
question also takes `not_asked`: an honest gap beats an invented tick.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.terms import Term
from server.visits import answer_terms as words

NOT_ASKED: Final = "not_asked"
LONGEST_ANSWER: Final = 500  # characters

Answer = str | bool | int | tuple[str, ...]
"""An answer in its wire form; several words are a tuple, a day is `YYYY-MM-DD`."""


class AnswerKind(StrEnum):
    """What sort of answer a question takes."""

    WORD = "word"
    WORDS = "words"
    YES_NO = "yes_no"
    NUMBER = "number"
    DAY = "day"
    TEXT = "text"


class Asked(StrEnum):
    """When an answer is required; `server.visits.rules` says what each means for a record."""

    NEVER = "never"
    MET = "met"
    MET_FACE_TO_FACE = "met_face_to_face"
    MET_IN_HOME = "met_in_home"
    MET_DISPERSED = "met_dispersed"


class Section(Term):
    """The sections of the form, in the order in which it is filled in."""

    LIVING = "living", "生活（吃穿住）", "DOMAIN §3.3"
    HOUSING = "housing", "住房与安全", "DOMAIN §3.4"
    HEALTH = "health", "健康", "DOMAIN §3.5"
    CARE = "care", "照料服务", "DOMAIN §3.6"
    ECONOMY = "economy", "经济变化", "DOMAIN §3.7"
    FOLLOW_UP = "follow_up", "诉求与告知", "DOMAIN §3.8"


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what it is called, what it takes, and when an answer is required.

    `least` and `most` bound numbers. `sealed` answers are kept with the free texts, out of the computable part.
    """

    name: str
    label: str
    section: Section
    kind: AnswerKind
    vocabulary: type[Term] | None = None
    asked: Asked = Asked.NEVER
    least: int = 0
    most: int = 0
    sealed: bool = False

    @property
    def source(self) -> str:
        """Give the paragraph that the question comes from."""
        return self.section.source


_ALL: tuple[Question, ...] = (
    Question("living_with", "与谁同住", Section.LIVING, AnswerKind.WORD, words.LivingWith, asked=Asked.MET),
    Question("food", "食物", Section.LIVING, AnswerKind.WORD, words.Food, asked=Asked.MET),
    Question("food_stock_days", "存粮可吃天数", Section.LIVING, AnswerKind.NUMBER, least=0, most=365),
    Question("meals_by", "谁做饭", Section.LIVING, AnswerKind.WORD, words.MealsBy),
    Question(
        "clothing_bedding",
        "衣被",
        Section.LIVING,
        AnswerKind.WORD,
        words.ClothingBedding,
        asked=Asked.MET_FACE_TO_FACE,
    ),
    Question("clothing_note", "衣被换季说明", Section.LIVING, AnswerKind.TEXT, sealed=True),
    Question("water", "用水", Section.LIVING, AnswerKind.WORD, words.Water, asked=Asked.MET_IN_HOME),
    Question("water_potable", "水是否可饮用", Section.LIVING, AnswerKind.YES_NO),
    Question(
        "hygiene_person",
        "个人卫生",
        Section.LIVING,
        AnswerKind.WORD,
        words.Hygiene,
        asked=Asked.MET_FACE_TO_FACE,
    ),
    Question(
        "hygiene_room", "居室卫生", Section.LIVING, AnswerKind.WORD, words.Hygiene, asked=Asked.MET_IN_HOME
    ),
    Question("heating_cooling", "取暖降温", Section.LIVING, AnswerKind.WORD, words.HeatingCooling),
    Question(
        "money_received",
        "救助金是否按月到账",
        Section.LIVING,
        AnswerKind.WORD,
        words.MoneyReceived,
        asked=Asked.MET,
    ),
    Question("card_held_by", "救助卡由谁保管", Section.LIVING, AnswerKind.WORD, words.CardHeldBy),
    Question(
        "care_fee_known", "是否知道照料护理费", Section.LIVING, AnswerKind.YES_NO, asked=Asked.MET_DISPERSED
    ),
    Question("housing_type", "住房性质", Section.HOUSING, AnswerKind.WORD, words.HousingType),
    Question("housing_structure", "房屋结构", Section.HOUSING, AnswerKind.WORD, words.HousingStructure),
    Question("housing_grade", "危房鉴定等级", Section.HOUSING, AnswerKind.WORD, words.HousingGrade),
    Question("leak", "是否漏雨", Section.HOUSING, AnswerKind.YES_NO),
    Question("crack_tilt", "是否开裂倾斜", Section.HOUSING, AnswerKind.YES_NO),
    Question(
        "housing_safety",
        "住房安全",
        Section.HOUSING,
        AnswerKind.WORD,
        words.HousingSafety,
        asked=Asked.MET_IN_HOME,
    ),
    Question("electric", "用电", Section.HOUSING, AnswerKind.WORD, words.Electric, asked=Asked.MET_IN_HOME),
    Question("fire", "用火", Section.HOUSING, AnswerKind.WORD, words.Fire, asked=Asked.MET_IN_HOME),
    Question("gas", "燃气", Section.HOUSING, AnswerKind.WORD, words.Gas),
    Question("co_alarm", "有无一氧化碳报警器", Section.HOUSING, AnswerKind.YES_NO),
    Question("water_electric_arrears", "是否拖欠水电费", Section.HOUSING, AnswerKind.YES_NO),
    Question("emergency_contact_visible", "紧急联系卡是否张贴", Section.HOUSING, AnswerKind.YES_NO),
    Question("smart_device", "智能设备", Section.HOUSING, AnswerKind.WORD, words.SmartDevice),
    Question(
        "health_overall", "总体健康", Section.HEALTH, AnswerKind.WORD, words.HealthOverall, asked=Asked.MET
    ),
    Question("chronic", "慢性病", Section.HEALTH, AnswerKind.WORDS, words.Chronic),
    Question("mental_state", "精神状态", Section.HEALTH, AnswerKind.WORD, words.MentalState, asked=Asked.MET),
    Question("expression", "表达", Section.HEALTH, AnswerKind.WORD, words.Faculty),
    Question("mobility", "行动", Section.HEALTH, AnswerKind.WORD, words.Faculty),
    Question("reaction", "反应", Section.HEALTH, AnswerKind.WORD, words.Faculty),
    Question(
        "medicine_have", "是否有药", Section.HEALTH, AnswerKind.WORD, words.MedicineHave, asked=Asked.MET
    ),
    Question("medicine_taken_ok", "是否按时服药", Section.HEALTH, AnswerKind.YES_NO),
    Question("hospital_since_last", "上次走访后是否住院", Section.HEALTH, AnswerKind.YES_NO),
    Question("family_doctor", "有无家庭医生", Section.HEALTH, AnswerKind.YES_NO),
    Question(
        "medical_insurance",
        "医疗保险",
        Section.HEALTH,
        AnswerKind.WORD,
        words.MedicalInsurance,
        asked=Asked.MET,
    ),
    Question(
        "self_care_change",
        "自理能力变化",
        Section.HEALTH,
        AnswerKind.WORD,
        words.SelfCareChange,
        asked=Asked.MET,
    ),
    Question("can_eat", "能否自主吃饭", Section.HEALTH, AnswerKind.YES_NO),
    Question("can_dress", "能否自主穿衣", Section.HEALTH, AnswerKind.YES_NO),
    Question("can_get_up", "能否自主上下床", Section.HEALTH, AnswerKind.YES_NO),
    Question("can_use_toilet", "能否自主如厕", Section.HEALTH, AnswerKind.YES_NO),
    Question("can_walk", "能否室内自主行走", Section.HEALTH, AnswerKind.YES_NO),
    Question("can_bathe", "能否自主洗澡", Section.HEALTH, AnswerKind.YES_NO),
    Question("fall_or_injury", "是否跌倒或受伤", Section.HEALTH, AnswerKind.YES_NO),
    Question("caregiver_met", "是否见到照料服务人", Section.CARE, AnswerKind.YES_NO),
    Question("caregiver_last_came_on", "照料服务人上次来的日期", Section.CARE, AnswerKind.DAY),
    Question(
        "caregiver_performing",
        "照料服务人是否履行照料",
        Section.CARE,
        AnswerKind.WORD,
        words.CaregiverPerforming,
        asked=Asked.MET_DISPERSED,
    ),
    Question("failed_items", "未做到的照料", Section.CARE, AnswerKind.WORDS, words.CareItem),
    Question(
        "satisfaction",
        "本人对照料的满意度（1至5，尽量单独询问本人）",
        Section.CARE,
        AnswerKind.NUMBER,
        least=1,
        most=5,
        asked=Asked.MET_DISPERSED,
    ),
    Question("asked_alone", "满意度是否单独询问本人", Section.CARE, AnswerKind.YES_NO),
    Question("abuse_suspected", "是否疑似受到虐待", Section.CARE, AnswerKind.YES_NO, sealed=True),
    Question("members_changed", "家庭成员变化", Section.ECONOMY, AnswerKind.WORDS, words.MemberChange),
    Question("income_changed", "收入是否变化", Section.ECONOMY, AnswerKind.YES_NO),
    Question("employment_changed", "就业是否变化", Section.ECONOMY, AnswerKind.YES_NO),
    Question("pension_started", "是否开始领取养老金", Section.ECONOMY, AnswerKind.YES_NO),
    Question("new_assets", "新增财产", Section.ECONOMY, AnswerKind.WORDS, words.NewAsset),
    Question("rigid_expense", "是否有刚性大额支出", Section.ECONOMY, AnswerKind.YES_NO),
    Question("support_from_obligor", "义务人是否给予赡养扶养", Section.ECONOMY, AnswerKind.YES_NO),
    Question("economy_note", "经济变化说明", Section.ECONOMY, AnswerKind.TEXT, sealed=True),
    Question("appeals", "诉求", Section.FOLLOW_UP, AnswerKind.TEXT, sealed=True),
    Question("policy_told", "是否告知政策", Section.FOLLOW_UP, AnswerKind.YES_NO),
    Question("verdict_truthful", "核实结论", Section.FOLLOW_UP, AnswerKind.WORD, words.VerdictTruthful),
)

QUESTIONS: Mapping[str, Question] = {question.name: question for question in _ALL}
"""Every question of the form, by the name of its answer on the wire."""

REQUIRED: Mapping[Asked, tuple[str, ...]] = {
    asked: tuple(question.name for question in _ALL if question.asked is asked)
    for asked in Asked
    if asked is not Asked.NEVER
}
"""The names of the answers that each circumstance requires."""

SEALED = frozenset(question.name for question in _ALL if question.sealed)
"""Answers that are kept with the free texts."""
