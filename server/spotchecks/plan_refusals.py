"""Why a step of a spot-check plan is refused."""

from server.errors import Conflict, Invalid, NotAllowed


class PlanConflict(Conflict):
    """Another plan is stored under this id; a plan is never changed, only annulled."""

    title = "抽查计划编号已被占用"
    detail = "这个编号下已有另一份抽查计划。计划不能修改，如有误请作废后重新制定。"


class PeriodHasPlan(Conflict):
    """The area has a plan for this month already: with two, one could be chosen after the draw."""

    title = "本月已有抽查计划"
    detail = "这个辖区这个月已有抽查计划，不能再制定一份。"


class PeriodHasBegun(Conflict):
    """The month has begun; plan and commitment must stand before anybody visits in it."""

    title = "月份已经开始"
    detail = "抽查计划和种子承诺必须在月份开始之前完成，请从下个月起制定。"


class PeriodNotOver(Conflict):
    """The month is not over; visits are still coming in."""

    title = "月份尚未结束"
    detail = "这个月还没有结束，走访记录还在增加，请在月份结束后再封存名单。"


class EmptyFrame(Conflict):
    """No visit fits the plan's frame; there is nothing to draw from."""

    title = "名单为空"
    detail = "没有走访记录符合这份计划的范围，无法抽查。请核对辖区、月份和类别，必要时作废计划。"


class SameHands(NotAllowed):
    """Who keeps the seed does not freeze the frame: another person, in another role, has to."""

    title = "须由他人办理"
    detail = "保管种子的人不能封存名单，须由另一岗位的另一人办理。"


class NotTheKeeper(NotAllowed):
    """The seed is revealed by the role that committed to it, and never by who froze the frame."""

    title = "须由保管种子的一方公布"
    detail = "种子须由承诺种子的岗位公布，封存名单的人不能公布。"


class SeedTooEarly(Conflict):
    """The seed was revealed before the frame was frozen; it was neither stored nor used."""

    title = "还不能公布种子"
    detail = (
        "名单还没有封存，现在公布种子会让人猜出抽中的是谁。系统没有保存这次提交的种子，"
        "请在封存名单后再公布；如果种子已被他人看到，请作废计划。"
    )


class WrongSeed(Invalid):
    """The seed does not fit the commitment that was recorded before the month."""

    title = "种子与承诺不符"
    detail = "这个种子与月份开始前登记的承诺不符，请核对。种子遗失的，请作废计划并写明原因。"


class SeedIsMissing(Invalid):
    """The keeper brought a commitment of their own, so the server has no seed to reveal."""

    title = "缺少种子"
    detail = "这份计划的种子由承诺人自行保管，请填写种子。种子遗失的，请作废计划并写明原因。"


class FrameChanged(Conflict):
    """The frame is not the one that was frozen: its digest differs. Nothing is drawn from it."""

    title = "名单已被改动"
    detail = "名单与封存时的摘要不符，已被改动，不能抽取。请保留现场并告知县局和系统管理员。"
