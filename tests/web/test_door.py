"""Nobody gets past the door of the pages: forged forms, other roles, and what goes wrong is a page, never JSON."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from server.errors import Refusal
from server.http.parts import Parts
from server.permissions import Can
from server.web.showing import HEADERS
from tests.architecture.test_routes import Route, routes
from tests.web.conftest import Browser

OPEN = {
    "web_files.file",
    "web_signing.sign_in_page",
    "web_signing.sign_in",
    "web_signing.text_size",
    "web_home.nowhere",
    "to_the_pages",
}
"""What is shown to whoever asks."""


def pages(app: Flask) -> Iterator[Route]:
    return (route for route in routes(app, "/web") if route.endpoint != "web_files.file")


def test_every_page_but_the_sign_in_needs_a_session(app: Flask) -> None:
    assert {route.endpoint for route in pages(app) if route.needs == Can.ANYONE} <= OPEN
    client = app.test_client()
    for route in pages(app):
        if route.endpoint in OPEN:
            continue
        answer = client.open(route.path, method=route.method, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == (401 if route.method == "POST" else 303), route
        assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://localhost.elsewhere.example"},
        {"Origin": "https://localhost"},
        {"Origin": "http://localhost:8000"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Referer": "http://localhost/web/"},
    ],
    ids=[
        "nothing",
        "null",
        "elsewhere",
        "beginning",
        "scheme",
        "port",
        "cross",
        "sub",
        "typed",
        "empty",
        "referer",
    ],
)
def test_forged_forms_are_refused_with_a_page_and_do_nothing(
    app: Flask, at_desk: Browser, headers: dict[str, str]
) -> None:
    for route in pages(app):
        if route.method != "POST":
            continue
        answer = at_desk.client.post(route.path, headers=headers)
        assert answer.status_code == 403, route
        assert "表单来源不明" in answer.text
    assert at_desk.get("/").status_code == 200  # still signed in: not even that form was obeyed


def test_a_form_from_an_older_browser_is_known_by_its_origin(at_desk: Browser) -> None:
    answer = at_desk.client.post("/web/sign-out", headers={"Origin": "http://localhost"})
    assert answer.status_code == 303


def test_every_answer_carries_the_policy(app: Flask, at_desk: Browser) -> None:
    for route in pages(app):
        if route.method != "GET":
            continue
        answer = at_desk.client.get(route.path)
        if answer.status_code == 303:
            continue
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, route
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.mimetype == "text/html"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'none'")


def test_an_address_that_leads_nowhere_is_a_page(at_desk: Browser, browser: Browser) -> None:
    for path in ("/nowhere", "/visits/not-an-id", "/a/b/c"):
        answer = at_desk.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert "没有这个页面" in answer.text
    assert at_desk.client.get("/api/v1/nowhere").mimetype == "application/problem+json"


def test_what_breaks_is_a_page_that_says_so(
    app: Flask, at_desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    house: Parts = app.extensions["parts"]

    def breaks(_error: Exception) -> None:
        def who(*_: object) -> None:
            raise _error

        monkeypatch.setitem(app.extensions, "parts", Parts(**{**_fields(house), "who": who}))

    breaks(ZeroDivisionError())
    broken = at_desk.get("/")
    assert (broken.status_code, broken.mimetype) == (500, "text/html")
    assert "系统出错" in broken.text
    assert "ZeroDivision" not in broken.text
    breaks(OperationalError("SELECT 1", {}, Exception("gone")))
    away = at_desk.get("/")
    assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
    assert "暂时无法处理" in away.text


def test_a_form_whose_session_ended_gives_its_text_back(browser: Browser) -> None:
    answer = browser.post("/sign-out", {"reason": "写了很久的原因 <b>x</b>"})
    assert answer.status_code == 401
    assert "没有执行" in answer.text
    assert "写了很久的原因 &lt;b&gt;x&lt;/b&gt;" in answer.text


def test_a_huge_form_is_refused_before_it_is_kept(browser: Browser) -> None:
    answer = browser.post("/sign-in", {"username": "x" * 300_000})
    assert answer.status_code == 413
    many = browser.post("/sign-in", {f"field{number}": "x" for number in range(2000)})
    assert many.status_code in {413, 422}


def _fields(house: Parts) -> dict[str, object]:
    return {name: getattr(house, name) for name in house.__dataclass_fields__}


def test_refusals_of_the_pages_are_in_the_catalogue() -> None:
    from server.http.problems import catalogue
    from server.web.refusing import ForgedForm

    assert ForgedForm in set(catalogue(Refusal))
