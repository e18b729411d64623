"""The OpenAPI document, and a page of our own that shows it: no script, no internet, readable on a phone."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from server.errors import Refusal
from server.http.api import PREFIX, description
from server.http.description import operations
from server.http.examples import kinds_of, resolved
from server.http.guard import needs
from server.http.problems import catalogue, slug
from server.permissions import Can

docs = Blueprint("docs", __name__, template_folder="templates")

STYLE = (Path(__file__).parent / "templates" / "docs.css").read_text(encoding="utf-8")
_KINDS = {
    "string": "文字",
    "integer": "整数",
    "number": "数字",
    "boolean": "是否",
    "array": "列表",
    "object": "对象",
    "null": "空",
}
_FORMATS = {"uuid": "UUID", "date-time": "时间", "date": "日期", "binary": "文件"}


@docs.get(f"{PREFIX}/openapi.json")
@needs(Can.ANYONE, own_transactions=True)
def openapi_json() -> ResponseReturnValue:
    """Give the OpenAPI document."""
    return _kept(json.dumps(description(), ensure_ascii=False, separators=(",", ":")), "application/json")


@docs.get("/docs")
@needs(Can.ANYONE, own_transactions=True)
def page() -> ResponseReturnValue:
    """Show the API to people."""
    response = _kept(_page(), "text/html; charset=utf-8")
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _kept(text: str, content_type: str) -> Response:
    response = Response(text, content_type=content_type)
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, no-cache"
    response.make_conditional(request)
    return response


def _page() -> str:
    made: str | None = current_app.extensions.get("docs_page")
    if made is None:
        spec = description()
        sections = _sections(spec)
        made = current_app.extensions["docs_page"] = render_template(
            "docs.html",
            spec=spec,
            style=STYLE,
            sections=sections,
            answered=_answered(spec, sections),
            problems=_problems(),
        )
    return made


@dataclass(frozen=True, slots=True)
class Row:
    """One field or parameter as the page shows it; `depth` is how far it stands inside."""

    name: str
    kind: str
    required: bool
    says: str
    words: tuple[tuple[str, str], ...] = ()
    depth: int = 0


def rows_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> list[Row]:
    """List the fields of a body, those of inner objects behind their holder."""
    schema = _object_in(schema, schemas)
    found: list[Row] = []
    for name, inner in schema.get("properties", {}).items():
        found.append(_row(name, inner, schemas, required=name in schema.get("required", []), depth=depth))
        found += rows_of(inner, schemas, depth + 1)
    return found


def _object_in(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = resolved(schema, schemas)
    if "anyOf" in schema:
        return _object_in(schema["anyOf"][0], schemas)
    return _object_in(schema["items"], schemas) if "items" in schema else schema


def _row(
    name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], *, required: bool, depth: int = 0
) -> Row:
    whole = resolved(schema, schemas)
    chosen = whole["items"] if "items" in whole and "enum" in whole["items"] else whole
    labels = chosen.get("x-labels", {})
    words = tuple((str(word), labels.get(word, "")) for word in chosen.get("enum", []) if word is not None)
    return Row(name, _kind(whole, schemas), required, schema.get("description", ""), words, depth)


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " 或 ".join(
            dict.fromkeys(_kind(resolved(inner, schemas), schemas) for inner in schema["anyOf"])
        )
    said = " 或 ".join(
        _FORMATS.get(schema.get("format", ""), _KINDS[kind]) if kind == "string" else _KINDS[kind]
        for kind in kinds_of(schema)
    )
    bounds = [
        f"{word}{schema[key]:.15g}"
        for key, word in (
            ("minimum", "≥"),
            ("maximum", "≤"),
            ("maxLength", "至多字数 "),
            ("maxItems", "至多项数 "),
        )
        if key in schema and "format" not in schema
    ]
    return "，".join([said, *bounds])


def _sections(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_tag: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in spec["tags"]}
    schemas = spec["components"]["schemas"]
    for path, method, operation in operations(dict(spec)):
        parameters = [*spec["paths"][path].get("parameters", []), *operation.get("parameters", [])]
        content = operation.get("requestBody", {}).get("content", {})
        by_tag[operation["tags"][0]].append(
            {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "signed_in": bool(operation["security"]),
                "parameters": [
                    (one["in"], _row(one["name"], {"description": one["description"], **one["schema"]}, schemas,
                                     required=one["required"]))
                    for one in parameters
                ],
                "media": next(iter(content), None),
                "body": [row for one in content.values() for row in rows_of(one["schema"], schemas)],
                "answers": [_answer(status, one, spec) for status, one in operation["responses"].items()],
                "curl": _curl(path, method, operation),
            }
        )  # fmt: skip
    return [{"name": tag, "operations": found} for tag, found in by_tag.items() if found]


def _answer(status: str, answer: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    answer = resolved(answer, spec["components"]["responses"])
    schemas = [content["schema"].get("$ref", "") for content in answer.get("content", {}).values()]
    names = [name.rpartition("/")[2] for name in schemas if name]
    return {"status": status, "says": answer["description"], "schemas": names}


def _answered(spec: Mapping[str, Any], sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the fields of each answer once, however many operations answer with it."""
    schemas = spec["components"]["schemas"]
    names = {
        name
        for section in sections
        for one in section["operations"]
        for answer in one["answers"]
        for name in answer["schemas"]
    }
    return [{"name": name, "rows": rows_of(schemas[name], schemas)} for name in sorted(names)]


def _curl(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    asked = [
        f"{one['name']}=${one['name']}" for one in parameters if one["in"] == "query" and one["required"]
    ]
    address = path.replace("{", "$").replace("}", "") + ("?" + "&".join(asked) if asked else "")
    lines = [f'curl -X {method.upper()} "$BASE{address}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media == "application/json":
            lines.append("-H 'Content-Type: application/json'")
            lines.append(f"-d '{json.dumps(content['example'], ensure_ascii=False, indent=1)}'")
        else:
            lines.append("-F photo_id=$photo_id -F file=@photo.jpg")
    return " \\\n  ".join(lines)


@cache
def _problems() -> list[dict[str, Any]]:
    kinds: dict[str, type[Refusal]] = {kind.code(): kind for kind in catalogue()}
    return [
        {
            "status": int(kind.kind),
            "code": code,
            "slug": slug(kind),
            "title": kind.title,
            "detail": kind.detail,
        }
        for code, kind in sorted(kinds.items(), key=lambda pair: (int(pair[1].kind), pair[0]))
    ]
