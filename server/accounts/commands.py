"""`flask accounts …`: what an administrator does with accounts at the machine itself, as the house.

A worker is named by id or by user name. A password comes from a prompt or from standard input, never from the command
line, where every user of the machine could read it.
"""

import sys
from uuid import UUID

import click
from flask.cli import AppGroup
from marshmallow import ValidationError
from sqlalchemy import select

from api_schemas.accounts import NewWorkerIn
from server.accounts import managing
from server.accounts.models import RoleGrant, Worker
from server.errors import NotFound
from server.http.command import at_work
from server.ledger.work import Work
from server.permissions import Role
from server.tools import SHANGHAI

accounts = AppGroup("accounts", help="人员账户 accounts")
LONGEST_LINE = 2048
PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="从标准输入读密码 read the password from standard input"
)


@accounts.command("create-administrator")
@click.option("--username", required=True)
@click.option("--name", required=True)
@click.option("--area", required=True, help="行政区划代码 code of the county, e.g. 341882")
@PASSWORD_STDIN
def create_administrator(*, username: str, name: str, area: str, password_stdin: bool) -> None:
    """Create an administrator who signs in with a password; prints the id."""
    _create(name, Role.ADMINISTRATOR, area, username, _password(from_stdin=password_stdin))


@accounts.command("create")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--area", required=True, help="行政区划代码 code of village, township or county")
@click.option("--username", help="需要用密码登录时填写 for those who sign in with a password")
def create(*, name: str, role: str, area: str, username: str | None) -> None:
    """Create an account without a password; prints the id, to which `invite` or `set-password` gives a way in."""
    _create(name, next(one for one in Role if one.value == role), area, username, None)


@accounts.command("list")
def list_accounts() -> None:
    """List every account: id, role, area, user name, name, and whether it is disabled."""
    with at_work() as work:
        rows = work.session.execute(
            select(Worker, RoleGrant.role, RoleGrant.area_code)
            .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
            .order_by(Worker.id)
        )
        for worker, role, area in rows:
            state = "disabled" if worker.disabled_at else "active"
            click.echo(f"{worker.id}  {role.value}  {area}  {worker.username or '-'}  {worker.name}  {state}")


@accounts.command("invite")
@click.argument("worker")
def invite(worker: str) -> None:
    """Make a one-time invite code, shown this once; earlier codes of the worker die."""
    with at_work() as work:
        code, expires_at = managing.invite(work, _found(work, worker))
    # The code is shown only after the commit: one that nobody can use would be worse than none.
    click.echo(f"{code}  {expires_at.astimezone(SHANGHAI).isoformat()}")


@accounts.command("unbind")
@click.argument("worker")
def unbind(worker: str) -> None:
    """Unbind WeChat and WeCom from an account (a lost phone); its tokens are dead at once."""
    with at_work() as work:
        bound = managing.unbind(work, _found(work, worker))
    click.echo(f"unbound {bound}")


@accounts.command("disable")
@click.argument("worker")
def disable(worker: str) -> None:
    """Disable an account; its tokens are dead at once, its past work stays."""
    with at_work() as work:
        managing.disable(work, _found(work, worker))
    click.echo("disabled")


@accounts.command("enable")
@click.argument("worker")
def enable(worker: str) -> None:
    """Enable a disabled account again; old tokens stay dead."""
    with at_work() as work:
        managing.enable(work, _found(work, worker))
    click.echo("enabled")


@accounts.command("set-password")
@click.argument("worker")
@PASSWORD_STDIN
def set_password(worker: str, *, password_stdin: bool) -> None:
    """Set a password and end the account's sessions."""
    password = _password(from_stdin=password_stdin)
    with at_work() as work:
        managing.set_password(work, _found(work, worker), password)
    click.echo("password set")


@accounts.command("require-otp")
@click.argument("worker")
def require_otp(worker: str) -> None:
    """Ask an account for one-time codes; prints the address for an authenticator, this once, and ends its sessions."""
    with at_work() as work:
        uri = managing.require_otp(work, _found(work, worker))
    click.echo(uri)


@accounts.command("drop-otp")
@click.argument("worker")
def drop_otp(worker: str) -> None:
    """Ask an account for no one-time codes any more (a lost authenticator); ends its sessions."""
    with at_work() as work:
        managing.drop_otp(work, _found(work, worker))
    click.echo("one-time codes dropped")


def _create(name: str, role: Role, area: str, username: str | None, password: str | None) -> None:
    with at_work(new_keys=1) as work:
        said = {
            "id": str(work.new_id()),
            "name": name,
            "role": role.value,
            "area_code": area,
            "username": username,
            "password": password,
        }
        try:
            facts = NewWorkerIn().load(said)
        except ValidationError as wrong:
            sentences = [
                f"{path}: {' '.join(map(str, texts))}" for path, texts in wrong.messages_dict.items()
            ]
            raise click.ClickException("\n".join(sentences)) from None
        worker = managing.register(work, managing.NewWorker(**facts))
        worker_id = worker.id
    click.echo(str(worker_id))


def _found(work: Work, worker: str) -> UUID:
    try:
        there = Worker.id == UUID(worker)
    except ValueError:
        there = Worker.username == worker
    found = work.session.scalar(select(Worker.id).where(there))
    if found is None:
        raise NotFound
    return found


def _password(*, from_stdin: bool) -> str:
    if not from_stdin:
        return str(click.prompt("密码 password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException("密码应为 UTF-8 文本 (the password is not UTF-8 text)") from None
