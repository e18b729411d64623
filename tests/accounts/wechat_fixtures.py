"""A fake WeChat over real sockets, clients of it, and servers that behave worse than it can."""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from demo.fake_wechat import FakeWeChat
from server.accounts.wechat import WeChat, WeChatApp
from server.accounts.wecom import WeCom, WeComApp
from tests.builders.clock import Clock

APP_ID, APP_SECRET = "wxtest", "app-secret-that-nobody-may-see"
CORP_ID, CORP_SECRET = "wwtest", "corp-secret-that-nobody-may-see"
MORNING = dt.datetime(2026, 3, 5, 1, 0, tzinfo=dt.UTC)


@dataclass
class Outside:
    """A running fake and what it takes to be its client; time-outs are short so that tests are quick."""

    fake: FakeWeChat
    base_url: str
    clock: Clock

    def wechat(self, app_id: str = APP_ID, secret: str = APP_SECRET) -> WeChat:
        app = WeChatApp(self.base_url, app_id, secret, connect_timeout=0.5, read_timeout=0.3, total=0.8)
        return WeChat(app, self.clock)

    def wecom(self, corp_id: str = CORP_ID, secret: str = CORP_SECRET) -> WeCom:
        app = WeComApp(self.base_url, corp_id, secret, connect_timeout=0.5, read_timeout=0.3, total=0.8)
        return WeCom(app, self.clock)


@contextmanager
def outside() -> Iterator[Outside]:
    clock = Clock(MORNING)
    fake = FakeWeChat(APP_ID, APP_SECRET, clock, corp_id=CORP_ID, corp_secret=CORP_SECRET)
    with fake.running() as base_url:
        yield Outside(fake, base_url, clock)


@contextmanager
def server_that(does: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Serve one connection after another with `does`, which gets the socket and learns when to stop."""
    stopping = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(1)
                    does(connection, stopping)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopping.set()
        thread.join()
        listener.close()


def silent(_connection: socket.socket, stopping: threading.Event) -> None:
    """Take the connection and never answer."""
    stopping.wait(10)


def dripping(piece: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Answer one small piece at a time, each well within the time-out of a read, without end."""

    def drip(connection: socket.socket, stopping: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        if not piece.endswith(b"\n"):
            connection.sendall(b"Content-Length: 60000\r\n\r\n")
        while not stopping.wait(0.05):
            connection.sendall(piece)

    return drip
