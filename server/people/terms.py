"""The closed vocabularies about people: categories, care levels, tags, exits, relations (DOMAIN §1.1, §1.2, §3.2, §5.5)."""

from dataclasses import dataclass

from server.terms import Term


class Category(Term):
    """Under what a person is assisted (救助类别); for 低保, 边缘 and 刚性 the unit is the household."""

    DIBAO_URBAN = "dibao_urban", "城市最低生活保障", "最低生活保障审核确认办法"
    DIBAO_RURAL = "dibao_rural", "农村最低生活保障", "最低生活保障审核确认办法"
    TEKUN_DISPERSED = "tekun_dispersed", "分散供养特困人员", "民发〔2021〕43号"
    TEKUN_CENTRAL = "tekun_central", "集中供养特困人员", "民发〔2021〕43号"
    MARGIN = "margin", "最低生活保障边缘家庭", "国办发〔2023〕39号"
    RIGID = "rigid", "刚性支出困难家庭", "国办发〔2023〕39号"
    TEMP = "temp", "临时救助", "DOMAIN §1.1"
    ORPHAN = "orphan", "孤儿", "DOMAIN §1.1"
    UNSUPPORTED_CHILD = "unsupported_child", "事实无人抚养儿童", "DOMAIN §1.1"
    ANTI_RETURN = "anti_return", "防止返贫监测对象", "国办发〔2023〕39号"
    OTHER = "other", "其他困难人员", "国办发〔2023〕39号"


class Residence(Term):
    """Urban or rural registration, where the category does not say it already (特困, 边缘, 刚性)."""

    URBAN = "urban", "城市", "DOMAIN §1.1"
    RURAL = "rural", "农村", "DOMAIN §1.1"


class CareLevel(Term):
    """How much care a person needs, from the self-care assessment (生活自理能力)."""

    FULL_SELF = "full_self", "全自理", "DOMAIN §1.2"
    HALF_CARE = "half_care", "半护理", "DOMAIN §1.2"
    FULL_CARE = "full_care", "全护理", "DOMAIN §1.2"


class Ability(Term):
    """One of the six things that the self-care assessment asks: can the person do it alone?"""

    EAT = "eat", "自主吃饭", "DOMAIN §1.2"
    DRESS = "dress", "自主穿衣", "DOMAIN §1.2"
    BED = "bed", "自主上下床", "DOMAIN §1.2"
    TOILET = "toilet", "自主如厕", "DOMAIN §1.2"
    WALK = "walk", "室内自主行走", "DOMAIN §1.2"
    BATHE = "bathe", "自主洗澡", "DOMAIN §1.2"


class Tag(Term):
    """What else is true of a person, across categories; one person may carry several."""

    SERIOUS_ILLNESS = "serious_illness", "重病", "DOMAIN §1.1"
    LIVING_ALONE = "living_alone", "独居", "DOMAIN §1.1"
    EMPTY_NEST = "empty_nest", "空巢", "DOMAIN §1.1"
    LEFT_BEHIND = "left_behind", "留守", "DOMAIN §1.1"
    DISABLED_ELDER = "disabled_elder", "失能、半失能老人", "DOMAIN §1.1"
    ADVANCED_AGE = "advanced_age", "高龄", "DOMAIN §1.1"
    JISHENG_SPECIAL = "jisheng_special", "计划生育特殊家庭", "DOMAIN §1.1"
    SINGLE_PERSON_GUARANTEE = "single_person_guarantee", "单人保", "DOMAIN §1.1"
    NEAR_RELATIVE_FILING = "near_relative_filing", "近亲属备案", "DOMAIN §1.1"
    HIGH_RISK_ELDER = "high_risk_elder", "高风险老年人", "DOMAIN §1.4"
    KEY_OBJECT = "key_object", "重点探访对象", "DOMAIN §1.4"


class DisabilityType(Term):
    """The kind of a certified disability (残疾类别)."""

    SIGHT = "sight", "视力残疾", "DOMAIN §1.1"
    HEARING = "hearing", "听力残疾", "DOMAIN §1.1"
    SPEECH = "speech", "言语残疾", "DOMAIN §1.1"
    LIMB = "limb", "肢体残疾", "DOMAIN §1.1"
    INTELLECT = "intellect", "智力残疾", "DOMAIN §1.1"
    MENTAL = "mental", "精神残疾", "DOMAIN §1.1"
    MULTIPLE = "multiple", "多重残疾", "DOMAIN §1.1"


class DisabilityGrade(Term):
    """The grade of a certified disability (残疾等级); the first is the most severe."""

    FIRST = "grade_1", "一级", "DOMAIN §1.1"
    SECOND = "grade_2", "二级", "DOMAIN §1.1"
    THIRD = "grade_3", "三级", "DOMAIN §1.1"
    FOURTH = "grade_4", "四级", "DOMAIN §1.1"


@dataclass(frozen=True, slots=True)
class Disability:
    """A certified disability: its kind with its grade, as the certificate (残疾证) says."""

    type: DisabilityType
    grade: DisabilityGrade


class Sex(Term):
    """Sex as the id number or the register gives it."""

    MALE = "male", "男", "GB 11643"
    FEMALE = "female", "女", "GB 11643"
    UNKNOWN = "unknown", "不详", ""


class ExitReason(Term):
    """Why an enrolment ended (退出原因)."""

    DEATH = "death", "死亡", "DOMAIN §5.5"
    INCOME = "income", "收入超标", "DOMAIN §5.5"
    PROPERTY = "property", "财产超标", "DOMAIN §5.5"
    MOVED = "moved", "迁出", "DOMAIN §5.5"
    CATEGORY_CHANGE = "category_change", "转为其他类别", "DOMAIN §5.5"
    VOLUNTARY = "voluntary", "自愿退出", "DOMAIN §5.5"
    OTHER = "other", "其他", "DOMAIN §5.5"


class Relation(Term):
    """What a caregiver or an informant is to the person."""

    NEIGHBOUR = "neighbour", "邻居", "DOMAIN §3.2"
    CAREGIVER = "caregiver", "照料服务人", "DOMAIN §3.2"
    RELATIVE = "relative", "亲属", "DOMAIN §3.2"
    CADRE = "cadre", "村（社区）干部", "DOMAIN §3.2"
    DOCTOR = "doctor", "医生", "DOMAIN §3.2"
    SPOUSE = "spouse", "配偶", "DOMAIN §3.3"
    CHILD = "child", "子女", "DOMAIN §3.3"
    OTHER = "other", "其他", "DOMAIN §3.2"
