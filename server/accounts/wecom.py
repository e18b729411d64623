"""WeCom's sign-in for mini-programs (企业微信): corpid and userid instead of an openid (CONTRACT §9)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from server.accounts.access_tokens import AccessTokens
from server.accounts.identity_refusals import Identity, WecomCodeInvalid, WecomTooOften, WecomUnavailable
from server.accounts.provider_answers import LONGEST_CODE, errcode_of, is_printable, life_of, text_of
from server.accounts.provider_calls import Deadline, NoAnswer, ProviderCalls
from server.errors import Refusal

PROVIDER = "wecom"
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
# Ours to put right: corp id, secret, the list of addresses that may call, what the app may do.
_MISCONFIGURED = frozenset({40001, 40013, 40091, 41002, 41004, 48002, 60020, 301002})
_BUSY = -1
_OFTEN = frozenset({45009, 45011})
_CODE_INVALID = frozenset({40029, 40163, 41008, 42003})

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WeComApp:
    """An app of a corporation as WeCom knows it, and how patient we are (seconds; `most_bytes` bounds an answer)."""

    base_url: str
    corp_id: str
    corp_secret: str = field(repr=False)
    connect_timeout: float = 2.0
    read_timeout: float = 4.0
    total: float = 8.0
    most_bytes: int = 64 * 1024
    retry_after: int = 60
    token_margin: dt.timedelta = dt.timedelta(minutes=5)


class WeCom:
    """A client of WeCom's API; safe to share between threads, and asks nothing until it is used."""

    def __init__(self, app: WeComApp, clock: Callable[[], dt.datetime]) -> None:
        self._app = app
        self._calls = ProviderCalls(
            app.base_url,
            connect_timeout=app.connect_timeout,
            read_timeout=app.read_timeout,
            most_bytes=app.most_bytes,
        )
        self._tokens = AccessTokens(self._fetch_token, clock, app.token_margin)

    def code_to_session(self, code: str) -> Identity:
        """Exchange the code of `wx.qy.login` for corpid and userid; the session key is dropped unread.

        The corporation is the one that WeCom names, so that the same userid elsewhere is never taken for ours.
        A refused access token is fetched anew and the exchange repeated once: the code was not looked at yet.
        Raises WecomCodeInvalid, WecomTooOften or WecomUnavailable.
        """
        if not is_printable(code, LONGEST_CODE):
            raise WecomCodeInvalid
        path = "/cgi-bin/miniprogram/jscode2session"
        deadline = Deadline(self._app.total)
        try:
            token = self._tokens.current(deadline)
            answer = self._exchange(path, token, code, deadline)
            if errcode_of(answer) in TOKEN_REFUSED:
                token = self._tokens.instead_of(token, deadline)
                answer = self._exchange(path, token, code, deadline)
            corp_id, user_id = text_of(answer, "corpid"), text_of(answer, "userid")
            errcode = errcode_of(answer)
        except NoAnswer as gone:
            raise _unavailable(path, gone) from None
        if errcode == 0 and corp_id is not None and user_id is not None:
            return Identity(PROVIDER, corp_id, user_id)
        if errcode in _CODE_INVALID:
            raise WecomCodeInvalid
        raise self._refusal(path, errcode)

    def _exchange(self, path: str, token: str, code: str, deadline: Deadline) -> dict[str, Any]:
        query = {"access_token": token, "js_code": code, "grant_type": "authorization_code"}
        return self._calls.get(path, query, deadline)

    def _fetch_token(self, _forced: bool, deadline: Deadline) -> tuple[str, int]:  # noqa: FBT001
        # WeCom cannot be forced: it gives the same token until that one ends.
        query = {"corpid": self._app.corp_id, "corpsecret": self._app.corp_secret}
        path = "/cgi-bin/gettoken"
        answer = self._calls.get(path, query, deadline)
        token = text_of(answer, "access_token", most=2048)
        if token is None:
            raise self._refusal(path, errcode_of(answer))
        return token, life_of(answer)

    def _refusal(self, path: str, errcode: int) -> Refusal:
        if errcode in _OFTEN:
            return WecomTooOften(retry_after=self._app.retry_after)
        if errcode == _BUSY:
            _log.warning("provider_busy", provider=PROVIDER, path=path, errcode=errcode)
        elif errcode in _MISCONFIGURED:
            _log.error("provider_misconfigured", provider=PROVIDER, path=path, errcode=errcode)
        else:
            _log.error("provider_refused", provider=PROVIDER, path=path, errcode=errcode)
        return WecomUnavailable()


def _unavailable(path: str, gone: NoAnswer) -> Refusal:
    _log.warning("provider_unavailable", provider=PROVIDER, path=path, reason=gone.reason)
    return WecomUnavailable()
