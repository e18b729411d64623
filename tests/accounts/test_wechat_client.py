"""WeChat's sign-in, over real sockets against the fake server and against worse ones."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from demo.fake_wechat import WECHAT_SEND, WECHAT_SESSION, WECHAT_TOKEN
from server.accounts.identity_refusals import (
    Identity,
    ProviderAnswered,
    WechatCodeInvalid,
    WechatHighRisk,
    WechatTooOften,
    WechatUnavailable,
)
from server.accounts.provider_calls import ProviderCalls
from server.accounts.wechat import WeChat, WeChatApp
from server.errors import Refusal
from tests.accounts.wechat_fixtures import (
    APP_ID,
    APP_SECRET,
    MORNING,
    Outside,
    dripping,
    outside,
    server_that,
    silent,
)
from tests.builders.clock import Clock


@pytest.fixture
def out() -> Iterator[Outside]:
    with outside() as there:
        yield there


@pytest.fixture(scope="module")
def shared() -> Iterator[Outside]:
    with outside() as there:
        yield there


def test_a_fresh_code_gives_the_openid_with_or_without_errcode(out: Outside) -> None:
    for omit in (True, False):
        out.fake.omit_errcode = omit
        code = out.fake.issue_code("openid-of-li", out.clock())
        assert out.wechat().code_to_session(code) == Identity("wechat", APP_ID, "openid-of-li")


def test_a_code_works_once(out: Outside) -> None:
    wechat, code = out.wechat(), out.fake.issue_code("openid-of-li")
    wechat.code_to_session(code)
    with pytest.raises(WechatCodeInvalid):
        wechat.code_to_session(code)


def test_a_code_older_than_five_minutes_is_dead(out: Outside) -> None:
    young, old = out.fake.issue_code("a"), out.fake.issue_code("b")
    out.clock.move(minutes=4, seconds=59)
    assert out.wechat().code_to_session(young).subject == "a"
    out.clock.move(seconds=1)
    with pytest.raises(WechatCodeInvalid):
        out.wechat().code_to_session(old)


def test_a_demo_code_names_its_subject_and_works_once(out: Outside) -> None:
    wechat = out.wechat()
    assert wechat.code_to_session("demo:visitor-1:77").subject == "visitor-1"
    assert wechat.code_to_session("demo:visitor-1:78").subject == "visitor-1"
    for code in ("demo:visitor-1:77", "demo:visitor-1:", "demo::77", "demo:77", "made-up"):
        with pytest.raises(WechatCodeInvalid):
            wechat.code_to_session(code)


def test_one_code_sent_twenty_times_at_once_signs_in_once(out: Outside) -> None:
    wechat, code = out.wechat(), out.fake.issue_code("openid-of-li")

    def attempt(_: int) -> bool:
        try:
            return wechat.code_to_session(code).subject == "openid-of-li"
        except WechatCodeInvalid:
            return False

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(attempt, range(20))) == 1


@pytest.mark.parametrize(
    ("errcode", "refusal", "status", "code"),
    [
        (40029, WechatCodeInvalid, 401, "wechat_code_invalid"),
        (40163, WechatCodeInvalid, 401, "wechat_code_invalid"),
        (45011, WechatTooOften, 429, "wechat_too_often"),
        (40226, WechatHighRisk, 403, "wechat_high_risk"),
        (-1, WechatUnavailable, 503, "wechat_unavailable"),
        (40013, WechatUnavailable, 503, "wechat_unavailable"),
        (40125, WechatUnavailable, 503, "wechat_unavailable"),
        (99999, WechatUnavailable, 503, "wechat_unavailable"),
    ],
)
def test_error_codes_become_refusals(
    out: Outside, errcode: int, refusal: type[Refusal], status: int, code: str
) -> None:
    out.fake.fail_next(errcode)
    with pytest.raises(refusal) as caught:
        out.wechat().code_to_session(out.fake.issue_code("x"))
    assert (caught.value.kind, caught.value.code()) == (status, code)
    if status in {429, 503}:
        assert (caught.value.retry_after or 0) > 0


@pytest.mark.parametrize(
    "content",
    [
        b"<html>502 Bad Gateway</html>",
        b"",
        b"[]",
        b'"openid"',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"openid": 7}',
        b'{"openid": ["x"]}',
        '{"openid": "李"}'.encode(),
        b'{"openid": "' + b"x" * 129 + b'"}',
        b'{"openid": "", "errcode": 0}',
        b'{"errcode": "40029"}',
        b'{"errcode": true}',
        b'{"errcode": 1e999}',
        b'{"errcode": ' + b"9" * 5000 + b"}",
        b'{"openid": "x", "filler": "' + b"x" * 65_536 + b'"}',
    ],
)
def test_an_answer_of_the_wrong_shape_is_no_sign_in(out: Outside, content: bytes) -> None:
    out.fake.fail_next(content=content)
    with pytest.raises(WechatUnavailable):
        out.wechat().code_to_session(out.fake.issue_code("x"))


@pytest.mark.parametrize("status", [204, 302, 404, 429, 500, 502, 503])
def test_any_status_but_200_is_unavailable(out: Outside, status: int) -> None:
    out.fake.fail_next(content=b'{"openid": "x"}', status=status)
    with pytest.raises(WechatUnavailable):
        out.wechat().code_to_session("code")


@pytest.mark.parametrize("how", [{"drop": True}, {"truncate": True}, {"delay": 5.0}])
def test_a_cut_a_half_answer_and_silence_are_unavailable(out: Outside, how: dict[str, float]) -> None:
    out.fake.fail_next(**how)  # type: ignore[arg-type]
    with pytest.raises(WechatUnavailable):
        out.wechat().code_to_session(out.fake.issue_code("x"))


def test_an_answer_cut_after_whole_json_is_still_a_cut_answer() -> None:
    def cut(connection: socket.socket, _stopping: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"openid": "x"}')

    with server_that(cut) as base_url, pytest.raises(WechatUnavailable):
        _hurried(base_url).code_to_session("code")


@pytest.mark.slow
@pytest.mark.parametrize("does", [silent, dripping(b"x"), dripping(b"X-Drip: 1\r\n")])
def test_no_server_holds_a_caller_beyond_the_total(does: object) -> None:
    with server_that(does) as base_url:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(WechatUnavailable):
            _hurried(base_url).code_to_session("code")
        assert time.monotonic() - began < 1.2


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(WechatUnavailable):
        _hurried(f"http://127.0.0.1:{port}").code_to_session("code")


def test_an_answer_that_is_no_http_is_unavailable() -> None:
    def babble(connection: socket.socket, _stopping: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    with server_that(babble) as base_url, pytest.raises(WechatUnavailable):
        _hurried(base_url).code_to_session("code")


@pytest.mark.parametrize("code", ["", "x" * 129, "代码", "a\nb", "a\x00b", "a\r\nHost: evil", "\ud800"])
def test_a_code_that_wechat_never_gives_is_not_sent(out: Outside, code: str) -> None:
    with pytest.raises(WechatCodeInvalid):
        out.wechat().code_to_session(code)
    assert out.fake.calls.total() == 0


def test_a_code_cannot_add_parameters_or_leave_its_place() -> None:
    seen: list[bytes] = []

    def listen(connection: socket.socket, _stopping: threading.Event) -> None:
        seen.append(connection.recv(4096).split(b"\r\n")[0])
        connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"errcode": 40029}')

    with server_that(listen) as base_url, pytest.raises(WechatCodeInvalid):
        _hurried(base_url).code_to_session("a&appid=wxevil#/?x=%41 b+c")
    target = b"/sns/jscode2session?appid=wxtest&secret=" + APP_SECRET.encode()
    assert seen == [
        b"GET " + target + b"&js_code=a%26appid%3Dwxevil%23%2F%3Fx%3D%2541%20b%2Bc"
        b"&grant_type=authorization_code HTTP/1.1"
    ]


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_any_printable_subject_comes_back_to_the_letter(shared: Outside, subject: str) -> None:
    assert shared.wechat().code_to_session(shared.fake.issue_code(subject)).subject == subject


def test_a_wrong_secret_is_told_to_the_operator_without_the_secret(out: Outside) -> None:
    for wrong in (out.wechat(secret="wrong-secret"), out.wechat(app_id="wxother")):
        with capture_logs() as logs, pytest.raises(WechatUnavailable):
            wrong.code_to_session("code")
        assert [(line["event"], line["log_level"]) for line in logs] == [("provider_misconfigured", "error")]
        assert "secret" not in json.dumps(logs)


def test_secrets_and_session_keys_are_nowhere_to_be_read(
    out: Outside, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wechat = out.wechat()
    identity = wechat.code_to_session(out.fake.issue_code("openid-of-li"))
    told = [repr(identity), repr(wechat), repr(vars(wechat)), str(identity)]
    told.append(
        repr(ProviderCalls("https://wechat.invalid", connect_timeout=1, read_timeout=1, most_bytes=1))
    )
    with capture_logs() as logs:
        for how in ({"drop": True}, {"errcode": 40125}, {"errcode": -1}, {"content": b'{"session_key": "x'}):
            out.fake.fail_next(**how)  # type: ignore[arg-type]
            with pytest.raises(Refusal) as caught:
                wechat.code_to_session(out.fake.issue_code("openid-of-li"))
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
            told.append(repr(caught.value))
    captured = capsys.readouterr()
    everything = "".join([*told, json.dumps(logs), caplog.text, captured.out, captured.err])
    assert len(out.fake.session_keys) == 1
    for secret in (APP_SECRET, out.fake.session_keys[0], "openid-of-li", "session_key"):
        assert secret not in everything


def test_plain_http_is_for_loopback_only() -> None:
    for refused in (
        "http://api.weixin.qq.com",
        "ftp://127.0.0.1",
        "https://",
        "api.weixin.qq.com",
        "https://user:word@api.weixin.qq.com",
    ):
        with pytest.raises(ValueError, match="sign-in provider"):
            _hurried(refused)
    for taken in ("https://api.weixin.qq.com", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"):
        _hurried(taken)


def test_a_server_without_a_trusted_certificate_is_unavailable(out: Outside) -> None:
    with pytest.raises(WechatUnavailable):
        _hurried(out.base_url.replace("http:", "https:")).code_to_session("code")
    assert out.fake.calls.total() == 0


def test_the_token_is_fetched_once_for_twenty_threads(out: Outside) -> None:
    wechat = out.wechat()
    out.fake.fail_next(delay=0.1, path=WECHAT_TOKEN)
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda _: wechat.access_token(), range(20)))
    assert len(set(tokens)) == 1
    assert out.fake.calls == {WECHAT_TOKEN: 1}


def test_the_token_is_kept_until_shortly_before_its_end(out: Outside) -> None:
    wechat = out.wechat()
    first = wechat.access_token()
    out.clock.move(seconds=7200 - 301)
    assert wechat.access_token() == first
    out.clock.move(seconds=1)
    assert wechat.access_token() != first
    assert out.fake.calls[WECHAT_TOKEN] == 2


def test_a_call_carries_the_token_and_its_payload(out: Outside) -> None:
    payload = {"touser": "openid-of-li", "data": {"thing1": {"value": "请上门探访"}}}
    assert out.wechat().call(WECHAT_SEND, payload)["errcode"] == 0
    assert list(out.fake.sent) == [payload]


def test_a_token_that_another_process_renewed_is_fetched_without_forcing(out: Outside) -> None:
    wechat = out.wechat()
    wechat.call(WECHAT_SEND, {"n": 1})
    out.fake.forget_tokens()
    wechat.call(WECHAT_SEND, {"n": 2})
    assert [message["n"] for message in out.fake.sent] == [1, 2]
    assert out.fake.calls == {WECHAT_TOKEN: 2, WECHAT_SEND: 3}


@pytest.mark.parametrize("errcode", [40001, 42001, 40014])
def test_a_refused_token_is_forced_anew_and_the_call_repeated_once(out: Outside, errcode: int) -> None:
    wechat = out.wechat()
    before = wechat.access_token()
    out.fake.fail_next(errcode, path=WECHAT_SEND)
    wechat.call(WECHAT_SEND, {"n": 1})
    assert wechat.access_token() != before
    assert out.fake.calls == {WECHAT_TOKEN: 3, WECHAT_SEND: 2}


def test_a_token_refused_twice_is_given_up(out: Outside) -> None:
    wechat = out.wechat()
    out.fake.fail_next(40001, times=2, path=WECHAT_SEND)
    with pytest.raises(WechatUnavailable):
        wechat.call(WECHAT_SEND, {})
    assert out.fake.calls[WECHAT_SEND] == 2
    out.fake.fail_next(40001, path=WECHAT_SEND)
    with pytest.raises(WechatTooOften):  # forced again within 30 seconds
        wechat.call(WECHAT_SEND, {})


def test_an_error_code_of_the_call_itself_is_the_callers_to_judge(out: Outside) -> None:
    out.fake.fail_next(43101, path=WECHAT_SEND)
    with pytest.raises(ProviderAnswered) as caught:
        out.wechat().call(WECHAT_SEND, {})
    assert caught.value.errcode == 43101


@pytest.mark.parametrize(("errcode", "refusal"), [(-1, WechatUnavailable), (45011, WechatTooOften)])
def test_a_busy_wechat_refuses_calls_as_it_does_sign_ins(
    out: Outside, errcode: int, refusal: type[Refusal]
) -> None:
    out.fake.fail_next(errcode, path=WECHAT_SEND)
    with pytest.raises(refusal):
        out.wechat().call(WECHAT_SEND, {})


@pytest.mark.parametrize(
    "content",
    [b"{}", b'{"access_token": "t"}', b'{"access_token": 5}', b'{"access_token": "t", "expires_in": 0}'],
)
def test_a_token_answer_of_the_wrong_shape_is_not_kept(out: Outside, content: bytes) -> None:
    wechat = out.wechat()
    out.fake.fail_next(content=content, path=WECHAT_TOKEN)
    with pytest.raises(WechatUnavailable):
        wechat.access_token()
    assert wechat.access_token()


@pytest.mark.slow
def test_waiting_for_another_threads_token_ends_with_the_total(out: Outside) -> None:
    wechat = out.wechat()
    out.fake.fail_next(delay=3, times=20, path=WECHAT_TOKEN)

    def attempt(_: int) -> float:
        began = time.monotonic()
        with pytest.raises(WechatUnavailable):
            wechat.access_token()
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(attempt, range(8))) < 1.3


def test_the_fake_forgets_the_oldest_used_codes_only(out: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.fake_wechat._remember.__defaults__", (3,))
    wechat = out.wechat()
    for nonce in range(5):
        wechat.code_to_session(f"demo:a:{nonce}")
    with pytest.raises(WechatCodeInvalid):
        wechat.code_to_session("demo:a:2")
    assert wechat.code_to_session("demo:a:1").subject == "a"
    assert out.fake.calls[WECHAT_SESSION] == 7


def _hurried(base_url: str) -> WeChat:
    app = WeChatApp(base_url, APP_ID, APP_SECRET, connect_timeout=0.5, read_timeout=0.3, total=0.8)
    return WeChat(app, Clock(MORNING))
