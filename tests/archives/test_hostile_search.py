"""What is searched for is taken to the letter and costs little, whatever it is made of (TRUST §1)."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from server.permissions import GRANTS, Can, Role
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, Phone, World

NAMES = [
    "百%号", "百分号", "百_号", "百\\号", "百％号", "百\u200b号", "百 号", "%", "_", "\\", "％", "'; DROP TABLE persons;--", "𠮷野", "买买提·艾力",
]  # fmt: skip
WILD = ["%", "_", "\\", "百%", "百_", "百\\", "%%", "百*", "百?", "*", "[", "百[分]", "百.", "^百", "百|"]
TEXTS: dict[str, bytes] = {
    "a wildcard": b"%25", "an underscore": b"_", "a backslash": b"%5C", "a quote": b"%27", "two quotes": b"%22%22",
    "ten thousand": quote_from_bytes(("百" * 10_000).encode()).encode(),
    "ten thousand wildcards": b"%25" * 10_000,
    "ten thousand that grow": quote_from_bytes(("\ufdfa" * 10_000).encode()).encode(),
    "NUL": b"%00", "NUL inside": b"a%00b", "a surrogate": b"%ED%A0%80", "half a character": b"%E7%99", "bytes": b"%FF%FE",
    "full width": quote_from_bytes("％＿１２３４".encode()).encode(),
    "zero width": quote_from_bytes("\u200b\u200d\ufeff\u2060".encode()).encode(),
    "right to left": quote_from_bytes("\u202e百".encode()).encode(),
    "the last character": quote_from_bytes("\U0010ffff".encode()).encode(),
    "before the surrogates": quote_from_bytes("\ud7ff".encode()).encode(),
    "blanks": b"+++", "nothing": b"", "a list": b"%5B1%5D", "an object": b"%7B%7D", "a number beyond": b"9" * 400,
}  # fmt: skip
AREAS = {Role.VISITOR: TUANSHAN, Role.REVIEWER: SHENGPING, Role.CHIEF: SHENGPING}


@pytest.fixture
def phone(world: World) -> Phone:
    for name in NAMES:
        world.person(name=name)
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def found(phone: Phone, query: str) -> list[str]:
    answer = phone.get("/archives", query=query)
    assert answer.status_code == 200, answer.text
    return sorted(item["name"] for item in (answer.json or {})["items"])


def test_each_name_is_found_by_itself_and_by_how_it_begins(phone: Phone) -> None:
    for name in NAMES:
        assert name in found(phone, name)
        for length in range(1, len(name) + 1):
            beginning = name[:length]
            # A blank at either end of a search box is no part of a name.
            expected = sorted(one for one in NAMES if one.startswith(beginning.strip()))
            assert found(phone, beginning) == expected, beginning


def test_a_wildcard_is_a_character_like_any_other(phone: Phone) -> None:
    for wild in WILD:
        assert found(phone, wild) == sorted(name for name in NAMES if name.startswith(wild)), wild


def text_filters(app: Flask) -> list[tuple[str, str, Can]]:
    """List every query parameter of the document that takes a text, with its path and what it needs."""
    spec: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").json  # type: ignore[assignment]
    return [
        (path, parameter["name"], Can(item["get"]["x-needs"]))
        for path, item in spec["paths"].items()
        if "get" in item
        for parameter in [*item["get"].get("parameters", []), *item.get("parameters", [])]
        if parameter["in"] == "query" and parameter["schema"].get("type") == "string"
    ]


def ask(phone: Phone, path: str, name: str, text: bytes) -> TestResponse:
    address = path.replace("{person_id}", str(phone.actor.worker_id))
    address = address.replace("{photo_id}", str(phone.actor.worker_id))
    return phone.client.get(
        address,
        query_string=f"{name}={text.decode()}",
        headers={"Authorization": f"Bearer {phone.token}"},
    )


@pytest.mark.slow
def test_every_filter_takes_any_text_to_the_letter_or_refuses_it(
    app: Flask, world: World, phone: Phone
) -> None:
    phones = {role: world.phone(world.worker(role, AREAS.get(role, GUANGDE))) for role in Role}
    filters, wrong, statements = text_filters(app), [], 0
    assert {("/api/v1/archives", "query"), ("/api/v1/visits", "village")} <= {one[:2] for one in filters}

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(world.house.engine, "before_cursor_execute", count)
    for path, name, needs in filters:
        asking = phones[next(role for role in (Role.CHIEF, *Role) if needs in GRANTS[role])]
        for what, text in TEXTS.items():
            before = statements
            answer = ask(asking, path, name, text)
            shown = len(json.dumps((answer.json or {}).get("items", []))) if answer.is_json else 0
            if answer.status_code not in {200, 304, 404, 422} or len(answer.data) > 300_000:
                wrong.append((path, name, what, answer.status_code, answer.text[:200]))
            if answer.status_code == 200 and what.startswith("ten thousand") and shown > 2:
                wrong.append((path, name, what, "found somebody", shown))
            if statements - before > 30:
                wrong.append((path, name, what, "statements", statements - before))
    event.remove(world.house.engine, "before_cursor_execute", count)
    assert wrong == []


def test_what_cannot_be_a_name_is_refused_before_anything_is_searched(phone: Phone) -> None:
    for text in ("%00", "a%00b", "a" * 10_000, "%25" * 10_000):
        answer = ask(phone, "/api/v1/archives", "query", text.encode())
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["query"]), text[:9]
