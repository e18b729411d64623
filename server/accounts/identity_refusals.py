"""An identity that an outside provider vouches for, and why it may not."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from server.errors import Kind, Refusal, TooMany, Unavailable


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in outside: keyed on provider, app id and subject (openid; corpid and userid for WeCom).

    The subject never leaves the server, so it is not shown when an identity is printed.
    """

    provider: str
    app_id: str
    subject: str = field(repr=False)


class IdentityProvider(Protocol):
    """Whoever turns the one-time code of a phone into an identity."""

    def code_to_session(self, code: str) -> Identity:
        """Exchange a code for an identity, or raise a refusal of this page."""
        ...


class ProviderAnswered(Exception):  # noqa: N818  (an answer that the caller has to judge)
    """A provider answered a call with an error code that has no meaning of its own here.

    `errcode` is the provider's number. What it means depends on the call (a worker who declined messages, say), so
    the caller decides; nothing of the answer's text is kept.
    """

    def __init__(self, provider: str, errcode: int) -> None:
        self.provider = provider
        self.errcode = errcode
        super().__init__(f"{provider} answered {errcode}")


class WechatCodeInvalid(Refusal):
    """WeChat does not know the code, or it is older than five minutes or was used; call `wx.login` again."""

    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title = "微信登录已失效"
    detail = "微信登录已失效，请重新打开小程序再试。"


class WechatTooOften(TooMany):
    """WeChat says that this person signs in too often; `Retry-After` says when to come back."""

    title = "微信登录太频繁"
    detail = "微信登录太频繁，请一分钟后再试。"


class WechatHighRisk(Refusal):
    """WeChat holds this user for risky and refuses to sign them in; an administrator can give another way in."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    title = "微信账号受限"
    detail = "微信提示该账号存在风险，暂时不能登录，请联系管理员改用其他方式登录。"


class WechatUnavailable(Unavailable):
    """WeChat does not answer, or not in a way that can be used; sign in again a little later."""

    title = "微信暂时无法登录"
    detail = "微信暂时没有回应，请稍后再试，手机里的记录不会丢失。"


class WecomCodeInvalid(Refusal):
    """WeCom does not know the code, or it is older than five minutes or was used; call `wx.qy.login` again."""

    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title = "企业微信登录已失效"
    detail = "企业微信登录已失效，请重新打开小程序再试。"


class WecomTooOften(TooMany):
    """WeCom says that it is called too often; `Retry-After` says when to come back."""

    title = "企业微信登录太频繁"
    detail = "企业微信登录太频繁，请一分钟后再试。"


class WecomUnavailable(Unavailable):
    """WeCom does not answer, or not in a way that can be used; sign in again a little later."""

    title = "企业微信暂时无法登录"
    detail = "企业微信暂时没有回应，请稍后再试，手机里的记录不会丢失。"
