"""Accounts on pages: registered, invited, moved to another role, shut out and let in; each deed confirmed by a code (人员账户)."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas import accounts as wire
from api_schemas.wire import Strict, TermField, Text, UuidField
from server.accounts import managing
from server.accounts.account import account
from server.accounts.queries import accounts_page
from server.errors import Refusal, StaleRevision
from server.http.guard import work
from server.permissions import Can, Role
from server.regions.models import Region
from server.regions.queries import villages
from server.regions.service import names
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, sent

blueprint = feature("accounts")
ENTRY = Entry(
    "人员账户",
    "web_accounts.accounts",
    Can.SEE_ACCOUNTS,
    "工作人员的岗位、辖区、登录方式和状态；变动由系统管理员办理",
)
DONE: Final[Mapping[str, str]] = {
    "registered": "已登记。手机用户请生成邀请码；网页用户请设置密码并启用动态口令。",
    "role": "岗位、辖区已调整，此人已登录的会话已失效。",
    "unbind": "微信绑定已解除，此人已登录的会话已失效。",
    "disable": "账户已停用，此人已登录的会话已失效，以前的工作记录不变。",
    "enable": "账户已恢复，请此人重新登录。",
    "password": "密码已重设，此人已登录的会话已失效。",
    "otp-drop": "动态口令已取消，此人不能再登录网页。",
}


class AccountsAsked(wire.AccountsQuery):
    """Which accounts, as the form asks."""

    role = TermField(Role, load_default=None)
    area = Text(12, pattern="^[0-9]{6,12}$", load_default=None)


class RoleAsked(wire.RoleIn):
    """Another role or area, in place of the one that was seen."""

    seen = UuidField(required=True)


@blueprint.get("/accounts")
@shows(Can.SEE_ACCOUNTS)
def accounts() -> ResponseReturnValue:
    """List the accounts inside the reader's area."""
    query = asked(AccountsAsked)
    found = accounts_page(work(), **query)
    return showing.page(
        "accounts.html",
        found=found,
        areas=names(work().session, {one["area"] for one in found["items"]}),
        regions=_regions(),
        roles=Role,
        kept={name: text for name, text in request.args.items() if name in {"role", "area"} and text},
        may_edit=work().actor.may(Can.EDIT_ACCOUNTS),
    )


@blueprint.get("/accounts/new")
@shows(Can.EDIT_ACCOUNTS)
def new_page(refusal: Refusal | None = None, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """Ask for a new worker; the id is made here, so that a form sent twice registers one."""
    return showing.page(
        "account_new.html",
        regions=_regions(),
        roles=Role,
        refusal=refusal,
        typed=typed or {"id": str(work().new_id())},
    )


@blueprint.post("/accounts")
@shows(Can.EDIT_ACCOUNTS, new_keys=1, again=new_page, step_up=True)
def post_account() -> ResponseReturnValue:
    """Register a worker."""
    worker = managing.register(work(), managing.NewWorker(**sent(wire.NewWorkerIn)))
    return _to(worker.id, "registered")


@blueprint.get("/accounts/<uuid:worker_id>")
@shows(Can.SEE_ACCOUNTS)
def account_page(
    worker_id: UUID, refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Show one account, and what may be done with it."""
    return _shown(worker_id, refusal, typed)


def _shown(
    worker_id: UUID,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
    *,
    once: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:
    found = account(work(), worker_id)
    return showing.page(
        "account.html",
        one=found,
        areas=names(work().session, {found["area"]}),
        regions=_regions(),
        roles=Role,
        may_edit=work().actor.may(Can.EDIT_ACCOUNTS),
        is_own=work().actor.worker_id == worker_id,
        refusal=refusal,
        typed=typed or {},
        once=once or {},
        done=DONE.get(request.args.get("done", "")),
    )


@blueprint.post("/accounts/<uuid:worker_id>/invites")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_invite(worker_id: UUID) -> ResponseReturnValue:
    """Make an invite code and show it this once."""
    sent(Strict, leave_out=("deed",))
    code, expires_at = managing.invite(work(), worker_id)
    work().session.flush()
    return _shown(worker_id, once={"invite": code, "until": expires_at})


@blueprint.post("/accounts/<uuid:worker_id>/role")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_role(worker_id: UUID) -> ResponseReturnValue:
    """Give another role or area, unless somebody else did so meanwhile."""
    body = sent(RoleAsked, leave_out=("deed",))
    if account(work(), worker_id)["grant_id"] != body["seen"]:
        raise StaleRevision("此人的岗位或辖区刚刚被调整过，请看清现在的岗位、辖区后再办。")
    managing.grant(work(), worker_id, body["role"], body["area_code"])
    return _to(worker_id, "role")


@blueprint.post("/accounts/<uuid:worker_id>/unbind")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_unbind(worker_id: UUID) -> ResponseReturnValue:
    """Unbind the worker's phone."""
    sent(Strict, leave_out=("deed",))
    managing.unbind(work(), worker_id)
    return _to(worker_id, "unbind")


@blueprint.post("/accounts/<uuid:worker_id>/disable")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_disable(worker_id: UUID) -> ResponseReturnValue:
    """Shut an account."""
    sent(Strict, leave_out=("deed",))
    managing.disable(work(), worker_id)
    return _to(worker_id, "disable")


@blueprint.post("/accounts/<uuid:worker_id>/enable")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_enable(worker_id: UUID) -> ResponseReturnValue:
    """Open an account again."""
    sent(Strict, leave_out=("deed",))
    managing.enable(work(), worker_id)
    return _to(worker_id, "enable")


@blueprint.post("/accounts/<uuid:worker_id>/password")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_password(worker_id: UUID) -> ResponseReturnValue:
    """Set a password."""
    managing.set_password(work(), worker_id, sent(wire.NewPasswordIn, leave_out=("deed",))["password"])
    return _to(worker_id, "password")


@blueprint.post("/accounts/<uuid:worker_id>/otp")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_otp(worker_id: UUID) -> ResponseReturnValue:
    """Make a new secret for one-time codes and show it this once."""
    sent(Strict, leave_out=("deed",))
    address = managing.require_otp(work(), worker_id)
    work().session.flush()
    secret = parse_qs(urlsplit(address).query)["secret"][0]
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return _shown(worker_id, once={"secret": spaced})


@blueprint.post("/accounts/<uuid:worker_id>/otp-drop")
@shows(Can.EDIT_ACCOUNTS, again=account_page, step_up=True)
def post_otp_drop(worker_id: UUID) -> ResponseReturnValue:
    """Ask for no one-time codes any more."""
    sent(Strict, leave_out=("deed",))
    managing.drop_otp(work(), worker_id)
    return _to(worker_id, "otp-drop")


def _regions() -> list[Region]:
    return list(work().session.scalars(villages(work().actor.area_code, work().today)))


def _to(worker_id: UUID, done: str) -> ResponseReturnValue:
    work().session.flush()
    return redirect(url_for("web_accounts.account_page", worker_id=worker_id, done=done), 303)
