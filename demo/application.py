"""The demo as a Flask application, with the command that lists its accounts."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from demo import accounts
from demo.settings import demo_settings, nothing_set
from demo.state import STATE_FILE, DemoError, Township, data_dir, database_name, load
from server.app import create_app
from server.http.parts import Parts, parts
from server.settings import Settings
from server.tools import Tools


def demo_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Make the application of the demo that was set up in DATA_DIR; ends the process with what to do when none was."""
    environ = os.environ if environ is None else environ
    folder = data_dir(environ)
    try:
        state = load(folder)
        if state is None or database_name(environ) not in state.townships:
            raise SystemExit(nothing_set(environ, folder))
        township = state.townships[database_name(environ)]
        app = application(demo_settings(folder, state, environ), folder, township)
        warm_up(app)
    except DemoError as error:
        raise SystemExit(str(error)) from None
    return app


def application(settings: Settings, folder: Path, township: Township, tools: Tools | None = None) -> Flask:
    """Make the demo's application over given settings."""
    app = create_app(settings, tools)
    app.cli.add_command(_commands(folder, township))
    return app


def warm_up(app: Flask) -> None:
    """Read the house key before the first request: a sign-in that looks for it inside its own transaction waits for
    itself on SQLite."""
    house: Parts = app.extensions["parts"]
    house.keys.house_key()


def _commands(folder: Path, township: Township) -> AppGroup:
    group = AppGroup("demo", help="演示 the demo's own commands")

    @group.command("accounts")
    @click.option("--json", "as_json", is_flag=True, help="JSON, as CONTRACT §10")
    def show_accounts(*, as_json: bool) -> None:
        """List who can sign in, with passwords and unused invite codes."""
        rows = accounts.listed(parts(), township)
        if as_json:
            click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
            return
        click.echo(f"{folder / STATE_FILE}", err=True)
        for row in rows:
            click.echo("  ".join(f"{value or '-'}" for value in row.values()))

    @group.command("code")
    @click.argument("username")
    def show_code(*, username: str) -> None:
        """Give password and one-time code with which an account signs in to the pages, such as reviewer or chief.

        Pages ask everybody for a code; from now on this account is asked for one by the API too.
        """
        given = accounts.browser_code(parts(), township, username)
        if given is None:
            raise click.ClickException(f"没有这个演示账户 (no such account): {username}")
        click.echo(f"用户名 {username}  密码 {given[0]}  动态口令 {given[1]}（半分钟内有效，用一次）")
        click.echo("此后这个账户用接口登录也须附动态口令（otp）；再次执行本命令得到新的。", err=True)

    return group
