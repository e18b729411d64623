"""`python -m demo run | serve | reset`: what `make run`, `make serve` and `make demo-reset` call."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from demo.phone import Phone, PhoneError
from demo.played_server import played_server
from demo.player import play
from demo.progress import Progress
from demo.report import print_report
from demo.resetting import reset
from demo.serving import Stopped, port_of, refuse_busy, serve, stoppable
from demo.setting_up import prepare, set_up
from demo.state import DemoError, State, Township, data_dir, held, save
from demo.township import eve_of
from demo.verifying import print_verification
from server.db import UnsafeDatabaseError
from server.permissions import Role
from server.settings import Settings, SettingsError
from server.tools import Tools
from server.vault.keyring import KeyringBroken

INTERRUPTED = 130
HAPPENED = {
    "visits": "走访",
    "not met": "未遇见",
    "photos": "照片",
    "photos still owed": "欠照片",
    "filed late": "补录",
    "lost replies": "丢失的应答",
    "handed over": "移交",
    "returned and corrected": "退回更正",
    "voided": "作废",
    "accepted at once": "批量通过",
    "confirmed by a second": "两人通过",
    "looked at again, blind": "盲审复核",
    "problems sent back": "问题退回",
    "problems closed": "问题关闭",
    "spot checks": "抽查",
    "rectified": "整改销号",
    "doubtful": "带提示待核实",
}


def run(environ: Mapping[str, str]) -> int:
    """Set up, play the month unless it was played, serve, and print who is overdue."""
    folder = data_dir(environ)
    port = port_of(environ)
    refuse_busy(port)
    prepare(folder)
    with stoppable(), held(folder, alone=True):
        state, township, settings = set_up(folder, environ)
        if township.played == "no":
            _play(folder, state, township, settings)
        elif township.played == "begun":
            sys.stderr.write(
                "上次的演示没有走完，数据照用；重新开始请执行 make demo-reset"
                " (the month was played in part; make demo-reset starts afresh)\n"
            )

    def show(address: str) -> None:
        chief = township.account(Role.CHIEF)
        phone = Phone(address, chief.wechat_subject, chief.invite_code)
        visitor = township.account(Role.VISITOR)
        hand = Phone(address, visitor.wechat_subject, visitor.invite_code)
        try:
            print_report(phone, township.begin_on)
            print_verification(settings, folder, township, hand)
        finally:
            phone.close()
            hand.close()

    return _serve(folder, state, port, environ, show)


def serve_only(environ: Mapping[str, str]) -> int:
    """Set up without playing, and serve."""
    folder = data_dir(environ)
    port = port_of(environ)
    refuse_busy(port)
    prepare(folder)
    with stoppable(), held(folder, alone=True):
        state, _, _ = set_up(folder, environ)
    return _serve(folder, state, port, environ, lambda _address: None)


def start_afresh(environ: Mapping[str, str]) -> int:
    """Delete the demo."""
    for line in reset(data_dir(environ)):
        print(line)
    return 0


def _serve(
    folder: Path, state: State, port: int, environ: Mapping[str, str], then: Callable[[str], None]
) -> int:
    with held(folder, alone=False):
        return serve(folder, state, port, environ, then)


def _play(folder: Path, state: State, township: Township, settings: Settings) -> None:
    township.played = "begun"
    save(folder, state)
    progress = Progress("演示走访 playing the field work")
    with played_server(settings, folder, state, township, eve_of(township.begin_on)) as played:
        happened = play(township, played, Tools().now(), progress)
    township.played = "done"
    save(folder, state)
    progress.close("，".join(f"{label} {happened[name]}" for name, label in HAPPENED.items()))


COMMANDS = {"run": run, "serve": serve_only, "reset": start_afresh}


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Do what the only argument names."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write(f"usage: python -m demo {' | '.join(COMMANDS)}\n")
        return 2
    try:
        return COMMANDS[arguments[0]](environ)
    except (Stopped, KeyboardInterrupt):
        return INTERRUPTED
    except (DemoError, PhoneError, SettingsError, KeyringBroken, UnsafeDatabaseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
