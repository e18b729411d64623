"""Completes the OpenAPI document: who may, what can go wrong, examples, and one Chinese name for each thing.

flask-smorest knows bodies, queries and good answers. Here every operation gets its security, its problem documents
(CONTRACT §1), the `X-Request-Id` header, a stable `operationId`, and an example of its body.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from server.errors import Kind, Refusal
from server.http.examples import example_of
from server.http.problems import BY_STATUS
from server.permissions import Can

Spec = dict[str, Any]

MEANINGS: Mapping[str, str] = {
    "limit": "每页条数，1 到 200，默认 50",
    "cursor": "上一页给出的 next_cursor；第一页不填",
    "village": "行政区划代码（村、乡镇或县）",
    "category": "救助类别",
    "as_of": "哪一天的情况，默认今天",
    "known_at": "按哪一时刻系统已知的情况",
    "state": "状态",
    "size": "大小：thumb 320 像素，screen 1600 像素，original 原图",
    "by": "按什么汇总",
    "visit_id": "走访编号，由手机生成",
    "photo_id": "照片编号，由手机生成",
    "person_id": "救助对象编号",
    "worker_id": "工作人员编号",
    "household_id": "家庭编号",
}
"""What a parameter's name means wherever it stands; a schema that says something else of its own wins."""

REQUEST_ID = {
    "description": "本次请求的编号；客户端可自带（字母、数字、点、横线、下划线，至多 64 个），报障时请提供",
    "schema": {"type": "string", "maxLength": 64},
}
PROBLEM: Spec = {
    "type": "object",
    "description": "RFC 9457 问题文档。code 稳定不变；detail 是可直接给用户看的中文句子。",
    "properties": {
        "type": {"type": "string", "description": "说明页的地址", "pattern": "^/problems/[a-z0-9-]+$"},
        "title": {"type": "string", "description": "简短名称"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "给用户看的中文句子"},
        "code": {"type": "string", "description": "稳定代码", "pattern": "^[a-z0-9_]+$"},
        "errors": {
            "type": "object",
            "description": "字段路径（如 location.latitude）→ 说明",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "request_id": {"type": ["string", "null"]},
        "bind_ticket": {"type": "string", "description": "仅 account_not_bound：十分钟内有效的绑定凭据"},
    },
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
}
_WRITES = {"post", "put", "delete"}
_HEADERS = {
    Kind.UNAUTHENTICATED: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer"}},
    Kind.TOO_MANY: {"Retry-After": {"schema": {"type": "string"}, "description": "多少秒后再试"}},
    Kind.UNAVAILABLE: {"Retry-After": {"schema": {"type": "string"}, "description": "多少秒后再试"}},
}


def complete(raw: Mapping[str, Any], needs: Mapping[tuple[str, str], tuple[str, Can]]) -> Spec:
    """Complete what flask-smorest wrote; `needs` gives each operation's name and permission by (path, method)."""
    spec: Spec = json.loads(json.dumps(raw))
    components = spec.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["headers"] = {"XRequestId": REQUEST_ID}
    components["responses"] = {_name(kind): _problem(kind) for kind in BY_STATUS.values()}
    tags = {tag["name"]: tag["description"] for tag in spec.get("tags", [])}
    spec["tags"] = [{"name": label} for label in tags.values()]
    for path, method, operation in operations(spec):
        name, can = needs[path, method]
        operation["operationId"] = name
        operation["tags"] = [tags.get(tag, tag) for tag in operation.get("tags", [])]
        operation["security"] = [] if can is Can.ANYONE else [{"token": []}]
        operation["x-needs"] = can.value
        for parameter in _parameters(spec, path, operation):
            parameter.setdefault("description", MEANINGS.get(parameter["name"], parameter["name"]))
            _without_null(parameter["schema"])
        _describe_body(operation, components["schemas"])
        _describe_answers(operation, _expected(path, method, operation, can))
    for schema in components["schemas"].values():
        _examples_of_2020(schema)
    return spec


def operations(spec: Spec) -> Iterator[tuple[str, str, Spec]]:
    """Walk every operation as (path, method, operation)."""
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def _parameters(spec: Spec, path: str, operation: Spec) -> list[Spec]:
    return [*operation.get("parameters", []), *spec["paths"][path].get("parameters", [])]


def _expected(path: str, method: str, operation: Spec, can: Can) -> set[Kind]:
    kinds = {Kind.UNAVAILABLE}
    if can is not Can.ANYONE:
        kinds |= {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}
    if "{" in path or "requestBody" in operation:
        kinds |= {Kind.NOT_FOUND}
    if operation.get("parameters"):
        kinds |= {Kind.INVALID, Kind.NOT_FOUND}
    if path.endswith(("/receipt", "/frame.csv")):
        kinds |= {Kind.CONFLICT}  # there, and not signed or frozen yet
    if method in _WRITES:
        kinds |= {Kind.STORE_FULL, Kind.CONFLICT}
    if "requestBody" in operation:
        kinds |= {Kind.NOT_JSON, Kind.NO_LENGTH, Kind.TOO_LARGE, Kind.WRONG_TYPE, Kind.INVALID, Kind.TOO_MANY}
    if can is Can.ANYONE and "requestBody" in operation:
        kinds |= {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}
    return kinds


def _describe_answers(operation: Spec, kinds: set[Kind]) -> None:
    said = {
        status: answer
        for status, answer in operation.get("responses", {}).items()
        if "$ref" not in answer and status != "default"
    }
    for answer in said.values():
        answer["description"] = _CHINESE.get(answer.get("description", ""), answer.get("description", ""))
        answer.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/XRequestId"}
    for kind in kinds:
        said.setdefault(str(int(kind)), {"$ref": f"#/components/responses/{_name(BY_STATUS[int(kind)])}"})
    operation["responses"] = {status: said[status] for status in sorted(said)}


_CHINESE = {"OK": "成功", "Created": "已保存", "No Content": "已完成，没有内容", "Not Modified": "没有变化"}


def _describe_body(operation: Spec, schemas: Spec) -> None:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media.startswith("multipart/"):
            _without_null(schemas[content["schema"]["$ref"].rpartition("/")[2]])
        elif "example" not in content:
            content["example"] = example_of(content["schema"], schemas)


def _without_null(schema: Spec) -> None:
    """Take null out: a query or a form field that is not there is simply not sent."""
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in schema:
        schema["enum"] = [word for word in schema["enum"] if word is not None]
    if schema.get("default", ...) is None:
        del schema["default"]
    for inner in schema.get("properties", {}).values():
        _without_null(inner)


def _examples_of_2020(schema: Any) -> None:
    """Write `example` as JSON Schema 2020-12 has it, a list."""
    if isinstance(schema, list):
        for inner in schema:
            _examples_of_2020(inner)
    if not isinstance(schema, dict):
        return
    if "example" in schema and not isinstance(schema.get("type", ""), dict):
        schema["examples"] = [schema.pop("example")]
    for key, inner in schema.items():
        if key == "properties":
            for field in inner.values():
                _examples_of_2020(field)
        elif key not in {"examples", "default", "enum"}:
            _examples_of_2020(inner)


def _name(kind: type[Refusal]) -> str:
    return f"Problem{int(kind.kind)}"


def _problem(kind: type[Refusal]) -> Spec:
    return {
        "description": kind.title,
        "headers": {
            "X-Request-Id": {"$ref": "#/components/headers/XRequestId"},
            **_HEADERS.get(kind.kind, {}),
        },
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {
                    "type": f"/problems/{kind.code().replace('_', '-')}",
                    "title": kind.title,
                    "status": int(kind.kind),
                    "detail": kind.detail,
                    "code": kind.code(),
                    "errors": {"occurred_at": ["这一项必须填写。"]} if kind.kind is Kind.INVALID else {},
                    "request_id": "01957a3e-09af-7481-8a26-b8c276b3652d",
                },
            }
        },
    }
