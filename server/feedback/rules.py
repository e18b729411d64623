"""What is said about feedback that cannot be taken."""

from server.errors import Conflict, TooMany


class FeedbackConflict(Conflict):
    """Feedback with this id is there already, and says something else; send it anew under another id."""

    title = "编号已使用"
    detail = "这条意见的编号已用于另一条意见，请重新提交。"


class TooMuchFeedback(TooMany):
    """One worker sent more feedback within a day than people can read."""

    title = "今天提交的意见太多"
    detail = "今天提交的意见已经很多，请明天再提交，紧急情况请打电话。"
    retry_after = 3600
