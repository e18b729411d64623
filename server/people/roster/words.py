"""Words of categories, care levels, relations and disabilities as rosters write them."""

import re

from server.people.terms import (
    CareLevel,
    Category,
    Disability,
    DisabilityGrade,
    DisabilityType,
    Relation,
    Residence,
)

_GRADES = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4, "Ⅰ": 1, "Ⅱ": 2, "Ⅲ": 3, "Ⅳ": 4}
_GRADE_OF = dict(enumerate(DisabilityGrade, start=1))
_KINDS = {
    "视": DisabilityType.SIGHT,
    "听": DisabilityType.HEARING,
    "言": DisabilityType.SPEECH,
    "肢": DisabilityType.LIMB,
    "智": DisabilityType.INTELLECT,
    "精": DisabilityType.MENTAL,
    "多重": DisabilityType.MULTIPLE,
}


def residence_of(text: str) -> Residence | None:
    """Find 城市 or 农村 in a text; nothing when both or neither are in it."""
    urban = re.search(r"城|非农|居民户|街道", text) is not None
    rural = re.search(r"农村|^农|农业", text.replace("非农业", "").replace("非农", "")) is not None
    if urban == rural:
        return None
    return Residence.URBAN if urban else Residence.RURAL


def category_of(  # noqa: PLR0911  (one answer for each group of words)
    text: str, support_mode: str = "", residence: Residence | None = None
) -> Category | str:
    """Find the category of a word such as 特困（分散）, 农村低保 or 支出型; else the Chinese message why not.

    `support_mode` and `residence` are the other columns that may complete it.
    """
    mode = text + support_mode
    if not text and not support_mode:
        return "没有填写救助类别"
    if re.search(r"特困|五保|供养", text) or (not text and support_mode):
        dispersed, central = "分散" in mode, re.search(r"集中|机构|敬老院", mode) is not None
        if dispersed == central:
            return "特困人员请写明是分散供养还是集中供养"
        return Category.TEKUN_DISPERSED if dispersed else Category.TEKUN_CENTRAL
    if re.search(r"边缘", text):
        return Category.MARGIN
    if re.search(r"低保|最低生活保障", text):
        where = residence_of(text) or residence
        if where is None:
            return "低保请写明是城市还是农村"
        return Category.DIBAO_URBAN if where is Residence.URBAN else Category.DIBAO_RURAL
    for pattern, category in (
        (r"刚性|支出型", Category.RIGID),
        (r"临时救助", Category.TEMP),
        (r"事实无人", Category.UNSUPPORTED_CHILD),
        (r"孤儿", Category.ORPHAN),
        (r"监测|易返贫|返贫", Category.ANTI_RETURN),
        (r"其他|其它", Category.OTHER),
    ):
        if re.search(pattern, text):
            return category
    return "救助类别看不懂，请写成“分散供养特困人员”“农村低保”等"


def dibao_class_of(text: str) -> str | None:
    """Find the class A, B or C of a 低保 household in a text."""
    found = re.search(r"(?<![A-Z])([ABC])(?![A-Z])", text.upper())
    return found[1] if found else None


def care_level_of(text: str) -> CareLevel | None:
    """Find the level of care: 全自理, 半护理, 全护理 and their older names."""
    if re.search(r"半", text) or re.search(r"部分", text):
        return CareLevel.HALF_CARE
    if re.search(r"全护|失能|完全丧失|不能自理|无自理|不具备|丧失", text):
        return CareLevel.FULL_CARE
    if re.search(r"自理|具备|正常", text):
        return CareLevel.FULL_SELF
    return None


def relation_of(text: str) -> Relation:
    """Find what a caregiver is to the person; a word that is not known is 其他."""
    for pattern, relation in (
        (r"邻", Relation.NEIGHBOUR),
        (r"配偶|夫|妻|丈夫|老伴", Relation.SPOUSE),
        (r"^[长次三四五六独养]?[子女]$|儿|子女|女婿|媳", Relation.CHILD),
        (r"干部|书记|主任|村委", Relation.CADRE),
        (r"医", Relation.DOCTOR),
        (r"护工|照料|护理", Relation.CAREGIVER),
        (r"亲|兄|弟|姐|妹|侄|甥|父|母|叔|伯|姑|舅|姨|嫂|孙|堂|表|爷|奶", Relation.RELATIVE),
    ):
        if re.search(pattern, text):
            return relation
    return Relation.OTHER


def disability_of(kind: str, grade: str) -> Disability | None:
    """Find a certified disability in its one or two columns; nothing when kind or grade is not clear."""
    kinds = {found for word, found in _KINDS.items() if word in kind + grade}
    if len(kinds) > 1 and DisabilityType.MULTIPLE in kinds:
        kinds = {DisabilityType.MULTIPLE}
    marks = {_GRADES[mark] for mark in re.findall(r"([一二三四1-4ⅠⅡⅢⅣ])\s*级?", f"{kind} {grade}")}
    if len(kinds) != 1 or len(marks) != 1:
        return None
    return Disability(kinds.pop(), _GRADE_OF[marks.pop()])
