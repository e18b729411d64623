"""The OpenAPI document is whole, true to the views, and the one that is checked in."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from server import routing
from server.http.api import needs_by_operation
from server.http.blueprint import Blueprint
from server.http.description import operations
from server.http.typescript import type_of, typescript
from server.permissions import Can

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "docs" / "openapi.json"


@pytest.fixture
def spec(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return dict(answer.json)


def test_the_checked_in_document_is_what_the_command_writes(app: Flask, tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    done = app.test_cli_runner().invoke(args=["openapi-file", str(target)])
    assert done.exit_code == 0, done.output
    assert target.read_bytes() == GOLDEN.read_bytes(), (
        "run `make openapi` and say in the changelog what changed"
    )


def test_the_served_document_is_the_checked_in_one(spec: dict[str, Any]) -> None:
    assert spec == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_every_view_of_the_api_is_described(app: Flask, spec: dict[str, Any]) -> None:
    described = {(path, method) for path, method, _ in operations(spec)}
    assert described == set(needs_by_operation(app)) - {("/api/v1/openapi.json", "get")}


def test_every_operation_says_who_what_and_what_can_go_wrong(spec: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in spec["tags"]}
    seen = set()
    for path, method, operation in operations(spec):
        name = f"{method} {path}"
        assert operation["summary"], name
        assert set(operation["tags"]) <= tags, name
        assert any("\u4e00" <= char <= "\u9fff" for char in operation["tags"][0]), name
        assert operation["operationId"] not in seen, name
        seen.add(operation["operationId"])
        statuses = set(operation["responses"])
        assert any(status.startswith("2") for status in statuses), name
        assert "503" in statuses, name
        assert ({"401", "403"} <= statuses) or operation["security"] == [], name
        assert (operation["security"] == []) == (operation["x-needs"] == Can.ANYONE), name
        if "requestBody" in operation:
            assert {"400", "411", "413", "415", "422"} <= statuses, name
        for parameter in operation.get("parameters", []) + spec["paths"][path].get("parameters", []):
            assert parameter["description"], (name, parameter["name"])
            assert "null" not in parameter["schema"].get("type", []), (name, parameter["name"])
            assert None not in parameter["schema"].get("enum", []), (name, parameter["name"])


def test_every_answer_is_described_with_its_request_id_and_errors_as_problems(spec: dict[str, Any]) -> None:
    for path, method, operation in operations(spec):
        for status, answer in operation["responses"].items():
            whole = answer
            if "$ref" in answer:
                whole = spec["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                schema = whole["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
            assert "X-Request-Id" in whole["headers"], (method, path, status)
            assert whole["description"], (method, path, status)


def test_bodies_refuse_unknown_fields(spec: dict[str, Any]) -> None:
    for path, method, operation in operations(spec):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = spec["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
            assert schema["additionalProperties"] is False, (method, path)


def test_every_example_fits_its_schema(spec: dict[str, Any]) -> None:
    checked = 0
    for path, method, operation in operations(spec):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if "example" not in content:
                continue
            document = {**content["schema"], "components": spec["components"]}
            errors = list(jsonschema_rs.Draft202012Validator(document).iter_errors(content["example"]))
            assert errors == [], (method, path, content["example"])
            checked += 1
    assert checked > 5


def test_every_schema_is_json_schema_2020(spec: dict[str, Any]) -> None:
    for name, schema in spec["components"]["schemas"].items():
        (
            jsonschema_rs.meta.validate(
                {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}
            ),
            name,
        )


def test_every_blueprint_reads_strictly() -> None:
    assert [one.name for one in routing.BLUEPRINTS if not isinstance(one, Blueprint)] == []


def test_every_view_that_needs_sign_in_is_401_without_a_token_and_with_a_forged_one(
    app: Flask, spec: dict[str, Any]
) -> None:
    client = app.test_client()
    ids = "3f1c8a52-7f0e-4f43-9d0f-2b6f3f6a9b10"
    for path, method, operation in operations(spec):
        if operation["security"]:
            url = "/".join(ids if part.startswith("{") else part for part in path.split("/"))
            query = {
                one["name"]: "1"
                for one in operation.get("parameters", [])
                if one["in"] == "query" and one["required"]
            }
            for headers in ({}, {"Authorization": "Bearer forged"}, {"Authorization": "Basic Zm9v"}):
                answer = client.open(url, method=method.upper(), headers=headers, query_string=query)
                assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in"), (method, path)


def test_every_schema_becomes_a_type(app: Flask, spec: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "api.d.ts"
    done = app.test_cli_runner().invoke(args=["typescript-types", str(target)])
    assert done.exit_code == 0, done.output
    text = target.read_text(encoding="utf-8")
    assert text == typescript(spec)
    for name in spec["components"]["schemas"]:
        assert f"export type {name} = " in text
    for _, _, operation in operations(spec):
        assert f"  {operation['operationId']}: {{" in text
    assert balanced(text)


def test_types_say_what_the_schemas_say(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    assert type_of(schemas["DecisionIn"]) == (
        '{\n  decision: "accept" | "return" | "void" | "withdraw";\n'
        "  /** 退回和作废须写明原因 */\n  reason?: string | null;\n"
        "  /** 审核时看到的版本号 */\n  revision: number;\n}"
    )
    assert "location?: LocationIn | null;" in type_of(schemas["VisitIn"])
    assert "purposes: (" in type_of(schemas["VisitIn"])
    assert "problems?: ProblemIn[];" in type_of(schemas["VisitIn"])
    assert "file: Blob;" in type_of(schemas["UploadForm"])
    assert "errors: Record<string, string[]>;" in type_of(schemas["Problem"])


def balanced(text: str) -> bool:
    """Say whether every bracket outside comments and strings is closed by its own kind."""
    pairs, waiting = {"}": "{", ")": "(", "]": "["}, []
    for line in text.splitlines():
        code = "" if line.lstrip().startswith(("/**", "//")) else line
        quoted = False
        for char in code:
            quoted ^= char == '"'
            if not quoted and char in "{([":
                waiting.append(char)
            elif not quoted and char in pairs and (not waiting or waiting.pop() != pairs[char]):
                return False
        if quoted:
            return False
    return not waiting


def test_an_unbalanced_text_is_noticed() -> None:
    assert not balanced("export type A = {")
    assert not balanced("export type A = {]")
    assert not balanced('export type A = "x;')
