"""WeCom's sign-in, over real sockets against the fake server."""

import json
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from demo.fake_wechat import WECOM, WECOM_SESSION, WECOM_TOKEN
from server.accounts.identity_refusals import Identity, WecomCodeInvalid, WecomTooOften, WecomUnavailable
from server.errors import Refusal
from tests.accounts.wechat_fixtures import CORP_ID, Outside, outside


@pytest.fixture
def out() -> Iterator[Outside]:
    with outside() as there:
        yield there


def test_a_fresh_code_gives_the_corporation_and_the_user(out: Outside) -> None:
    code = out.fake.issue_code("zhang.san", provider=WECOM)
    assert out.wecom().code_to_session(code) == Identity("wecom", CORP_ID, "zhang.san")


def test_a_code_of_wechat_is_none_of_wecom_and_works_once(out: Outside) -> None:
    wecom = out.wecom()
    with pytest.raises(WecomCodeInvalid):
        wecom.code_to_session(out.fake.issue_code("openid-of-li"))
    code = out.fake.issue_code("zhang.san", provider=WECOM)
    wecom.code_to_session(code)
    with pytest.raises(WecomCodeInvalid) as caught:
        wecom.code_to_session(code)
    assert (caught.value.kind, caught.value.code()) == (401, "wecom_code_invalid")


def test_the_token_is_kept_between_sign_ins(out: Outside) -> None:
    wecom = out.wecom()
    for nonce in range(3):
        wecom.code_to_session(f"demo:zhang.san:{nonce}")
    assert out.fake.calls == {WECOM_TOKEN: 1, WECOM_SESSION: 3}


def test_a_token_that_died_is_fetched_anew_and_the_code_still_works(out: Outside) -> None:
    wecom = out.wecom()
    wecom.code_to_session("demo:zhang.san:1")
    out.fake.forget_tokens()
    assert wecom.code_to_session("demo:zhang.san:2").subject == "zhang.san"
    assert out.fake.calls == {WECOM_TOKEN: 2, WECOM_SESSION: 3}


def test_somebody_of_another_corporation_is_never_taken_for_ours(out: Outside) -> None:
    found = {"errcode": 0, "corpid": "wwother", "userid": "zhang.san", "session_key": "k"}
    out.fake.fail_next(content=json.dumps(found).encode(), path=WECOM_SESSION)
    assert out.wecom().code_to_session("code") == Identity("wecom", "wwother", "zhang.san")


@pytest.mark.parametrize(
    ("errcode", "refusal"),
    [
        (40029, WecomCodeInvalid),
        (45009, WecomTooOften),
        (45011, WecomTooOften),
        (-1, WecomUnavailable),
        (60020, WecomUnavailable),
        (99999, WecomUnavailable),
    ],
)
def test_error_codes_become_refusals(out: Outside, errcode: int, refusal: type[Refusal]) -> None:
    out.fake.fail_next(errcode, path=WECOM_SESSION)
    with pytest.raises(refusal):
        out.wecom().code_to_session("demo:zhang.san:1")


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"no",
        b'{"errcode": 0, "userid": "z"}',
        b'{"errcode": 0, "corpid": "wwtest"}',
        b'{"errcode": 0, "corpid": "wwtest", "userid": 5}',
        b'{"errcode": 0, "corpid": "wwtest", "openid": "of-somebody-outside"}',
    ],
)
def test_an_answer_without_corporation_and_user_is_no_sign_in(out: Outside, content: bytes) -> None:
    out.fake.fail_next(content=content, path=WECOM_SESSION)
    with pytest.raises(WecomUnavailable):
        out.wecom().code_to_session("demo:zhang.san:1")


def test_a_wrong_secret_is_told_to_the_operator_without_the_secret(out: Outside) -> None:
    for wrong in (out.wecom(secret="wrong-secret"), out.wecom(corp_id="wwother")):
        with capture_logs() as logs, pytest.raises(WecomUnavailable):
            wrong.code_to_session("demo:zhang.san:1")
        assert [(line["event"], line["log_level"]) for line in logs] == [("provider_misconfigured", "error")]
        assert "wrong-secret" not in json.dumps(logs)


@pytest.mark.parametrize("code", ["", "x" * 129, "代码", "a\nb"])
def test_a_code_that_wecom_never_gives_is_not_sent(out: Outside, code: str) -> None:
    with pytest.raises(WecomCodeInvalid):
        out.wecom().code_to_session(code)
    assert out.fake.calls.total() == 0
