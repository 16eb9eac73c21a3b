"""What a description of the HTTP calls promises, and what a later one has broken of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

Document = Mapping[str, Any]
Way = Literal["takes", "gives"]
PROSE = {"description", "summary", "tags", "examples", "example", "security", "info", "servers", "securitySchemes"}


def without_prose(document: Any) -> Any:
    """What clients rely on of a description: calls, parameters, bodies and answers that are no errors."""
    if isinstance(document, list):
        return [without_prose(each) for each in document]
    if not isinstance(document, dict):
        return document
    if "responses" in document:
        good = {code: each for code, each in document["responses"].items() if code < "400"}
        document = {**document, "responses": good}
    # A property may have such a name; what it holds is a schema.
    return {
        name: without_prose(value) for name, value in document.items() if name not in PROSE or isinstance(value, dict)
    }


def broken(kept: Document, now: Document) -> Iterator[str]:
    """Each promise of the kept description that today's does not keep; additions break nothing."""
    for path, calls in kept["paths"].items():
        for method, call in calls.items():
            found = now["paths"].get(path, {}).get(method)
            if method == "parameters":
                continue
            if found is None:
                yield f"{method.upper()} {path} is gone"
                continue
            yield from _call(f"{method.upper()} {path}", call, found, kept, now)


def _call(where: str, before: Document, after: Document, kept: Document, now: Document) -> Iterator[str]:
    named = {(each["in"], each["name"]): each for each in after.get("parameters", [])}
    known = {(each["in"], each["name"]) for each in before.get("parameters", [])}
    yield from (f"{where}: the parameter {name[1]} is gone" for name in known - named.keys())
    for name, parameter in named.items():
        if name not in known and parameter.get("required") and parameter["in"] != "path":
            yield f"{where}: needs the new parameter {name[1]}"
    yield from _bodies(f"{where} body", before.get("requestBody"), after.get("requestBody"), kept, now, "takes")
    for code, answer in before.get("responses", {}).items():
        found = after["responses"].get(code)
        if found is None:
            yield f"{where}: no longer answers {code}"
        else:
            yield from _bodies(f"{where} {code}", answer, found, kept, now, "gives")


def _bodies(where: str, before: Any, after: Any, kept: Document, now: Document, way: Way) -> Iterator[str]:
    if not before:
        if way == "takes" and after and after.get("required"):
            yield f"{where}: is needed now"
        return
    for media, content in before.get("content", {}).items():
        found = (after or {}).get("content", {}).get(media)
        if found is None:
            yield f"{where}: no longer {media}"
        elif "schema" in content:
            yield from _schema(where, content["schema"], found.get("schema", {}), kept, now, way, frozenset())


def _schema(
    where: str, before: Any, after: Any, kept: Document, now: Document, way: Way, seen: frozenset[str]
) -> Iterator[str]:
    name = before.get("$ref", "")
    if name in seen:
        return
    seen |= {name} if name else frozenset()
    old, new = _resolved(before, kept), _resolved(after, now)
    had, has = _types(old), _types(new)
    if had and has and not (had >= has if way == "gives" else had <= has):
        yield f"{where}: was {' or '.join(sorted(had))}, is {' or '.join(sorted(has))}"
    properties = new.get("properties", {})
    for each, schema in old.get("properties", {}).items():
        if each in properties:
            yield from _schema(f"{where}.{each}", schema, properties[each], kept, now, way, seen)
        elif way == "gives" or not new.get("additionalProperties"):
            yield f"{where}.{each} is gone"
    if way == "takes":
        needed = set(new.get("required", [])) - set(old.get("required", []))
        yield from (f"{where}.{each} is needed now" for each in sorted(needed))
        refused = set(old.get("enum", [])) - set(new.get("enum", []))
        yield from (f"{where}: no longer takes {each!r}" for each in sorted(refused, key=str))
    if "items" in old:
        yield from _schema(f"{where}[]", old["items"], new.get("items", {}), kept, now, way, seen)


def _resolved(schema: Any, document: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: Document = schema
    return found


def _types(schema: Document) -> set[str]:
    told = schema.get("type", [])
    return set(told if isinstance(told, list) else [told])


def keep(path: Path) -> None:
    """Write today's description to a file, as one that later versions are held to."""
    from riverstone.api import create_app
    from riverstone.engine import Engine

    with Engine("sqlite:///:memory:") as engine:
        told = create_app(engine).test_client().get("/openapi.json").json
    path.write_text(json.dumps(without_prose(told), separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
