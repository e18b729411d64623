"""The words of a visit record's header, and the sets of outcomes that the work distinguishes (DOMAIN §3, CONTRACT §4)."""

from server.terms import Term

_HEADER = "DOMAIN §3.1"
_ABSENCE = "DOMAIN §3.2"
_FOLLOW_UP = "DOMAIN §3.8"
_EVIDENCE = "DOMAIN §3.9"


class VisitState(Term):
    """Where a visit record stands between the recorder and the reviewer."""

    SUBMITTED = "submitted", "待审核", "CONTRACT §4"
    RETURNED = "returned", "已退回", "CONTRACT §4"
    ACCEPTED = "accepted", "已通过", "CONTRACT §4"
    VOID = "void", "已作废", "CONTRACT §4"


class Method(Term):
    """How the person was visited (走访方式)."""

    HOME = "home", "上门", _HEADER
    PHONE = "phone", "电话", _HEADER
    VIDEO = "video", "视频", _HEADER
    THIRD_PARTY = "third_party", "委托探访", _HEADER


class Purpose(Term):
    """What the visit was for (走访目的); one visit may serve several."""

    ROUTINE = "routine", "例行走访", _HEADER
    REVIEW = "review", "复核", _HEADER
    WARNING = "warning", "预警核实", _HEADER
    NEW_APPLY = "new_apply", "新申请", _HEADER
    COMPLAINT = "complaint", "信访", _HEADER
    EMERGENCY = "emergency", "应急", _HEADER
    SPOT_CHECK = "spot_check", "督查", _HEADER


class Outcome(Term):
    """Whether the person was met, and if not, why (走访结果)."""

    MET = "met", "见到本人", _HEADER
    MET_ELSEWHERE = "met_elsewhere", "在别处见到本人", "CONTRACT §4"
    REMOTE_MET = "remote_met", "远程联系到本人", "CONTRACT §4"
    NOT_MET = "not_met", "未遇见", _HEADER
    REFUSED = "refused", "拒访", _HEADER
    HOSPITAL = "hospital", "住院", _HEADER
    IN_INSTITUTION = "in_institution", "在机构", _HEADER
    MOVED = "moved", "外出或迁居", _HEADER
    DEAD = "dead", "已死亡", _HEADER
    MISSING = "missing", "失联", _HEADER


class IdentityCheck(Term):
    """How the visitor knew that it was this person (核对身份方式)."""

    ID_CARD = "id_card", "查看身份证", _HEADER
    KNOWN = "known", "熟识", _HEADER
    VOICE_QA = "voice_qa", "问答核对", _HEADER
    PHOTO_COMPARE = "photo_compare", "比对档案照片", _HEADER


class AbsenceReason(Term):
    """Why the person was not there, as far as anybody knows."""

    FIELD_WORK = "field_work", "下地干活", _ABSENCE
    VISITING_RELATIVES = "visiting_relatives", "走亲戚", _ABSENCE
    HOSPITAL = "hospital", "住院", _ABSENCE
    MIGRANT = "migrant", "外出务工", _ABSENCE
    INSTITUTION = "institution", "在机构", _ABSENCE
    UNKNOWN = "unknown", "不清楚", _ABSENCE


class InformantRelation(Term):
    """What an informant is to the person."""

    NEIGHBOUR = "neighbour", "邻居", _ABSENCE
    CAREGIVER = "caregiver", "照料服务人", _ABSENCE
    RELATIVE = "relative", "亲属", _ABSENCE
    CADRE = "cadre", "村（社区）干部", _ABSENCE
    DOCTOR = "doctor", "医生", _ABSENCE
    OTHER = "other", "其他", _ABSENCE


class ContactWay(Term):
    """How the person was tried from afar when they were not there."""

    PHONE = "phone", "电话", _ABSENCE
    VIDEO = "video", "视频", _ABSENCE


class NeedKind(Term):
    """What the person needs (需求)."""

    MEDICAL = "medical", "医疗", _FOLLOW_UP
    CARE = "care", "照料", _FOLLOW_UP
    INSTITUTION_CARE = "institution_care", "集中供养意愿", _FOLLOW_UP
    HOUSING = "housing", "住房", _FOLLOW_UP
    EDUCATION = "education", "教育", _FOLLOW_UP
    EMPLOYMENT = "employment", "就业", _FOLLOW_UP
    TEMPORARY_AID = "temporary_aid", "临时救助", _FOLLOW_UP
    DISABILITY_CARD = "disability_card", "残疾证", _FOLLOW_UP
    ASSISTIVE_DEVICE = "assistive_device", "辅具", _FOLLOW_UP
    REHABILITATION = "rehabilitation", "康复", _FOLLOW_UP
    COMPANIONSHIP = "companionship", "精神慰藉", _FOLLOW_UP
    AGEING_ADAPTATION = "ageing_adaptation", "适老化改造", _FOLLOW_UP
    LEGAL = "legal", "法律", _FOLLOW_UP
    OTHER = "other", "其他", _FOLLOW_UP


class Conclusion(Term):
    """What the visitor concludes (走访结论)."""

    NORMAL = "normal", "正常", _FOLLOW_UP
    ATTENTION = "attention", "需关注", _FOLLOW_UP
    CHANGE_NEEDED = "change_needed", "需变更救助", _FOLLOW_UP
    EXIT_SUSPECTED = "exit_suspected", "疑似应退出", _FOLLOW_UP
    NEW_AID_NEEDED = "new_aid_needed", "需新增救助", _FOLLOW_UP


class Signer(Term):
    """Who signs a record (签字人)."""

    VISITOR = "visitor", "走访人员", _EVIDENCE
    RECIPIENT = "recipient", "救助对象", _EVIDENCE
    WITNESS = "witness", "见证人", _EVIDENCE


class SigningManner(Term):
    """How somebody signed, or why they did not (签字方式)."""

    SIGN = "sign", "签字", _EVIDENCE
    FINGERPRINT = "fingerprint", "按手印", _EVIDENCE
    UNABLE = "unable", "无法签字", _EVIDENCE
    REFUSED = "refused", "拒绝签字", _EVIDENCE


class DerivedProblem(Term):
    """A problem that follows from what was recorded, without the visitor having to name it."""

    NOT_SEEN_FOR_DAYS = "not_seen_for_days", "多日无人见到本人", "CONTRACT §4"
    ABUSE_SUSPECTED = "abuse_suspected", "疑似受到虐待", "DOMAIN §3.6"
    CAREGIVER_NOT_PERFORMING = "caregiver_not_performing", "照料服务人未履行照料", "DOMAIN §2"
    CAREGIVER_PARTLY_PERFORMING = "caregiver_partly_performing", "照料服务人履行不到位", "DOMAIN §2"
    CARD_HELD_BY_CADRE = "card_held_by_cadre", "救助卡由干部保管", "DOMAIN §3.3"
    CARD_HELD_BY_OTHER = "card_held_by_other", "救助卡由他人保管", "DOMAIN §3.3"
    MONEY_NOT_RECEIVED = "money_not_received", "救助金未按月到账", "DOMAIN §3.3"


COUNTING = frozenset({Outcome.MET, Outcome.MET_ELSEWHERE, Outcome.REMOTE_MET})
"""Outcomes that count towards a duty."""

FACE_TO_FACE = frozenset({Outcome.MET, Outcome.MET_ELSEWHERE})
"""Outcomes in which somebody stood before the person."""

ATTEMPTS = frozenset(Outcome) - COUNTING - {Outcome.DEAD}
"""Outcomes in which the person was not met; they ask for an account of the absence."""

IN_PERSON_METHODS = frozenset({Method.HOME, Method.THIRD_PARTY})
"""Methods in which somebody goes there."""

REMOTE_METHODS = frozenset({Method.PHONE, Method.VIDEO})
"""Methods in which nobody goes there."""

TWO_SURVEYORS = frozenset({Purpose.REVIEW, Purpose.WARNING, Purpose.NEW_APPLY})
"""Purposes for which two or more people investigate and sign (入户调查)."""

PROVEN_BY_PHOTO = frozenset({Purpose.REVIEW, Purpose.WARNING})
"""Purposes for which a photo, or the reason why there is none, belongs to the record."""
