"""Writes TypeScript types from the OpenAPI document, for the sources of a mini-program or a console."""

import json
from collections.abc import Mapping
from typing import Any

from server.http.description import operations
from server.http.examples import kinds_of

_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_HEAD = "// Made from the OpenAPI document; every change here is lost.\n"


def typescript(spec: Mapping[str, Any]) -> str:
    """Write one interface for each schema, and one table of operations by `operationId`."""
    parts = [_HEAD]
    for name, schema in sorted(spec["components"]["schemas"].items()):
        parts.append(f"{_comment(schema)}export type {name} = {type_of(schema)};\n")
    parts.append("export interface Operations {\n")
    for path, method, operation in operations(dict(spec)):
        parts.append(
            f"{_comment({'description': operation.get('summary', '')}, '  ')}{_operation(path, method, operation)}"
        )
    parts.append("}\n")
    return "\n".join(parts)


def type_of(schema: Mapping[str, Any], indent: str = "") -> str:
    """Write the type of one schema."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(inner, indent) for inner in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(json.dumps(word, ensure_ascii=False) for word in schema["enum"])
    return " | ".join(_one(kind, schema, indent) for kind in kinds_of(schema))


def _one(kind: str, schema: Mapping[str, Any], indent: str) -> str:
    if kind == "array":
        inner = type_of(schema.get("items", {"type": "object"}), indent)
        return f"({inner})[]" if " " in inner and not inner.startswith("{") else f"{inner}[]"
    if kind == "object":
        return _object(schema, indent)
    return "Blob" if schema.get("format") == "binary" else _PLAIN[kind]


def _object(schema: Mapping[str, Any], indent: str) -> str:
    if "properties" not in schema:
        more = schema.get("additionalProperties")
        return f"Record<string, {type_of(more, indent) if isinstance(more, dict) else 'unknown'}>"
    deeper = f"{indent}  "
    required = schema.get("required", [])
    lines = [
        f"{_comment(inner, deeper)}{deeper}{name}{'' if name in required else '?'}: {type_of(inner, deeper)};\n"
        for name, inner in schema["properties"].items()
    ]
    return "{\n" + "".join(lines) + indent + "}"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    asked = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    query = {
        "properties": {one["name"]: one["schema"] for one in asked},
        "required": [one["name"] for one in asked if one.get("required")],
        "type": "object",
    }
    answers = {
        content["schema"]["$ref"].rpartition("/")[2]
        for status, answer in operation["responses"].items()
        for media, content in answer.get("content", {}).items()
        if status.startswith("2") and media == "application/json"
    }
    bodies = [
        type_of(content["schema"], "    ")
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]
    return (
        f"  {operation['operationId']}: {{\n"
        f"    method: {json.dumps(method.upper())};\n"
        f"    path: {json.dumps(path)};\n"
        f"    query: {type_of(query, '    ') if query['properties'] else 'undefined'};\n"
        f"    body: {' | '.join(bodies) or 'undefined'};\n"
        f"    answer: {' | '.join(sorted(answers)) or 'unknown'};\n"
        "  };\n"
    )


def _comment(schema: Mapping[str, Any], indent: str = "") -> str:
    words = " ".join(str(schema.get("description", "")).split()).replace("*/", "* /")
    return f"{indent}/** {words} */\n" if words else ""
