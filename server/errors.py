"""The catalogue of refusals: what may be wrong with a request, in words that its sender can act on.

A refusal is raised beside the rule that it guards. Its kind gives the HTTP status, its class name the stable `code`
and the problem type, its docstring the page under /problems that explains it, its `detail` the Chinese sentence.
Nothing here knows about HTTP libraries; no personal datum may be put into a `detail`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any, ClassVar

Errors = Mapping[str, Sequence[str]]


class Kind(IntEnum):
    """What sort of refusal it is; the value is the HTTP status that it becomes."""

    NOT_JSON = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    METHOD = 405
    CONFLICT = 409
    NO_LENGTH = 411
    TOO_LARGE = 413
    WRONG_TYPE = 415
    INVALID = 422
    TOO_MANY = 429
    BROKEN = 500
    UNAVAILABLE = 503
    STORE_FULL = 507


class Refusal(Exception):  # noqa: N818  (a refusal is an answer, not a fault)
    """Why a request was not carried out.

    `title` is a short Chinese name of the refusal, `detail` the sentence for this case, `errors` maps a field's
    path (`location.latitude`, `answers.food`) to its sentences, `extra` holds further members of the problem
    document, `retry_after` seconds. `leaves` is what must be written although the request is refused (a failed
    sign-in, a look outside one's sight): it runs in a transaction of its own after the rollback.
    """

    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "内容有误"
    detail: str = "提交的内容有误，请检查后再试。"
    retry_after: int | None = None
    leaves: Callable[[Any], None] | None = None

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Errors | None = None,
        extra: Mapping[str, object] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or type(self).detail
        self.errors: Errors = errors or {}
        self.extra: Mapping[str, object] = extra or {}
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(self.detail)

    @classmethod
    def code(cls) -> str:
        """Give the stable lower_snake code, from the class name."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class NotJson(Refusal):
    """The body is not a JSON document in UTF-8."""

    kind = Kind.NOT_JSON
    title = "不是有效的 JSON"
    detail = "提交的内容不是有效的 JSON，请更新小程序后再试。"


class Invalid(Refusal):
    """One or more fields do not hold what they should; `errors` names each."""

    title = "内容有误"
    detail = "有内容填写不对，请按提示修改后再提交。"


class NotSignedIn(Refusal):
    """The request carries no token, or one that is unknown, expired or revoked."""

    kind = Kind.UNAUTHENTICATED
    title = "请先登录"
    detail = "登录已失效，请重新登录。"


class NotAllowed(Refusal):
    """The signed-in role may not do this."""

    kind = Kind.FORBIDDEN
    title = "没有权限"
    detail = "您的岗位没有这项操作的权限。"


class NotFound(Refusal):
    """It is not there, or it lies outside what the signed-in worker may see; the two are never told apart."""

    kind = Kind.NOT_FOUND
    title = "没有找到"
    detail = "没有找到这条记录，或不在您负责的范围内。"


class MethodNotAllowed(Refusal):
    """The path exists, but not with this method."""

    kind = Kind.METHOD
    title = "不支持的操作"
    detail = "这个地址不支持这种操作。"


class Conflict(Refusal):
    """The request disagrees with what is stored."""

    kind = Kind.CONFLICT
    title = "与已有记录冲突"
    detail = "与已保存的记录不一致，请刷新后再试。"


class StaleRevision(Conflict):
    """Somebody changed the record after it was read; read it again and decide anew."""

    title = "记录已被更新"
    detail = "这条记录刚刚被更新过，请刷新后再修改。"


class LengthRequired(Refusal):
    """The request has a body but does not say how long it is."""

    kind = Kind.NO_LENGTH
    title = "缺少长度"
    detail = "请求没有说明内容长度，请更新小程序后再试。"


class TooLarge(Refusal):
    """The body is larger than this call takes."""

    kind = Kind.TOO_LARGE
    title = "内容太大"
    detail = "提交的内容太大。"


class WrongType(Refusal):
    """The body is of a media type that this call does not take."""

    kind = Kind.WRONG_TYPE
    title = "内容类型不对"
    detail = "提交的内容类型不对。"


class TooMany(Refusal):
    """Too many requests in a short time; `Retry-After` says when to come back."""

    kind = Kind.TOO_MANY
    title = "操作太频繁"
    detail = "操作太频繁，请稍后再试。"
    retry_after = 60


class Broken(Refusal):
    """The server failed in a way that it did not foresee; the request can be repeated safely."""

    kind = Kind.BROKEN
    title = "系统出错"
    detail = "系统出错了，记录没有丢失，请稍后再试。"


class Unavailable(Refusal):
    """Something that the server needs does not answer now; the request can be repeated safely."""

    kind = Kind.UNAVAILABLE
    title = "暂时无法处理"
    detail = "系统暂时繁忙，请稍后再试，手机里的记录不会丢失。"
    retry_after = 5


class StoreFull(Refusal):
    """The store has no room left; an administrator has to make some."""

    kind = Kind.STORE_FULL
    title = "存储空间不足"
    detail = "服务器存储空间不足，请保留手机里的记录，稍后再试，并告知管理员。"
