"""What bad input gets: a problem document in Chinese that names the field; never a 500, never half a record."""

import json
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.http.parts import Parts
from tests.builders.world import Phone, World

FEEDBACK = "/api/v1/feedback"


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


def send(phone: Phone, raw: bytes, **options: object) -> TestResponse:
    """Send raw bytes as a piece of feedback."""
    headers = {"Authorization": f"Bearer {phone.token}"}
    return phone.client.post(
        FEEDBACK, data=raw, headers=headers, **{"content_type": "application/json", **options}
    )


def said(text: str = "好") -> dict[str, object]:
    return {"id": str(uuid4()), "text": text}


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe{}", b'{"id": ', b"'text'", b"{}{}", b"\x00", b'{"text": "\x01"}', b"[" * 5000],
)
def test_what_is_not_json_is_400_or_422_for_endless_nesting(phone: Phone, raw: bytes) -> None:
    answer = send(phone, raw)
    expected = {(400, "not_json"), (422, "invalid")} if raw.startswith(b"[") else {(400, "not_json")}
    assert (answer.status_code, answer.json["code"]) in expected


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object_is_422(phone: Phone, raw: bytes) -> None:
    answer = send(phone, raw)
    assert (answer.status_code, answer.json["errors"]) == (422, {"body": ["应当是一个对象（{…}）。"]})


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_422(phone: Phone, value: str) -> None:
    answer = send(phone, f'{{"id": "{uuid4()}", "text": {value}}}'.encode())
    assert (answer.status_code, answer.json["errors"]) == (422, {"body": ["不能填 NaN 或无穷大。"]})


@pytest.mark.parametrize("text", [r"\u0000", r"\ud800", r"\udfff", r"\ude00\ud83d", r"a\uDC00b"])
@pytest.mark.parametrize("place", ["text", "name"])
def test_nul_and_lone_surrogates_are_422_wherever_they_stand(phone: Phone, text: str, place: str) -> None:
    name, value = ("text", text) if place == "text" else (text, "x")
    answer = send(phone, f'{{"id": "{uuid4()}", "{name}": "{value}"}}'.encode())
    assert answer.status_code == 422, answer.json


def test_a_whole_surrogate_pair_is_a_character_like_any_other(phone: Phone) -> None:
    assert send(phone, f'{{"id": "{uuid4()}", "text": "\\ud842\\udfb7"}}'.encode()).status_code == 201


@pytest.mark.parametrize(("depth", "status"), [(33, 422), (200, 422), (100_000, 422)])
def test_nesting_over_32_is_422(phone: Phone, depth: int, status: int) -> None:
    answer = send(phone, b'{"text":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}")
    assert (answer.status_code, answer.json["errors"]) == (status, {"body": ["嵌套超过 32 层。"]})


def test_32_levels_are_read_and_judged_by_the_field(phone: Phone) -> None:
    answer = send(phone, b'{"text":' + b"[" * 31 + b"]" * 31 + b"}")
    assert (answer.status_code, answer.json["errors"]["text"]) == (422, ["应当是文字。"])


def test_ten_megabytes_are_413_before_they_are_read(phone: Phone) -> None:
    answer = send(phone, json.dumps(said("长" * 10_000_000), ensure_ascii=False).encode())
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_256_kib_are_read_and_one_byte_more_is_413(phone: Phone) -> None:
    padded = json.dumps(said()).encode().ljust(256 * 1024)
    assert send(phone, padded).status_code == 201
    assert send(phone, padded + b" ").status_code == 413


def test_a_body_without_a_length_is_411(phone: Phone) -> None:
    answer = send(
        phone,
        b"",
        environ_overrides={"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert (answer.status_code, answer.json["code"]) == (411, "length_required")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_content_type_is_415(phone: Phone, kind: str) -> None:
    answer = send(phone, json.dumps(said()).encode(), content_type=kind)
    assert (answer.status_code, answer.json["code"]) == (415, "wrong_type")


def test_json_with_a_charset_is_json(phone: Phone) -> None:
    answer = send(phone, json.dumps(said()).encode(), content_type="application/json; charset=utf-8")
    assert answer.status_code == 201


def test_a_name_that_stands_twice_is_422(phone: Phone) -> None:
    answer = send(phone, f'{{"id": "{uuid4()}", "text": "a", "text": "b"}}'.encode())
    assert (answer.status_code, answer.json["errors"]) == (422, {"body": ["同一个名称出现了两次。"]})


def test_an_unknown_field_is_422_and_named(phone: Phone) -> None:
    answer = send(phone, json.dumps({**said(), "texte": "x"}).encode())
    assert (answer.status_code, answer.json["errors"]) == (422, {"texte": ["没有这一项，请检查名称。"]})


@pytest.mark.parametrize("value", [1, True, None, [], {}, "", "长" * 2001])
def test_a_wrong_type_is_422_and_named(phone: Phone, value: object) -> None:
    answer = send(phone, json.dumps({**said(), "text": value}).encode())
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["text"])


@pytest.mark.parametrize("limit", ["0", "201", "-1", "abc", "", "1.0", "１", "1e2", "9" * 400, "true"])
def test_a_limit_outside_1_to_200_is_422(phone: Phone, limit: str) -> None:
    answer = phone.get("/worklist", limit=limit)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["limit"])


@pytest.mark.parametrize("path", ["/worklist", "/sync", "/visits"])
@pytest.mark.parametrize(
    "cursor", ["x", "e30", "W10", "WzFd", "W251bGwsbnVsbF0", "=", "\x00", "%", "逾期", "A" * 1999, "A" * 5000]
)
def test_a_forged_cursor_is_422(phone: Phone, path: str, cursor: str) -> None:
    answer = phone.get(path, cursor=cursor)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])


def test_an_unknown_query_name_is_422_and_named(phone: Phone) -> None:
    answer = phone.get("/worklist", limits="5")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["limits"])


def test_who_is_not_signed_in_is_told_so_before_their_body_is_read(app: Flask) -> None:
    answer = app.test_client().post(FEEDBACK, data=b"{", content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_transaction_that_is_tried_again_reads_the_same_body(phone: Phone, house: Parts) -> None:
    from sqlalchemy import event
    from sqlalchemy.exc import IntegrityError

    assert phone.get("/me").status_code == 200  # the house key is there
    broken: list[object] = []

    def break_once(*_: object) -> None:
        if not broken:
            broken.append(True)
            raise IntegrityError("twin", None, Exception("a twin was quicker"))

    event.listen(house.sessions, "before_commit", break_once)
    try:
        answer = send(phone, json.dumps(said()).encode())
    finally:
        event.remove(house.sessions, "before_commit", break_once)
    assert broken
    assert answer.status_code == 201
