"""What views really answer is what the document says, field by field, in a day of a visitor and a chief."""

import hashlib
import io
import re
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from flask import Flask, Response, request
from PIL import Image
from werkzeug.test import TestResponse

from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, World

Seen = dict[tuple[str, str], set[int]]


@pytest.fixture
def seen(app: Flask) -> Seen:
    """Check every answer of the application against its document; gather which operations were seen."""
    spec = app.test_client().get("/api/v1/openapi.json").json
    found: Seen = {}

    def check(response: Response) -> Response:
        if request.url_rule is not None:
            path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", request.url_rule.rule)
            if path in spec["paths"] and request.method.lower() in spec["paths"][path]:
                misfit(spec, spec["paths"][path][request.method.lower()], response)
                found.setdefault((path, request.method), set()).add(response.status_code)
        return response

    app._got_first_request = False  # the document was asked for before the check was hung in
    app.after_request(check)
    return found


def misfit(spec: dict[str, Any], operation: dict[str, Any], response: Response) -> None:
    """Fail when an answer is not as its operation says."""
    said = operation["responses"].get(str(response.status_code))
    assert said is not None, (
        operation["operationId"],
        response.status_code,
        response.get_data(as_text=True)[:300],
    )
    if "$ref" in said:
        said = spec["components"]["responses"][said["$ref"].rpartition("/")[2]]
    media = said.get("content", {})
    if not media:
        assert response.get_data() == b""
        return
    kind = next(
        one
        for one in media
        if response.mimetype == one or (one == "image/*" and "image/" in response.mimetype)
    )
    if response.is_json:
        document = {**media[kind]["schema"], "components": spec["components"]}
        validator = jsonschema_rs.Draft202012Validator(document, validate_formats=True)
        errors = [f"{list(one.instance_path)}: {one.message}" for one in validator.iter_errors(response.json)]
        assert errors == [], (operation["operationId"], response.status_code, errors[:5])


def picture() -> bytes:
    """Draw a small JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (90, 120, 60)).save(out, "JPEG")
    return out.getvalue()


def visit(person: object, visitor: object, **changes: object) -> dict[str, object]:
    """Write a home visit with much in it."""
    return {
        "person_id": str(person),
        "method": "home",
        "purposes": ["routine"],
        "outcome": "met",
        "identity_checked_by": "known",
        "occurred_at": "2026-03-05T09:12:00+08:00",
        "ended_at": "2026-03-05T09:31:00+08:00",
        "client_created_at": "2026-03-05T09:12:04+08:00",
        "visitors": [str(visitor)],
        "location": {"latitude": 30.8931, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02"},
        "answers": {"food": "adequate", "satisfaction": 4, "leak": False, "chronic": [], "appeals": "修屋顶"},
        "needs": [{"kind": "medical", "detail": "需要配药"}],
        "problems": [{"code": "old_wiring", "severity": "high", "description": "电线老化"}],
        "conclusion": "attention",
        "notes": "一切正常",
        "signatures": [{"signer": "recipient", "manner": "sign", "reason": "不识字"}],
        **changes,
    }


def expect(status: int, answer: TestResponse) -> None:
    """Hold an answer to its status; what it said otherwise is shown."""
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]


def test_a_day_of_answers_is_as_described(world: World, seen: Seen) -> None:
    visitor = world.worker()
    person, other = world.person(visitor), world.person(visitor)
    phone = world.phone(visitor)
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    boss = world.phone(world.worker(Role.ADMINISTRATOR, GUANGDE))
    first, second, photo = uuid4(), uuid4(), uuid4()
    data = picture()
    declared = [{"id": str(photo), "kind": "hazard", "sha256": hashlib.sha256(data).hexdigest()}]
    record = visit(person, visitor.worker_id, photos=declared)
    absent = {
        "informants": [{"relation": "neighbour", "name": "测试邻居", "said": "下地了"}],
        "last_seen_on": "2026-03-05",
        "whereabouts": "田里",
        "absence_reason": "field_work",
        "contact_tried": ["phone"],
        "next_try_on": "2026-03-06",
    }
    attempt = visit(other, visitor.worker_id, outcome="not_met", identity_checked_by=None, absence=absent,
                    answers={}, conclusion=None, signatures=[], problems=[], needs=[])  # fmt: skip
    expect(201, phone.put(f"/visits/{first}", record))
    expect(200, phone.put(f"/visits/{first}", record))
    expect(409, phone.put(f"/visits/{first}", record | {"notes": "别的"}))
    expect(200, phone.put(f"/visits/{first}", record | {"notes": "更正"}, revision=1))
    expect(201, phone.put(f"/visits/{second}", attempt))
    for expected in (201, 200):
        form = {"photo_id": str(photo), "kind": "hazard", "file": (io.BytesIO(data), "x.jpg")}
        expect(expected, phone.upload(f"/visits/{first}/photos", form))
    expect(200, phone.get(f"/photos/{photo}", size="thumb"))
    expect(200, phone.get(f"/photos/{photo}/link"))
    expect(403, phone.get(f"/photos/{photo}", size="original"))
    expect(200, chief.get(f"/photos/{photo}", size="original"))
    decision = {"decision": "return", "reason": "请补充", "revision": 2}
    expect(201, chief.post(f"/visits/{first}/decisions", decision))
    expect(409, chief.post(f"/visits/{first}/decisions", decision))
    for reader in (phone, chief):
        assert reader.get(f"/visits/{first}").json["state"] == "returned"
        assert len(reader.get("/visits").json["items"]) == 2
        expect(200, reader.get("/overdue"))
        expect(200, reader.get("/overdue/summary"))
        expect(200, reader.get("/overdue.xlsx"))
        expect(200, reader.get(f"/people/{person}"))
    assert phone.get("/worklist").json["items"]
    assert phone.get("/sync").json["items"]
    expect(200, phone.get("/me"))
    expect(201, phone.post("/feedback", {"id": str(uuid4()), "text": "好"}))
    assert boss.get("/feedback").json["items"]
    assert boss.get("/accounts").json["items"]
    expect(201, boss.post(f"/accounts/{visitor.worker_id}/invites"))
    expect(204, phone.delete("/auth/session"))
    assert len(seen) > 18


def test_a_method_that_a_sender_made_up_is_no_figure_and_no_word_in_the_log(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    client = app.test_client()
    for method in ("金丝雀".encode().decode("latin-1"), "ZHANGSAN", "TRACE"):
        assert client.open("/healthz", method=method).status_code == 405
    figures = client.get("/metrics").text
    assert "ZHANGSAN" not in figures
    assert "\u00e9\u0087\u0091" not in figures
    assert 'method="other"' in figures
