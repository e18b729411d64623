"""The words that answer the questions of a visit (DOMAIN §3.3 to §3.8)."""

from server.terms import Term


class LivingWith(Term):
    """与谁同住."""

    ALONE = "alone", "独居", "DOMAIN §3.3"
    SPOUSE = "spouse", "与配偶", "DOMAIN §3.3"
    CHILDREN = "children", "与子女", "DOMAIN §3.3"
    RELATIVE = "relative", "与亲属", "DOMAIN §3.3"
    OTHER = "other", "其他", "DOMAIN §3.3"


class Food(Term):
    """食物是否够吃."""

    ADEQUATE = "adequate", "充足", "DOMAIN §3.3"
    POOR = "poor", "较差", "DOMAIN §3.3"
    LACKING = "lacking", "缺乏", "DOMAIN §3.3"


class MealsBy(Term):
    """谁做饭."""

    SELF = "self", "自己", "DOMAIN §3.3"
    CAREGIVER = "caregiver", "照料服务人", "DOMAIN §3.3"
    CANTEEN = "canteen", "食堂", "DOMAIN §3.3"
    NEIGHBOUR = "neighbour", "邻居", "DOMAIN §3.3"


class ClothingBedding(Term):
    """衣被是否够用."""

    ADEQUATE = "adequate", "够用", "DOMAIN §3.3"
    INSUFFICIENT = "insufficient", "不足", "DOMAIN §3.3"


class Water(Term):
    """用水来源."""

    TAP = "tap", "自来水", "DOMAIN §3.3"
    WELL = "well", "井水", "DOMAIN §3.3"
    CARRIED = "carried", "挑水", "DOMAIN §3.3"
    NONE = "none", "无水", "DOMAIN §3.3"


class Hygiene(Term):
    """卫生状况."""

    GOOD = "good", "良好", "DOMAIN §3.3"
    FAIR = "fair", "一般", "DOMAIN §3.3"
    POOR = "poor", "较差", "DOMAIN §3.3"


class HeatingCooling(Term):
    """取暖降温."""

    ADEQUATE = "adequate", "够用", "DOMAIN §3.3"
    INSUFFICIENT = "insufficient", "不足", "DOMAIN §3.3"
    NONE = "none", "没有", "DOMAIN §3.3"


class MoneyReceived(Term):
    """救助金是否按月到账."""

    YES = "yes", "是", "DOMAIN §3.3"
    NO = "no", "否", "DOMAIN §3.3"
    UNKNOWN = "unknown", "不清楚", "DOMAIN §3.3"


class CardHeldBy(Term):
    """救助卡由谁保管."""

    SELF = "self", "本人", "DOMAIN §3.3"
    CAREGIVER = "caregiver", "照料服务人", "DOMAIN §3.3"
    RELATIVE = "relative", "亲属", "DOMAIN §3.3"
    CADRE = "cadre", "干部", "DOMAIN §3.3"
    OTHER = "other", "其他人", "DOMAIN §3.3"


class HousingType(Term):
    """住房性质."""

    OWN = "own", "自有私房", "DOMAIN §3.4"
    PUBLIC_RENT = "public_rent", "租用公房", "DOMAIN §3.4"
    PRIVATE_RENT = "private_rent", "租用私房", "DOMAIN §3.4"
    TEMPORARY = "temporary", "临时搭建", "DOMAIN §3.4"
    BORROWED = "borrowed", "借用", "DOMAIN §3.4"
    OTHER = "other", "其他", "DOMAIN §3.4"


class HousingStructure(Term):
    """房屋结构."""

    BRICK_CONCRETE = "brick_concrete", "砖混", "DOMAIN §3.4"
    BRICK_WOOD = "brick_wood", "砖木", "DOMAIN §3.4"
    EARTH = "earth", "土坯", "DOMAIN §3.4"
    OTHER = "other", "其他", "DOMAIN §3.4"


class HousingGrade(Term):
    """危房鉴定等级."""

    A = "a", "A级", "DOMAIN §3.4"
    B = "b", "B级", "DOMAIN §3.4"
    C = "c", "C级", "DOMAIN §3.4"
    D = "d", "D级", "DOMAIN §3.4"


class HousingSafety(Term):
    """住房安全."""

    SAFE = "safe", "安全", "DOMAIN §3.4"
    RISK = "risk", "有隐患", "DOMAIN §3.4"
    DANGEROUS = "dangerous", "危险", "DOMAIN §3.4"


class Electric(Term):
    """用电."""

    OK = "ok", "正常", "DOMAIN §3.4"
    OLD_WIRING = "old_wiring", "线路老化", "DOMAIN §3.4"
    ILLEGAL = "illegal", "私拉乱接", "DOMAIN §3.4"
    NONE = "none", "未通电", "DOMAIN §3.4"


class Fire(Term):
    """用火."""

    OK = "ok", "正常", "DOMAIN §3.4"
    RISK = "risk", "有隐患", "DOMAIN §3.4"


class Gas(Term):
    """燃气."""

    NONE = "none", "未用", "DOMAIN §3.4"
    OK = "ok", "正常", "DOMAIN §3.4"
    RISK = "risk", "有隐患", "DOMAIN §3.4"


class SmartDevice(Term):
    """智能设备."""

    NONE = "none", "没有", "DOMAIN §3.4"
    SOS = "sos", "一键呼叫", "DOMAIN §3.4"
    CAMERA = "camera", "摄像头", "DOMAIN §3.4"
    BRACELET = "bracelet", "手环", "DOMAIN §3.4"
    OFFLINE = "offline", "离线", "DOMAIN §3.4"


class HealthOverall(Term):
    """总体健康."""

    HEALTHY = "healthy", "健康", "DOMAIN §3.5"
    FRAIL = "frail", "体弱", "DOMAIN §3.5"
    CHRONIC = "chronic", "慢病", "DOMAIN §3.5"
    SERIOUS = "serious", "重病", "DOMAIN §3.5"
    BEDRIDDEN = "bedridden", "卧床", "DOMAIN §3.5"


class Chronic(Term):
    """慢性病."""

    HYPERTENSION = "hypertension", "高血压", "DOMAIN §3.5"
    DIABETES = "diabetes", "糖尿病", "DOMAIN §3.5"
    MENTAL = "mental", "精神疾病", "DOMAIN §3.5"
    HEART = "heart", "心脏病", "DOMAIN §3.5"
    STROKE = "stroke", "脑卒中", "DOMAIN §3.5"
    LUNG = "lung", "慢性肺病", "DOMAIN §3.5"
    CANCER = "cancer", "肿瘤", "DOMAIN §3.5"
    OTHER = "other", "其他", "DOMAIN §3.5"


class MentalState(Term):
    """精神状态."""

    STABLE = "stable", "平稳", "DOMAIN §3.5"
    LOW = "low", "低落", "DOMAIN §3.5"
    ABNORMAL = "abnormal", "异常", "DOMAIN §3.5"


class Faculty(Term):
    """表达、行动、反应."""

    GOOD = "good", "正常", "DOMAIN §3.5"
    IMPAIRED = "impaired", "受限", "DOMAIN §3.5"
    LOST = "lost", "丧失", "DOMAIN §3.5"


class MedicineHave(Term):
    """是否有药."""

    YES = "yes", "有", "DOMAIN §3.5"
    NO = "no", "没有", "DOMAIN §3.5"
    NOT_NEEDED = "not_needed", "不需要", "DOMAIN §3.5"


class MedicalInsurance(Term):
    """医疗保险."""

    INSURED = "insured", "已参保", "DOMAIN §3.5"
    NOT_INSURED = "not", "未参保", "DOMAIN §3.5"


class SelfCareChange(Term):
    """自理能力变化."""

    NONE = "none", "没有变化", "DOMAIN §3.5"
    WORSE = "worse", "变差", "DOMAIN §3.5"
    BETTER = "better", "好转", "DOMAIN §3.5"


class CaregiverPerforming(Term):
    """照料服务人是否履行照料."""

    YES = "yes", "履行", "DOMAIN §3.6"
    PARTIAL = "partial", "部分履行", "DOMAIN §3.6"
    NO = "no", "未履行", "DOMAIN §3.6"
    NO_CAREGIVER = "no_caregiver", "没有照料服务人", "DOMAIN §3.6"


class CareItem(Term):
    """照料内容."""

    MEALS = "meals", "做饭", "DOMAIN §3.6"
    LAUNDRY = "laundry", "洗衣", "DOMAIN §3.6"
    HYGIENE = "hygiene", "卫生", "DOMAIN §3.6"
    MEDICINE = "medicine", "服药", "DOMAIN §3.6"
    ESCORT = "escort", "陪同就医", "DOMAIN §3.6"
    SAFETY = "safety", "安全检查", "DOMAIN §3.6"
    CONTACT = "contact", "日常联系", "DOMAIN §3.6"


class MemberChange(Term):
    """家庭成员变化."""

    BIRTH = "birth", "出生", "DOMAIN §3.7"
    DEATH = "death", "死亡", "DOMAIN §3.7"
    MARRIAGE = "marriage", "婚姻变化", "DOMAIN §3.7"
    SPLIT = "split", "分户", "DOMAIN §3.7"
    STUDY = "study", "就学", "DOMAIN §3.7"
    PRISON = "prison", "服刑", "DOMAIN §3.7"


class NewAsset(Term):
    """新增财产."""

    HOUSE = "house", "房产", "DOMAIN §3.7"
    CAR = "car", "车辆", "DOMAIN §3.7"
    FARM_MACHINE = "farm_machine", "农机", "DOMAIN §3.7"
    BUSINESS = "business", "工商登记", "DOMAIN §3.7"
    DEPOSIT = "deposit", "存款", "DOMAIN §3.7"
    INSURANCE = "insurance", "商业保险", "DOMAIN §3.7"


class VerdictTruthful(Term):
    """预警、复核的核实结论."""

    TRUTHFUL = "truthful", "属实", "DOMAIN §3.8"
    UNTRUTHFUL = "untruthful", "不属实", "DOMAIN §3.8"
    OTHER_AID = "other_aid", "转其他救助", "DOMAIN §3.8"
