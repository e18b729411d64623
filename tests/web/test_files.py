"""The files of the pages: vendored ones are the published ones, and nothing is asked for from elsewhere."""

import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

from server.web.field_names import field_of
from server.web.showing import STATIC, digest_of

VENDORED = (STATIC / "vendor", Path(__file__).parent / "vendor")


@pytest.mark.parametrize("folder", VENDORED, ids=["server", "tests"])
def test_vendored_files_are_those_whose_hashes_were_recorded(folder: Path) -> None:
    recorded = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert found == recorded
    assert {name.partition("-")[0] for name in found if name.endswith("LICENSE.txt")} == {
        name.partition("-")[0] for name in found
    }


def test_files_are_kept_for_ever_under_the_address_with_their_digest(app: Flask) -> None:
    client = app.test_client()
    dated = client.get(f"/web/static/pages.css?v={digest_of('pages.css')}")
    assert (dated.status_code, dated.mimetype) == (200, "text/css")
    assert "immutable" in dated.headers["Cache-Control"]
    assert client.get("/web/static/pages.css").headers["Cache-Control"] == "no-cache"
    assert client.get("/web/static/pages.css?v=older").headers["Cache-Control"] == "no-cache"
    again = client.get("/web/static/pages.css", headers={"If-None-Match": dated.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "name", ["../showing.py", "..%2fshowing.py", "vendor/SHA256SUMS", "vendor", "/etc/passwd", "pages.css/"]
)
def test_nothing_else_is_given(app: Flask, name: str) -> None:
    assert app.test_client().get(f"/web/static/{name}").status_code == 404


def test_our_own_files_ask_for_nothing_from_elsewhere() -> None:
    for path in STATIC.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?:|//[a-z]|@import|url\(", text.replace("// ", "")), path.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text
        ), path.name


def test_templates_hold_no_script_no_style_and_nothing_that_is_let_through_unescaped() -> None:
    templates = sorted((STATIC.parent / "templates").rglob("*.html"))
    assert len(templates) > 3
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", text), path.name
        assert not re.search(r"<script(?! defer src=\"\{\{ file_url)", text), path.name
        assert not re.search(r"\|\s*safe|autoescape|Markup", text), path.name
        assert not re.search(r"(href|src|action)=\"(https?:)?//", text), path.name


def test_every_field_that_a_page_asks_for_has_a_name_for_its_refusals() -> None:
    hidden = {
        "large",
        "back",
        "id",
        "revision",
        "form",
        "deed",
        "seen",
        "sure",
        "all",
        "step_up",
        "what",
        "by",
        "late",
        "plan_id",
        "mine",
    }
    chosen = {
        "severity",
        "overdue",
        "restricted",
        "dates",
        "every_visitor",
        "every_village",
        "finding",
        "area",
    }
    asked: set[str] = set()
    for path in sorted((STATIC.parent / "templates").rglob("*.html")):
        asked |= set(
            re.findall(
                r"<(?:input|select|textarea)[^>]*? name=\"([a-z_.]+)\"", path.read_text(encoding="utf-8")
            )
        )
    assert len(asked) > 30
    assert {name for name in asked - hidden - chosen if not field_of(name)} == set()
    assert field_of("answers.water") == "用水："
    assert field_of("nothing.of.the.kind") == ""
