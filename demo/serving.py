"""Serves the demo: granian's workers, the sealer and the judge as children, WeChat's stand-in beside them, all gone at the end."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from demo.played_server import fake_wechat
from demo.settings import SERVICE
from demo.state import ROOT, SERVER_LOG, DemoError, State
from server.tools import Tools

HOST = "127.0.0.1"
WORKERS, THREADS = 2, 16
START_SECONDS, STOP_SECONDS = 30.0, 15.0
SEALER = (sys.executable, "-m", "flask", "--app", "wsgi", "ledger", "seal", "--every", "1")
JUDGE = (sys.executable, "-m", "flask", "--app", "wsgi", "evidence", "work", "--every", "1")
PORT_SECONDS = 3.0
"""How long a port may take to become free: a server that was just stopped lets go of it a little later."""


class Stopped(Exception):  # noqa: N818  (a wish, not an error)
    """Somebody asked the demo to stop."""


def port_of(environ: Mapping[str, str]) -> int:
    """Read PORT; raises DemoError when it is no port."""
    text = environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise DemoError(f"PORT={text}：端口应为 1 到 65535 的整数 (PORT must be 1 to 65535)")
    return int(text)


def refuse_busy(port: int) -> None:
    """Refuse, before anything is set up, a port that somebody else listens on."""
    patience = time.monotonic() + PORT_SECONDS
    while True:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, port))
            except OSError as error:
                if time.monotonic() < patience:
                    time.sleep(0.2)
                    continue
                raise DemoError(
                    f"端口 {port} 不能使用：{error.strerror}；请换一个，例如 PORT={port + 1} make serve\n"
                    f"port {port} cannot be used; take another: PORT={port + 1} make serve"
                ) from None
            return


def serve(
    folder: Path, state: State, port: int, environ: Mapping[str, str], then: Callable[[str], None]
) -> int:
    """Serve until asked to stop (SIGINT, SIGTERM) or until the server ends; `then` runs once it answers.

    Returns the exit status. Nothing that was started here outlives the call.
    """
    address = f"http://{HOST}:{port}"
    with ExitStack() as stack:
        stack.enter_context(stoppable())
        wechat = stack.enter_context(fake_wechat(state, Tools().now).running())
        kept = _environment(folder, wechat, environ)
        child = stack.enter_context(_child(folder, kept, _granian(port)))
        stack.enter_context(_child(folder, kept, SEALER))
        stack.enter_context(_child(folder, kept, JUDGE))
        try:
            _wait_until_answering(child, folder, port)
            then(address)
            print(f"微信替身 WeChat's stand-in: {wechat}（code: demo:<wechat_subject>:<nonce>）")
            print(
                f"网页 pages: {address}/    登录用 sign in with: .venv/bin/flask --app wsgi demo code chief"
            )
            print("账户 accounts: .venv/bin/flask --app wsgi demo accounts --json")
            print(f"日志 log: {folder / SERVER_LOG}")
            print(f"正在运行 serving: {address}/docs    Ctrl-C 停止 stops it", flush=True)
            status = child.wait()
        except (Stopped, KeyboardInterrupt):
            return 0
        sys.stderr.write(f"服务已退出 the server ended by itself ({status})：{folder / SERVER_LOG}\n")
        return 1


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into `Stopped`, so that everything that was begun is put away."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):  # once is enough: putting away is not to be cut short
            signal.signal(one, signal.SIG_IGN)
        raise Stopped

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _environment(folder: Path, wechat: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the workers' environment: the demo's folder and its WeChat, and nothing that makes them a service."""
    kept = {name: value for name, value in environ.items() if name not in SERVICE or name.endswith("_URL")}
    return kept | {"DATA_DIR": str(folder), "WECHAT_BASE_URL": wechat, "WECOM_BASE_URL": wechat}


def _granian(port: int) -> tuple[str, ...]:
    granian = Path(sys.executable).with_name("granian")
    if not granian.exists():
        raise DemoError(f"{granian} 不存在，请先执行 make setup (run make setup first)")
    return (
        *(str(granian), "--interface", "wsgi", "wsgi:app", "--host", HOST, "--port", str(port)),
        *("--workers", str(WORKERS), "--blocking-threads", str(THREADS)),
        *("--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "5", "--log-level", "warning"),
    )


@contextmanager
def _child(
    folder: Path, environ: Mapping[str, str], command: Sequence[str]
) -> "Iterator[subprocess.Popen[bytes]]":
    # A session of its own: Ctrl-C reaches this process alone, which then ends the server in order.
    with (folder / SERVER_LOG).open("ab") as log:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "demo.child", str(os.getpid()), *command],
            env=dict(environ),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        sys.stderr.write("服务没有按时停止，强制结束 (the server did not stop in time and is killed)\n")
    with suppress(ProcessLookupError, PermissionError):  # workers whose parent was killed
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _wait_until_answering(child: "subprocess.Popen[bytes]", folder: Path, port: int) -> None:
    patience = time.monotonic() + START_SECONDS
    while time.monotonic() < patience:
        if child.poll() is not None:
            raise DemoError(f"服务没有启动 (the server did not start):\n{_end_of(folder / SERVER_LOG)}")
        connection = http.client.HTTPConnection(HOST, port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise DemoError(f"服务没有回应 (the server does not answer):\n{_end_of(folder / SERVER_LOG)}")


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
