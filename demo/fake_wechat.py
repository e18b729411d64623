"""A stand-in for WeChat's and WeCom's sign-in servers on loopback, as strict as they are; for tests and the demo.

Codes live five minutes and work once, app id and secret are checked, access tokens end, and it can be told to
misbehave. Besides the codes that it issued it takes `demo:<subject>:<nonce>` once, for the subject named in it.
"""

import datetime as dt
import json
import secrets
import socket
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

CODE_LIVES = dt.timedelta(minutes=5)
TOKEN_LIVES = dt.timedelta(seconds=7200)
RENEWED_BEFORE = dt.timedelta(minutes=5)
FORCED_APART = dt.timedelta(seconds=30)
REMEMBERED = 100_000
LARGEST_BODY = 64 * 1024

WECHAT, WECOM = "wechat", "wecom"
WECHAT_SESSION = "/sns/jscode2session"
WECHAT_TOKEN = "/cgi-bin/stable_token"  # noqa: S105  (a path)
WECHAT_SEND = "/cgi-bin/message/subscribe/send"
WECOM_TOKEN = "/cgi-bin/gettoken"  # noqa: S105  (a path)
WECOM_SESSION = "/cgi-bin/miniprogram/jscode2session"

K = TypeVar("K")
V = TypeVar("V")
Answer = dict[str, Any]
Query = Mapping[str, str]


@dataclass(frozen=True)
class Misbehaviour:
    """What goes wrong with one call: an error code, a status, seconds of silence, a cut, or other bytes."""

    errcode: int | None = None
    status: int = 200
    delay: float = 0.0
    drop: bool = False
    truncate: bool = False
    content: bytes | None = None
    path: str | None = None


@dataclass
class _Tokens:
    """The access tokens of one provider, each with its end; the last is the current one."""

    ends: "OrderedDict[str, dt.datetime]"
    forced_at: dt.datetime | None = None


class FakeWeChat:
    """WeChat for one mini-program and WeCom for one corporation, behind one base URL.

    `clock` gives aware instants. `calls` counts calls by path, `sent` keeps the last messages, `session_keys` the
    last session keys that were given out. `omit_errcode` leaves errcode out of good answers, as WeChat does.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        clock: Callable[[], dt.datetime],
        *,
        corp_id: str = "wwdemo",
        corp_secret: str = "secret-of-the-demo-corporation",  # noqa: S107
        omit_errcode: bool = True,
    ) -> None:
        self.app_id, self.app_secret = app_id, app_secret
        self.corp_id, self.corp_secret = corp_id, corp_secret
        self.clock = clock
        self.omit_errcode = omit_errcode
        self.calls: Counter[str] = Counter()
        self.sent: deque[Answer] = deque(maxlen=1000)
        self.session_keys: deque[str] = deque(maxlen=1000)
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._issued: OrderedDict[tuple[str, str], tuple[str, dt.datetime]] = OrderedDict()
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._tokens = {WECHAT: _Tokens(OrderedDict()), WECOM: _Tokens(OrderedDict())}
        self._misbehave: deque[Misbehaviour] = deque()

    def issue_code(self, subject: str, now: dt.datetime | None = None, provider: str = WECHAT) -> str:
        """Give a code as `wx.login` would on the phone of this subject (`provider` wecom: `wx.qy.login`)."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            _remember(self._issued, (provider, code), (subject, now or self.clock()))
        return code

    def fail_next(
        self,
        errcode: int | None = None,
        *,
        times: int = 1,
        status: int = 200,
        delay: float = 0.0,
        drop: bool = False,
        truncate: bool = False,
        content: bytes | None = None,
        path: str | None = None,
    ) -> None:
        """Misbehave in the next `times` calls (to `path`, if given); a delay alone answers rightly, but late."""
        wrong = Misbehaviour(errcode, status, delay, drop, truncate, content, path)
        with self._lock:
            self._misbehave.extend([wrong] * times)

    def forget_tokens(self) -> None:
        """Make every access token worthless, as another process does that forces a new one."""
        with self._lock:
            for tokens in self._tokens.values():
                tokens.ends.clear()

    @contextmanager
    def running(self, port: int = 0) -> Iterator[str]:
        """Serve on loopback; gives the base URL, and leaves no thread or socket behind."""
        self.stopping.clear()
        server = _Server(("127.0.0.1", port), _Handler)
        server.fake = self
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="fake-wechat")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            self.stopping.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def misbehaviour(self, path: str) -> Misbehaviour | None:
        """Count a call, and take what should go wrong with it."""
        with self._lock:
            self.calls[path] += 1
            for wrong in self._misbehave:
                if wrong.path in {None, path}:
                    self._misbehave.remove(wrong)
                    return wrong
        return None

    def answer(self, method: str, path: str, query: Query, body: Answer) -> Answer:
        """Answer one call as the real servers do."""
        answers: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", WECHAT_SESSION): lambda: self._wechat_session(query),
            ("POST", WECHAT_TOKEN): lambda: self._wechat_token(body),
            ("POST", WECHAT_SEND): lambda: self._wechat_send(query, body),
            ("GET", WECOM_TOKEN): lambda: self._wecom_token(query),
            ("GET", WECOM_SESSION): lambda: self._wecom_session(query),
        }
        with self._lock:
            return answers.get((method, path), lambda: _error(-1, "unknown path"))()

    def _wechat_session(self, query: Query) -> Answer:
        wrong = self._wrong_app(query)
        if wrong:
            return wrong
        if query.get("grant_type") != "authorization_code":
            return _error(40002, "invalid grant_type")
        subject, error = self._take_code(WECHAT, query.get("js_code", ""))
        if error:
            return error
        return self._good({"openid": subject, "session_key": self._session_key()})

    def _wechat_token(self, body: Answer) -> Answer:
        wrong = self._wrong_app(body)
        if wrong:
            return wrong
        if body.get("grant_type") != "client_credential":
            return _error(40002, "invalid grant_type")
        now, tokens = self.clock(), self._tokens[WECHAT]
        if body.get("force_refresh") is True:
            if tokens.forced_at is not None and now - tokens.forced_at < FORCED_APART:
                return _error(45011, "api minute-quota reach limit, must slower, retry next minute")
            tokens.forced_at = now
            tokens.ends.clear()
        return self._good(self._token(tokens, now))

    def _wechat_send(self, query: Query, body: Answer) -> Answer:
        wrong = self._wrong_token(WECHAT, query)
        if wrong:
            return wrong
        self.sent.append(body)
        return _error(0, "ok")

    def _wecom_token(self, query: Query) -> Answer:
        if query.get("corpid") != self.corp_id:
            return _error(40013, "invalid corpid")
        if query.get("corpsecret") != self.corp_secret:
            return _error(40001, "invalid credential")
        return {**_error(0, "ok"), **self._token(self._tokens[WECOM], self.clock())}

    def _wecom_session(self, query: Query) -> Answer:
        wrong = self._wrong_token(WECOM, query)
        if wrong:
            return wrong
        subject, error = self._take_code(WECOM, query.get("js_code", ""))
        if error:
            return error
        found = {"corpid": self.corp_id, "userid": subject, "session_key": self._session_key()}
        return {**_error(0, "ok"), **found}

    def _wrong_app(self, said: Mapping[str, Any]) -> Answer | None:
        if said.get("appid") != self.app_id:
            return _error(40013, "invalid appid")
        if said.get("secret") != self.app_secret:
            return _error(40125, "invalid appsecret")
        return None

    def _wrong_token(self, provider: str, query: Query) -> Answer | None:
        end = self._tokens[provider].ends.get(query.get("access_token", ""))
        if end is None:
            return _error(40001 if provider == WECHAT else 40014, "access_token is invalid or not latest")
        return _error(42001, "access_token expired") if self.clock() >= end else None

    def _token(self, tokens: _Tokens, now: dt.datetime) -> Answer:
        """Give the current token; shortly before its end there is a new one, and the old one works till then."""
        current = next(reversed(tokens.ends), None)
        if current is None or tokens.ends[current] - now <= RENEWED_BEFORE:
            current = secrets.token_urlsafe(48)
            _remember(tokens.ends, current, now + TOKEN_LIVES, most=100)
        seconds = int((tokens.ends[current] - now).total_seconds())
        return {"access_token": current, "expires_in": seconds}

    def _take_code(self, provider: str, code: str) -> tuple[str, Answer | None]:
        key = (provider, code)
        if key in self._used:
            return "", _error(40163, "code been used")
        subject, issued_at = self._issued.pop(key, ("", None))
        if issued_at is None:
            named, _, nonce = code.removeprefix("demo:").rpartition(":")
            if not code.startswith("demo:") or not named or not nonce:
                return "", _error(40029, "invalid code")
            subject = named
        elif self.clock() - issued_at >= CODE_LIVES:
            return "", _error(40029, "invalid code")
        _remember(self._used, key, None)
        return subject, None

    def _session_key(self) -> str:
        key = secrets.token_urlsafe(16)
        self.session_keys.append(key)
        return key

    def _good(self, answer: Answer) -> Answer:
        return answer if self.omit_errcode else {**answer, **_error(0, "ok")}


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for what is being answered
    request_queue_size = 128
    fake: FakeWeChat

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 5
    server: _Server

    def do_GET(self) -> None:
        self._respond({})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self._send(200, _dumped(_error(47001, "data format error")))
            return
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            self._send(200, _dumped(_error(47001, "data format error")))
            return
        self._respond(body)

    def _respond(self, body: Answer) -> None:
        fake = self.server.fake
        parts = urlsplit(self.path)
        wrong = fake.misbehaviour(parts.path)
        if wrong is not None and wrong.delay:
            fake.stopping.wait(wrong.delay)
        if wrong is not None and wrong.drop:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if wrong is not None and wrong.content is not None:
            content = wrong.content
        elif wrong is not None and wrong.errcode is not None:
            content = _dumped(_error(wrong.errcode, "told to fail"))
        else:
            content = _dumped(fake.answer(self.command, parts.path, dict(parse_qsl(parts.query)), body))
        status = 200 if wrong is None else wrong.status
        self._send(status, content, cut=wrong is not None and wrong.truncate)

    def _send(self, status: int, content: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)

    def log_message(self, *_: Any) -> None:
        """Log nothing: the address holds the secret."""


def _error(errcode: int, errmsg: str) -> Answer:
    return {"errcode": errcode, "errmsg": errmsg}


def _dumped(answer: Answer) -> bytes:
    return json.dumps(answer).encode()


def _remember(memory: "OrderedDict[K, V]", key: K, value: V, most: int = REMEMBERED) -> None:
    memory[key] = value
    while len(memory) > most:
        memory.popitem(last=False)
