"""Every error leaves as a problem document, as the golden ones say; nothing of the inside leaves with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.http import problems
from server.http.problems import catalogue
from tests.builders.world import Phone, World

GOLDEN = Path(__file__).parents[1] / "golden" / "problems.json"
SECRET = "341882199001011234"


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


@pytest.fixture
def broken(app: Flask) -> Iterator[Flask]:
    """Give an application with one view that fails as nobody foresaw."""

    def fail() -> str:
        raise RuntimeError(f"row of {SECRET} is broken")

    app.add_url_rule("/broken", view_func=fail)
    return app


def golden(name: str, answer: TestResponse) -> None:
    """Compare an answer with the golden problem document of that name."""
    assert answer.content_type == "application/problem+json"
    assert answer.json.pop("request_id") == answer.headers["X-Request-Id"]
    seen = answer.json
    seen.pop("request_id")
    assert {"status": answer.status_code, **seen} == json.loads(GOLDEN.read_text(encoding="utf-8"))[name]


def test_problem_documents_are_the_golden_ones(phone: Phone, broken: Flask) -> None:
    client = broken.test_client()
    golden("no_such_path", client.get("/api/v1/nowhere"))
    golden("no_such_path", client.get("/api/v1/visits/not-a-uuid"))
    golden("no_such_record", phone.get("/visits/3f1c8a52-7f0e-4f43-9d0f-2b6f3f6a9b10"))
    golden("wrong_method", client.delete("/api/v1/worklist"))
    golden("not_signed_in", client.get("/api/v1/worklist"))
    golden("not_allowed", phone.get("/feedback"))
    golden("invalid", phone.post("/feedback", {"id": "x", "texte": "y"}))
    golden("unforeseen", client.get("/broken"))


def test_a_wrong_method_says_which_are_right(app: Flask) -> None:
    answer = app.test_client().delete("/api/v1/worklist")
    assert {one.strip() for one in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}


def test_an_unforeseen_error_leaves_neither_a_trace_nor_a_datum(
    broken: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(
        problems, "log", SimpleNamespace(error=lambda *words, **facts: lines.append(repr((words, facts))))
    )
    answer = broken.test_client().get("/broken")
    assert answer.status_code == 500
    assert all(word not in answer.text for word in (SECRET, "Traceback", "RuntimeError", ".py"))
    assert len(lines) == 1
    assert "RuntimeError" in lines[0]
    assert SECRET not in lines[0]


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [("abc-1.2_3", True), ("a" * 64, True), ("a" * 65, False), ("", False), ("a b", False), ("逾", False), ("<x>", False)],
)  # fmt: skip
def test_a_sound_request_id_is_echoed_and_any_other_is_replaced(
    app: Flask, sent: str, *, echoed: bool
) -> None:
    raw = sent.encode().decode("latin-1")
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": raw})
    given = answer.headers["X-Request-Id"]
    assert (given == raw) is echoed
    assert given


def test_a_trailing_slash_never_redirects(phone: Phone) -> None:
    for path in ("/worklist", "/worklist/", "//worklist", "/visits/", "/terms/"):
        assert phone.get(path).status_code in {200, 404}


def test_metrics_are_not_public(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "10.0.0.7"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 404


def test_every_refusal_has_its_page_its_title_and_a_chinese_sentence(app: Flask) -> None:
    client = app.test_client()
    for kind in catalogue():
        assert any("\u4e00" <= char <= "\u9fff" for char in kind.detail), kind
        assert any("\u4e00" <= char <= "\u9fff" for char in kind.title), kind
        page = client.get(f"/problems/{kind.code().replace('_', '-')}")
        assert (page.status_code, page.mimetype) == (200, "text/plain"), kind
    assert client.get("/problems/nothing").status_code == 404
