"""The page under /docs: whole, without a script and without the internet."""

import re
from html.parser import HTMLParser

from flask import Flask

from server.http.description import operations
from server.http.problems import catalogue


class Links(HTMLParser):
    """Gathers the tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.marks: set[str] = set()
        self.styled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.styled |= name == "style" or name.startswith("on")
            if name in {"href", "src"}:
                self.addresses.add(value or "")
            if name == "id":
                self.marks.add(value or "")


def test_the_page_shows_every_operation_and_every_refusal(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    for path, _, operation in operations(client.get("/api/v1/openapi.json").json):
        assert f'id="{operation["operationId"]}"' in page.text
        assert path in page.text
    for kind in catalogue():
        assert f"<code>{kind.code()}</code>" in page.text
    assert "见到本人" in page.text  # labels of words stand beside their values
    assert "curl -X PUT" in page.text


def test_the_page_needs_no_script_no_internet_and_fits_a_phone(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs")
    links = Links()
    links.feed(page.text)
    assert "script" not in links.tags
    assert not links.styled
    assert all(address.startswith(("#", "/")) and not address.startswith("//") for address in links.addresses)
    assert {address[1:] for address in links.addresses if address.startswith("#")} <= links.marks
    for address in links.addresses:
        if address.startswith("/"):
            assert client.get(address).status_code == 200, address
    assert 'name="viewport"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_style_is_the_one_that_the_policy_allows(app: Flask) -> None:
    import base64
    import hashlib

    page = app.test_client().get("/docs")
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]


def test_who_has_the_page_is_told_that_it_did_not_change(app: Flask) -> None:
    client = app.test_client()
    for path in ("/docs", "/api/v1/openapi.json"):
        tag = client.get(path).headers["ETag"]
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
