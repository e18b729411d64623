"""The server over which the month is played: the real application on a real socket, with a clock that can be moved."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from demo.application import application, warm_up
from demo.fake_wechat import FakeWeChat
from demo.state import PLAY_LOG, State, Township
from server.settings import Settings
from server.tools import Tools


class PlayedClock:
    """A clock that stands until it is moved, and never goes back."""

    def __init__(self, instant: dt.datetime) -> None:
        self._instant = instant

    def __call__(self) -> dt.datetime:
        return self._instant

    def move_to(self, instant: dt.datetime) -> None:
        """Move on to an instant; an earlier one changes nothing."""
        self._instant = max(self._instant, instant)


@dataclass(frozen=True)
class Played:
    """Where the played server listens, and its clock."""

    address: str
    clock: PlayedClock


@contextmanager
def played_server(
    settings: Settings, folder: Path, state: State, township: Township, begin: dt.datetime
) -> Iterator[Played]:
    """Serve the demo on a loopback port in threads of this process; leaves none behind."""
    clock = PlayedClock(begin)
    fake = fake_wechat(state, clock)
    with ExitStack() as stack:
        log = stack.enter_context((folder / PLAY_LOG).open("w", encoding="utf-8"))
        wechat = stack.enter_context(fake.running())
        with redirect_stderr(log):
            app = application(
                replace(settings, wechat_base_url=wechat, wecom_base_url=wechat),
                folder,
                township,
                Tools(clock=clock),
            )
        warm_up(app)
        stack.callback(app.extensions["parts"].engine.dispose)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="played", daemon=True)
        thread.start()
        try:
            yield Played(f"http://127.0.0.1:{server.server_port}", clock)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def fake_wechat(state: State, clock: Any) -> FakeWeChat:
    """Make WeChat's stand-in with the demo's app and corporation."""
    return FakeWeChat(
        state.wechat_app_id,
        state.wechat_app_secret,
        clock,
        corp_id=state.wecom_corp_id,
        corp_secret=state.wecom_corp_secret,
    )


class _Quiet(WSGIRequestHandler):
    """Says nothing: the application logs its requests itself, and a lost connection is part of the play."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  (werkzeug's name)
        """Log nothing."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """Log nothing."""
