"""WeChat's sign-in for mini-programs, and the token that later calls to WeChat need (CONTRACT §9)."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from server.accounts.access_tokens import AccessTokens
from server.accounts.identity_refusals import (
    Identity,
    ProviderAnswered,
    WechatCodeInvalid,
    WechatHighRisk,
    WechatTooOften,
    WechatUnavailable,
)
from server.accounts.provider_answers import LONGEST_CODE, errcode_of, is_printable, life_of, text_of
from server.accounts.provider_calls import Deadline, NoAnswer, ProviderCalls
from server.errors import Refusal

PROVIDER = "wechat"
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
# Ours to put right: app id, secret, the list of addresses that may call, a frozen account.
_MISCONFIGURED = frozenset({40001, 40013, 40125, 40164, 41002, 41004, 50004, 50007})
_BUSY, _OFTEN, _HIGH_RISK = -1, 45011, 40226
_CODE_INVALID = frozenset({40029, 40163, 41008})

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WeChatApp:
    """A mini-program as WeChat knows it, and how patient we are (seconds; `most_bytes` bounds an answer).

    `total` bounds a whole sign-in or call, retries included.
    """

    base_url: str
    app_id: str
    app_secret: str = field(repr=False)
    connect_timeout: float = 2.0
    read_timeout: float = 4.0
    total: float = 8.0
    most_bytes: int = 64 * 1024
    retry_after: int = 60
    token_margin: dt.timedelta = dt.timedelta(minutes=5)


class WeChat:
    """A client of WeChat's API; safe to share between threads, and asks nothing until it is used."""

    def __init__(self, app: WeChatApp, clock: Callable[[], dt.datetime]) -> None:
        self._app = app
        self._calls = ProviderCalls(
            app.base_url,
            connect_timeout=app.connect_timeout,
            read_timeout=app.read_timeout,
            most_bytes=app.most_bytes,
        )
        self._tokens = AccessTokens(self._fetch_token, clock, app.token_margin)

    def code_to_session(self, code: str) -> Identity:
        """Exchange the code of `wx.login` for an identity; the session key is dropped unread.

        Raises WechatCodeInvalid, WechatTooOften, WechatHighRisk or WechatUnavailable. The code is sent once: what
        became of it after a lost answer nobody knows, so the phone fetches another.
        """
        if not is_printable(code, LONGEST_CODE):
            raise WechatCodeInvalid
        query = {
            "appid": self._app.app_id,
            "secret": self._app.app_secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        path = "/sns/jscode2session"
        try:
            answer = self._calls.get(path, query, Deadline(self._app.total))
            openid = text_of(answer, "openid")
            # WeChat may leave out errcode when all is well.
            if openid is not None:
                return Identity(PROVIDER, self._app.app_id, openid)
            errcode = errcode_of(answer)
        except NoAnswer as gone:
            raise _unavailable(path, gone) from None
        if errcode in _CODE_INVALID:
            raise WechatCodeInvalid
        if errcode == _HIGH_RISK:
            raise WechatHighRisk
        raise self._refusal(path, errcode)

    def access_token(self) -> str:
        """Give the token that calls carry (`stable_token`); raises WechatUnavailable or WechatTooOften."""
        try:
            return self._tokens.current(Deadline(self._app.total))
        except NoAnswer as gone:
            raise _unavailable("/cgi-bin/stable_token", gone) from None

    def call(self, path: str, payload: Mapping[str, object]) -> dict[str, Any]:
        """Call WeChat with the access token and return its answer.

        A refused token is fetched anew and the call repeated once. Raises WechatUnavailable (after which the call
        may or may not have been carried out), WechatTooOften, or ProviderAnswered with any other error code.
        """
        deadline = Deadline(self._app.total)
        try:
            token = self._tokens.current(deadline)
            answer = self._calls.post(path, {"access_token": token}, payload, deadline)
            if errcode_of(answer) in TOKEN_REFUSED:
                token = self._tokens.instead_of(token, deadline)
                answer = self._calls.post(path, {"access_token": token}, payload, deadline)
            errcode = errcode_of(answer)
        except NoAnswer as gone:
            raise _unavailable(path, gone) from None
        if errcode == 0:
            return answer
        if errcode in {_BUSY, _OFTEN} or errcode in _MISCONFIGURED | TOKEN_REFUSED:
            raise self._refusal(path, errcode)
        raise ProviderAnswered(PROVIDER, errcode)

    def _fetch_token(self, forced: bool, deadline: Deadline) -> tuple[str, int]:  # noqa: FBT001
        payload = {
            "grant_type": "client_credential",
            "appid": self._app.app_id,
            "secret": self._app.app_secret,
            "force_refresh": forced,
        }
        path = "/cgi-bin/stable_token"
        answer = self._calls.post(path, {}, payload, deadline)
        token = text_of(answer, "access_token", most=2048)
        if token is None:
            raise self._refusal(path, errcode_of(answer))
        return token, life_of(answer)

    def _refusal(self, path: str, errcode: int) -> Refusal:
        if errcode == _OFTEN:
            return WechatTooOften(retry_after=self._app.retry_after)
        if errcode == _BUSY:
            _log.warning("provider_busy", provider=PROVIDER, path=path, errcode=errcode)
        elif errcode in _MISCONFIGURED:
            _log.error("provider_misconfigured", provider=PROVIDER, path=path, errcode=errcode)
        else:
            _log.error("provider_refused", provider=PROVIDER, path=path, errcode=errcode)
        return WechatUnavailable()


def _unavailable(path: str, gone: NoAnswer) -> Refusal:
    _log.warning("provider_unavailable", provider=PROVIDER, path=path, reason=gone.reason)
    return WechatUnavailable()
