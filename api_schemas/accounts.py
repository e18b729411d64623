"""Signing in and accounts on the wire (CONTRACT §2)."""

from marshmallow import fields

from api_schemas.paging import PageQuery
from api_schemas.wire import Instant, Strict, TermField, Text, UuidField
from server.permissions import Role


class CodeIn(Strict):
    """What `wx.login` gave the phone."""

    code = Text(
        128, required=True, metadata={"description": "wx.login 返回的 code，五分钟内有效，只能用一次"}
    )


class BindIn(Strict):
    """A proven identity and the invite code that names its worker."""

    bind_ticket = Text(
        128, required=True, metadata={"description": "登录返回 account_not_bound 时给出的绑定凭据"}
    )
    invite_code = Text(
        32, required=True, metadata={"description": "管理员给的一次性邀请码", "example": "7KQ2M-9XWRT"}
    )


class PasswordIn(Strict):
    """A browser user's sign-in."""

    username = Text(64, required=True)
    password = Text(256, required=True)
    otp = Text(10, allow_none=True, load_default=None, metadata={"description": "动态口令（启用了的账号）"})


class WorkerOut(Strict):
    """A worker as shown to themselves."""

    id = UuidField(required=True)
    name = fields.String(required=True)
    role = TermField(Role, required=True)
    area = fields.String(required=True, metadata={"description": "行政区划代码", "example": "341882003"})
    can = fields.List(fields.String(), required=True, metadata={"description": "本岗位可以做的事"})


class SignedInOut(Strict):
    """A fresh session."""

    token = fields.String(required=True, metadata={"description": "放入 Authorization: Bearer；只显示这一次"})
    expires_at = Instant(required=True)
    worker = fields.Nested(WorkerOut, required=True)


class NewWorkerIn(Strict):
    """A worker to be registered; the id is made by the client."""

    id = UuidField(required=True)
    name = Text(60, least=1, required=True)
    role = TermField(Role, required=True)
    area_code = Text(12, least=6, required=True)
    username = Text(64, least=2, allow_none=True, load_default=None)
    phone = Text(20, allow_none=True, load_default=None)
    password = Text(256, allow_none=True, load_default=None)


class AccountOut(Strict):
    """A worker as shown to administrators."""

    id = UuidField(required=True)
    name = fields.String(required=True)
    username = fields.String(required=True, allow_none=True)
    role = TermField(Role, required=True)
    area = fields.String(required=True)
    bound = fields.List(fields.String(), required=True, metadata={"description": "已绑定的登录方式"})
    disabled_at = Instant(required=True, allow_none=True)


class InviteOut(Strict):
    """A one-time invite code, shown once."""

    invite_code = fields.String(required=True)
    expires_at = Instant(required=True)


class RoleIn(Strict):
    """Another role or area for a worker."""

    role = TermField(Role, required=True)
    area_code = Text(12, least=6, required=True)


class NewPasswordIn(Strict):
    """A worker's new password."""

    password = Text(256, required=True)


class AccountsQuery(PageQuery):
    """Which accounts."""


class AccountsOut(Strict):
    """A page of accounts."""

    items = fields.List(fields.Nested(AccountOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
