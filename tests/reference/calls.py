"""Every HTTP call and every form of an answer, from the server's own OpenAPI description."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from riverstone.api import create_app
from riverstone.engine import Engine

from .blocks import table

EVERYWHERE = {"200", "304", "401", "403", "422", "500", "503"}
"""Statuses that the page tells of once for all calls."""


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    with Engine("sqlite:///:memory:") as engine:
        found: dict[str, Any] = create_app(engine).test_client().get("/openapi.json").get_json()
    return found


def calls() -> str:
    """A section for each tag, and in it one for each call."""
    parts = []
    by_tag: dict[str, list[str]] = {}
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                by_tag.setdefault(operation["tags"][0], []).append(_call(method.upper(), path, operation))
    for tag in description()["tags"]:
        parts += [f"## {tag['name']}", tag["description"], *by_tag[tag["name"]]]
    return "\n\n".join(parts)


def _call(method: str, path: str, operation: dict[str, Any]) -> str:
    answers = operation["responses"]["200"].get("content", {})
    answer = ", ".join(_shown(kind, content["schema"]) for kind, content in answers.items())
    further = [
        f"{status} ({told['description'].rstrip('.')})"
        for status, told in operation["responses"].items()
        if status not in EVERYWHERE
    ]
    lines = [
        f"### {method} {path}",
        f"{operation['summary']}. {operation['description']}",
        f"Answer: {answer}." + (f" Also: {'; '.join(further)}." if further else ""),
    ]
    rows = [
        (
            f"`{each['name']}`",
            each["in"],
            type_of(each["schema"]),
            "yes" if each.get("required") else "",
            each.get("description", each["schema"].get("description", "")),
        )
        for each in operation.get("parameters", ())
    ]
    if rows:
        lines.append(table(("parameter", "in", "type", "needed", ""), rows))
    bodies = operation.get("requestBody", {}).get("content", {})
    for kind, content in bodies.items():
        schema = content.get("schema", {})
        lines.append(f"Body: {_shown(kind, schema)}.")
        if "properties" in schema:
            lines.append(_members(schema))
    return "\n\n".join(lines)


def _shown(kind: str, schema: dict[str, Any]) -> str:
    return f"{type_of(schema)} as `{kind}`" if kind != "application/json" else type_of(schema)


def schemas() -> str:
    """A section for each form of an answer or a body, with an example where the description has one."""
    parts = []
    for name, schema in sorted(description()["components"]["schemas"].items()):
        if name in ("Json", "JsonObject"):
            continue
        parts += [f"### {name}", _members(schema)]
        for example in schema.get("examples", ())[:1]:
            parts.append(f"```json\n{json.dumps(example, ensure_ascii=False, indent=2)}\n```")
    return "\n\n".join(part for part in parts if part)


def _members(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`", type_of(member), "yes" if name in required else "", member.get("description", ""))
        for name, member in schema.get("properties", {}).items()
    ]
    return table(("member", "type", "always there", ""), rows) if rows else ""


def type_of(schema: dict[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return {"Json": "any JSON", "JsonObject": "object"}.get(name, f"[{name}](#{name.lower()})")
    if "enum" in schema:
        return " or ".join(f"`{word}`" if isinstance(word, str) else "null" for word in schema["enum"])
    for joined in ("anyOf", "oneOf"):
        if joined in schema and "properties" not in schema:
            return " or ".join(dict.fromkeys(type_of(each) for each in schema[joined]))
    kinds = schema.get("type", "any JSON")
    names = [kinds] if isinstance(kinds, str) else kinds
    words = []
    for name in names:
        if name == "array":
            words.append(f"list of {type_of(schema.get('items', {}))}")
        elif name == "string":
            words.append({"date-time": "time", "binary": "file"}.get(schema.get("format", ""), "text"))
        elif (
            name == "object"
            and isinstance(schema.get("additionalProperties"), dict)
            and "type" in schema["additionalProperties"]
        ):
            words.append(f"object of {type_of(schema['additionalProperties'])}")
        else:
            words.append({"boolean": "true or false", "integer": "whole number"}.get(name, name))
    return " or ".join(words)
