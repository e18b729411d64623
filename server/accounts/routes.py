"""Signing in and managing accounts over HTTP (CONTRACT §2)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import current_app, request
from flask.typing import ResponseReturnValue

from api_schemas import accounts as wire
from server.accounts import managing, passwords, signing_in
from server.accounts.identity_refusals import Identity
from server.accounts.queries import accounts_page
from server.accounts.signing_in import SignedIn
from server.errors import NotSignedIn, Unavailable
from server.http.answer import answer, nothing
from server.http.blueprint import Blueprint
from server.http.guard import bearer, in_one_transaction, needs, work
from server.permissions import Can

blueprint = Blueprint("accounts", __name__, description="登录与账户")

Exchange = Callable[[str], Identity]


@blueprint.post("/auth/wechat")
@needs(Can.ANYONE, own_transactions=True)
@blueprint.arguments(wire.CodeIn)
@blueprint.response(200, wire.SignedInOut)
def sign_in_by_wechat(body: dict[str, str]) -> ResponseReturnValue:
    """微信小程序登录。未绑定的账号返回 403 `account_not_bound` 和 `bind_ticket`。"""
    return _by_identity("wechat", body["code"])


@blueprint.post("/auth/wecom")
@needs(Can.ANYONE, own_transactions=True)
@blueprint.arguments(wire.CodeIn)
@blueprint.response(200, wire.SignedInOut)
def sign_in_by_wecom(body: dict[str, str]) -> ResponseReturnValue:
    """企业微信登录。"""
    return _by_identity("wecom", body["code"])


@blueprint.post("/auth/wechat/bind")
@needs(Can.ANYONE, own_transactions=True)
@blueprint.arguments(wire.BindIn)
@blueprint.response(200, wire.SignedInOut)
def bind(body: dict[str, str]) -> ResponseReturnValue:
    """用一次性邀请码绑定微信（或企业微信）并登录。"""
    ticket, code, sender = body["bind_ticket"], body["invite_code"], address()
    counted_at = in_one_transaction(Can.ANYONE, lambda: signing_in.try_ticket(work(), ticket, sender))
    return in_one_transaction(
        Can.ANYONE, lambda: answer(_shown(signing_in.bind(work(), ticket, code, sender, counted_at)))
    )


@blueprint.post("/auth/password")
@needs(Can.ANYONE, own_transactions=True)
@blueprint.arguments(wire.PasswordIn)
@blueprint.response(200, wire.SignedInOut)
def sign_in_by_password(body: dict[str, str]) -> ResponseReturnValue:
    """用户名和密码登录（浏览器用户）。"""
    return answer(_shown(open_by_password(body["username"], body["password"], body["otp"])))


@blueprint.delete("/auth/session")
@needs(Can.SIGNED_IN)
@blueprint.response(204)
def sign_out() -> ResponseReturnValue:
    """退出登录；令牌立即失效。"""
    token = bearer()
    if token is None:
        raise NotSignedIn
    signing_in.sign_out(work(), token)
    return nothing()


@blueprint.get("/me")
@needs(Can.SIGNED_IN)
@blueprint.response(200, wire.WorkerOut)
def me() -> ResponseReturnValue:
    """当前登录的工作人员。"""
    return answer(signing_in.introduced(work().actor))


@blueprint.get("/accounts")
@needs(Can.SEE_ACCOUNTS)
@blueprint.arguments(wire.AccountsQuery, location="query")
@blueprint.response(200, wire.AccountsOut)
def list_accounts(query: dict[str, object]) -> ResponseReturnValue:
    """辖区内的账户。"""
    return answer(accounts_page(work(), limit=int(str(query["limit"])), cursor=query["cursor"]))


@blueprint.post("/accounts")
@needs(Can.EDIT_ACCOUNTS, new_keys=1)
@blueprint.arguments(wire.NewWorkerIn)
@blueprint.response(201, wire.AccountOut)
def register(body: dict[str, object]) -> ResponseReturnValue:
    """登记工作人员。同一编号重复提交不会重复登记。"""
    worker = managing.register(work(), managing.NewWorker(**body))  # type: ignore[arg-type]
    work().session.flush()
    return answer(accounts_page(work(), only=worker.id)["items"][0], 201)


@blueprint.post("/accounts/<uuid:worker_id>/invites")
@needs(Can.EDIT_ACCOUNTS)
@blueprint.response(201, wire.InviteOut)
def invite(worker_id: UUID) -> ResponseReturnValue:
    """生成一次性邀请码；只显示这一次，以前的邀请码作废。"""
    code, expires_at = managing.invite(work(), worker_id)
    return answer({"invite_code": code, "expires_at": expires_at}, 201)


@blueprint.post("/accounts/<uuid:worker_id>/role")
@needs(Can.EDIT_ACCOUNTS)
@blueprint.arguments(wire.RoleIn)
@blueprint.response(204)
def grant(body: dict[str, Any], worker_id: UUID) -> ResponseReturnValue:
    """调整岗位或辖区；已登录的会话立即失效。"""
    managing.grant(work(), worker_id, body["role"], body["area_code"])
    return nothing()


@blueprint.post("/accounts/<uuid:worker_id>/unbind")
@needs(Can.EDIT_ACCOUNTS)
@blueprint.response(204)
def unbind(worker_id: UUID) -> ResponseReturnValue:
    """解除微信绑定；令牌立即失效。"""
    managing.unbind(work(), worker_id)
    return nothing()


@blueprint.post("/accounts/<uuid:worker_id>/disable")
@needs(Can.EDIT_ACCOUNTS)
@blueprint.response(204)
def disable(worker_id: UUID) -> ResponseReturnValue:
    """停用账户；令牌立即失效。"""
    managing.disable(work(), worker_id)
    return nothing()


@blueprint.post("/accounts/<uuid:worker_id>/enable")
@needs(Can.EDIT_ACCOUNTS)
@blueprint.response(204)
def enable(worker_id: UUID) -> ResponseReturnValue:
    """恢复账户。"""
    managing.enable(work(), worker_id)
    return nothing()


@blueprint.post("/accounts/<uuid:worker_id>/password")
@needs(Can.EDIT_ACCOUNTS)
@blueprint.arguments(wire.NewPasswordIn)
@blueprint.response(204)
def set_password(body: dict[str, str], worker_id: UUID) -> ResponseReturnValue:
    """重设密码；已登录的会话立即失效。"""
    managing.set_password(work(), worker_id, body["password"])
    return nothing()


def open_by_password(
    username: str, password: str, otp: str | None, *, must_have_otp: bool = False
) -> SignedIn:
    """Open a browser's session, counting the try first and hashing with no transaction open."""
    knocked = in_one_transaction(Can.ANYONE, lambda: signing_in.knock(work(), username, address()))
    try:
        fits = passwords.verify_or_burn(knocked.stored, password)
    except Unavailable:
        in_one_transaction(Can.ANYONE, lambda: signing_in.forget_knock(work().session, knocked))
        raise
    return in_one_transaction(
        Can.ANYONE,
        lambda: signing_in.by_password(work(), knocked, otp, fits=fits, must_have_otp=must_have_otp),
    )


def address() -> str:
    """Give the address that the trusted proxy names; used for limits only, never logged."""
    return request.remote_addr or "unknown"


def _by_identity(provider: str, code: str) -> ResponseReturnValue:
    exchange: Exchange = current_app.extensions["identity_providers"][provider]
    identity = exchange(code)  # a call to the outside, with no transaction open
    return in_one_transaction(Can.ANYONE, lambda: answer(_shown(signing_in.by_identity(work(), identity))))


def _shown(signed_in: SignedIn) -> dict[str, object]:
    return {
        "token": signed_in.token,
        "expires_at": signed_in.expires_at,
        "worker": signing_in.introduced(signed_in.actor),
    }
