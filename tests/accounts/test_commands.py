"""Accounts are created, invited, unbound, disabled and given passwords at the machine itself."""

import re
from uuid import UUID

import pyotp
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from server.accounts.models import Worker
from server.ledger.models import Event
from server.permissions import Role
from tests.builders.clock import Clock
from tests.builders.world import GUANGDE, SHENGPING, World

PASSWORD = "一个够长的密码 2026"
ROOT_ACCOUNT = ("create-administrator", "--username", "root", "--name", "首位管理员")


@pytest.fixture
def run(app: Flask, world: World):
    """Give a function that runs `flask accounts …` in the township of the test."""

    def run(*words: str, typed: str = "", fails: bool = False) -> Result:
        done = app.test_cli_runner().invoke(args=["accounts", *words], input=typed)
        assert (done.exit_code != 0) is fails, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done

    return run


def sign_in(app: Flask, username: str, password: str, **otp: str) -> int:
    answer = app.test_client().post(
        "/api/v1/auth/password", json={"username": username, "password": password, **otp}
    )
    return answer.status_code


def test_the_first_administrator_signs_in_with_the_password_that_was_typed(app: Flask, run) -> None:
    made = run(*ROOT_ACCOUNT, "--area", GUANGDE, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in made.output
    assert sign_in(app, "root", PASSWORD) == 200
    assert sign_in(app, "root", "another password") == 401


def test_a_password_is_read_from_standard_input_to_the_end_of_its_line(app: Flask, run) -> None:
    run(*ROOT_ACCOUNT, "--area", GUANGDE, "--password-stdin", typed=f"{PASSWORD}\r\nmore\n")
    assert sign_in(app, "root", PASSWORD) == 200


def test_no_command_takes_a_password_as_an_argument(app: Flask, run) -> None:
    for command in ("create-administrator", "create", "set-password"):
        options = re.findall(r"--[a-z-]+", run(command, "--help").output)
        assert [one for one in options if "pass" in one] in ([], ["--password-stdin"])


def test_a_user_name_is_given_once(run) -> None:
    run(*ROOT_ACCOUNT, "--area", GUANGDE, "--password-stdin", typed=f"{PASSWORD}\n")
    again = run(*ROOT_ACCOUNT, "--area", GUANGDE, "--password-stdin", typed=f"{PASSWORD}\n", fails=True)
    assert "username_taken" in again.output


@pytest.mark.parametrize(
    ("name", "area", "password", "field"),
    [
        ("首位管理员", GUANGDE, "short", "password"),
        ("首位管理员", GUANGDE, "", "password"),
        ("首位管理员", GUANGDE, "root", "password"),
        ("首位管理员", GUANGDE, "長" * 300, "password"),
        ("首位管理员", "34", PASSWORD, "area_code"),
        ("", GUANGDE, PASSWORD, "name"),
        ("名" * 61, GUANGDE, PASSWORD, "name"),
    ],
)
def test_what_the_wire_refuses_the_command_refuses(
    world: World, run, name: str, area: str, password: str, field: str
) -> None:
    words = ("create-administrator", "--username", "root", "--name", name, "--area", area, "--password-stdin")
    assert field in run(*words, typed=f"{password}\n", fails=True).output
    with world.work() as work:
        assert work.session.scalar(select(Worker.id).where(Worker.username == "root")) is None


def test_an_area_that_does_not_exist_is_refused(run) -> None:
    refused = run(*ROOT_ACCOUNT, "--area", "999999", "--password-stdin", typed=f"{PASSWORD}\n", fails=True)
    assert "Error" in refused.output


def test_a_password_that_is_no_text_is_refused(app: Flask, run) -> None:
    words = ["accounts", *ROOT_ACCOUNT, "--area", GUANGDE, "--password-stdin"]
    done = app.test_cli_runner().invoke(args=words, input=b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\n")
    assert done.exit_code == 1
    assert "UTF-8" in done.output


def test_an_account_of_each_role_can_be_created_and_is_listed(run) -> None:
    made = {
        role: run("create", "--name", f"测试{role.label}", "--role", role.value, "--area", SHENGPING)
        for role in Role
    }
    listed = run("list").output
    for role, done in made.items():
        assert (
            f"{UUID(done.output.strip())}  {role.value}  {SHENGPING}  -  测试{role.label}  active" in listed
        )


def test_an_invite_is_good_until_the_next_one_and_is_shown_with_its_end(run) -> None:
    worker = run("create", "--name", "测试走访", "--role", "visitor", "--area", SHENGPING).output.strip()
    codes = {run("invite", worker).output.strip() for _ in range(2)}
    assert len(codes) == 2
    assert all(line.endswith("2026-03-12T12:00:00+08:00") for line in codes)


def test_a_disabled_account_is_shut_out_at_once_and_comes_back_by_enable(
    app: Flask, world: World, run
) -> None:
    worker = world.worker(Role.CHIEF, SHENGPING, username="zhang", password=PASSWORD)
    phone = world.phone(worker)
    run("disable", "zhang")
    assert phone.get("/me").status_code == 401
    assert sign_in(app, "zhang", PASSWORD) == 401
    run("enable", str(worker.worker_id))
    assert phone.get("/me").status_code == 401
    assert sign_in(app, "zhang", PASSWORD) == 200


def test_unbinding_ends_the_sessions_of_this_worker_only(world: World, run) -> None:
    lost, other = (world.phone(world.worker(Role.VISITOR)) for _ in range(2))
    assert run("unbind", str(lost.actor.worker_id)).output == "unbound 0\n"
    assert lost.get("/me").status_code == 401
    assert other.get("/me").status_code == 200


def test_a_new_password_replaces_the_old_one_and_ends_the_sessions(app: Flask, world: World, run) -> None:
    phone = world.phone(world.worker(Role.REVIEWER, SHENGPING, username="li", password=PASSWORD))
    run("set-password", "li", "--password-stdin", typed="quite another password\n")
    assert phone.get("/me").status_code == 401
    assert sign_in(app, "li", PASSWORD) == 401
    assert sign_in(app, "li", "quite another password") == 200


def test_an_account_can_be_asked_for_one_time_codes_until_they_are_dropped(
    app: Flask, world: World, clock: Clock, run
) -> None:
    phone = world.phone(world.worker(Role.REVIEWER, SHENGPING, username="li", password=PASSWORD))
    uri = run("require-otp", "li").output.strip()
    assert uri.startswith("otpauth://totp/")
    assert phone.get("/me").status_code == 401
    assert sign_in(app, "li", PASSWORD) == 401
    authenticator = pyotp.parse_uri(uri)
    code = authenticator.at(clock())
    assert sign_in(app, "li", PASSWORD, otp=code) == 200
    assert sign_in(app, "li", PASSWORD, otp=code) == 401
    clock.move(minutes=1)
    run("require-otp", "li")
    assert sign_in(app, "li", PASSWORD, otp=authenticator.at(clock())) == 401, "the old secret is dead"
    run("drop-otp", "li")
    assert sign_in(app, "li", PASSWORD) == 200


def test_who_has_no_password_is_not_asked_for_codes(world: World, run) -> None:
    worker = world.worker()
    assert "密码" in run("require-otp", str(worker.worker_id), fails=True).output


@pytest.mark.parametrize(
    "command", ["invite", "unbind", "disable", "enable", "set-password", "require-otp", "drop-otp"]
)
@pytest.mark.parametrize("worker", ["nobody", "00000000-0000-0000-0000-00000000beef", "' OR 1=1 --"])
def test_a_worker_who_is_not_there_is_said_to_be_not_there(run, command: str, worker: str) -> None:
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    assert "not_found" in run(command, worker, typed=typed, fails=True).output


def test_every_command_that_changes_an_account_leaves_its_line_in_the_ledger(world: World, run) -> None:
    worker = run("create", "--name", "测试", "--role", "visitor", "--area", SHENGPING).output.strip()
    for command in ("invite", "unbind", "disable", "enable"):
        run(command, worker)
    run("set-password", worker, "--password-stdin", typed=f"{PASSWORD}\n")
    with world.work() as work:
        told = work.session.scalars(
            select(Event.action).where(Event.subject_id == UUID(worker)).order_by(Event.id)
        ).all()
    assert told == [
        f"account.{deed}"
        for deed in ("registered", "invited", "unbound", "disabled", "enabled", "password_set")
    ]
