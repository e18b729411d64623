"""Makes an example of a body from its schema: each required field, and each that names an example of its own."""

from collections.abc import Mapping
from typing import Any

_BY_FORMAT = {
    "uuid": "3f1c8a52-7f0e-4f43-9d0f-2b6f3f6a9b10",
    "date-time": "2026-03-05T09:12:00+08:00",
    "date": "2026-03-05",
}
_BY_TYPE: Mapping[str, Any] = {"string": "文字", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Give one value that fits a schema; `schemas` are the document's components."""
    schema = resolved(schema, schemas)
    told = [schema[key] for key in ("example", "default") if schema.get(key) is not None]
    told += [*schema.get("examples", [])[:1], *schema.get("enum", [])[:1]]
    if told:
        return told[0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    return _made(kinds_of(schema)[0], schema, schemas)


def _made(kind: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if kind == "object":
        return _object(schema, schemas)
    if kind == "array":
        return [example_of(schema["items"], schemas)] * schema.get("minItems", 1)
    if kind == "string":
        return _text(schema)
    if kind in {"integer", "number"}:
        return max(_BY_TYPE[kind], schema.get("minimum", _BY_TYPE[kind]))
    return _BY_TYPE[kind]


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference to the component that it names."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def kinds_of(schema: Mapping[str, Any]) -> list[str]:
    """List the JSON types that a schema takes."""
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    return list(kinds) if isinstance(kinds, list) else [kinds]


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required", [])
    return {
        name: example_of(inner, schemas)
        for name, inner in schema.get("properties", {}).items()
        if name in required or "example" in inner or "examples" in inner
    }


def _text(schema: Mapping[str, Any]) -> str:
    text = _BY_FORMAT.get(schema.get("format", ""), "文字")
    least = int(schema.get("minLength", 0))
    if "format" not in schema and "0-9a-f" in schema.get("pattern", ""):
        return "0" * max(least, 1)
    return text if len(text) >= least else text.ljust(least, "1")
