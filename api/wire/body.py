"""The body of a request: how it is read, and how OpenAPI tells of it."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, Protocol

from flask import Request, request
from marshmallow import Schema
from werkzeug.exceptions import ClientDisconnected, UnsupportedMediaType

from ...engine import jsontext
from ...engine.errors import Invalid, Malformed
from ...engine.limits import Limits

JSON_TYPE = "application/json"
JSON_TYPES = re.compile(r"application/([^;]+\+)?json")
LENGTH = re.compile("[0-9]{1,9}")


class Body(Protocol):
    """How a request's body is read, and how OpenAPI tells of it."""

    required: bool

    def read(self, limits: Limits) -> dict[str, Any]:
        """The body's values by the engine's names; raises Malformed, Invalid, TooLarge or ValidationError."""

    def content(self) -> dict[str, Any]:
        """OpenAPI's media types of the body."""


class JsonBody:
    """A JSON object of one schema."""

    def __init__(self, schema: type[Schema], *, required: bool = True) -> None:
        self.schema = schema()
        self.required = required

    def read(self, limits: Limits) -> dict[str, Any]:
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]
        data = body_of(asked, limits.body_size)
        if not data and not self.required:
            return {}
        # Browsers send forms and plain text across sites without asking, so only JSON is taken for JSON.
        if asked.environ.get("CONTENT_TYPE") != JSON_TYPE and not JSON_TYPES.fullmatch(asked.mimetype or JSON_TYPE):
            raise UnsupportedMediaType(f"Send the body as application/json, not {asked.mimetype}.")
        if not data:
            raise Malformed("The body is empty: send a JSON object.", code="body-missing")
        value = jsontext.loads(data, limits=limits, name="body")
        if not isinstance(value, dict):
            raise Invalid("The body must be a JSON object.", code="fields-invalid")
        loaded: dict[str, Any] = self.schema.load(value)
        return loaded

    def content(self) -> dict[str, Any]:
        return {"application/json": {"schema": type(self.schema).__name__}}


def body_of(asked: Request, most: int) -> bytes:
    """The body, of at most so many bytes: at once where its length is told, else as werkzeug reads and counts."""
    environ = asked.environ
    told = LENGTH.fullmatch(environ.get("CONTENT_LENGTH", ""))
    length = int(told[0]) if told and "HTTP_TRANSFER_ENCODING" not in environ else most + 1
    if length > most or "stream" in vars(asked):
        asked.max_content_length = most
        return asked.get_data(cache=False)
    data: bytes = environ["wsgi.input"].read(length)
    if len(data) < length:
        raise ClientDisconnected
    # Nothing is left for whoever looks again.
    asked.stream = BytesIO()
    return data
