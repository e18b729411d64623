"""Why a back-check or a judgement is refused."""

from server.errors import Conflict, NotAllowed


class BackCheckConflict(Conflict):
    """Another back-check is stored under this id."""

    title = "核查编号已被占用"
    detail = "这个编号下已有另一份核查记录，内容不同，请刷新后重新提交。"


class NotTheChecker(NotAllowed):
    """A check is carried out by the worker to whom it was given."""

    title = "不是分派给您的核查"
    detail = "这件抽查没有分派给您，请由被分派的人员核查，或先改派。"


class OwnBackCheck(NotAllowed):
    """Nobody judges a back-check that they carried out themselves."""

    title = "不能认定自己的核查"
    detail = "不能认定自己做的核查，请由其他人员认定。"


class FileErasedMeanwhile(Conflict):
    """What was sealed of this person was lawfully erased; nothing can be added."""

    title = "档案已依法清除"
    detail = "此人的档案已依法清除，不能再登记核查或整改。"
