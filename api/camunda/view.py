"""One route of these interfaces: whom it needs, how its body is read, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from flask import Response, request

from ...engine import Engine, jsontext
from ...engine.calls.tasks.external_tasks import ExternalCalls
from ...engine.errors import Malformed
from ..access.clients import CLIENT, call_of, present_client
from ..http.model import Upload

Function = Callable[..., Any]
MOST_TEXTS = 10_000
"""In a list of a body: PostgreSQL takes 65,535 values with a question, and one may have several lists."""


class View:
    """A view function on one engine; ``scope`` and ``takes_basic`` are read by the gate before it."""

    takes_basic = True

    def __init__(
        self, engine: Engine, function: Function, scope: str, *, audited: bool, reads_query: bool = False
    ) -> None:
        """Whoever does not read the query is asked without one: it would do something else than is meant."""
        self.reads_query = reads_query
        self.engine = engine
        self.function = function
        self.scope = scope
        self.audited = audited
        self.__name__ = function.__name__

    def __call__(self, **path: str) -> Response:
        environ = request.environ
        call = (
            call_of(environ[CLIENT], environ, self.__name__, next(iter(path.values()), None)) if self.audited else None
        )
        with nullcontext() if call is None else self.engine.audit.recording(call):
            if not self.reads_query and request.args:
                raise wrong(next(iter(request.args)), "is not known here in the query")
            found = self.function(self.engine, **path)
        return found if isinstance(found, Response) else NO_CONTENT() if found is None else json_answer(found)


def json_answer(content: Any, status: int = 200) -> Response:
    """JSON of exactly the type ``application/json``: some clients take nothing else for it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(text, status=status, content_type="application/json")


def NO_CONTENT() -> Response:
    """What these interfaces answer where there is nothing to tell."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def body_of(engine: Engine) -> dict[str, Any]:
    """The JSON object in the request's body, whatever its content type; nothing and null are an empty one."""
    request.max_content_length = engine.limits.body_size
    data = request.get_data()
    if not data.strip():
        return {}
    found = jsontext.loads(data, limits=engine.limits, name="body")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed("The body is no JSON object.", code="body-invalid")
    return found


def uploaded(engine: Engine, part: str | None = None) -> list[Upload]:
    """The files of the form, or those of its parts of this name."""
    request.max_content_length = engine.limits.model_size + 2 * engine.limits.body_size
    given = [file for name, file in request.files.items(multi=True) if part is None or name == part]
    return [Upload(file.read(), file.filename) for file in given]


def workers(engine: Engine) -> ExternalCalls:
    """The tasks of workers as the present client sees them."""
    client = present_client()
    return engine.external.limited(owner=client.sees, may=client.may_fetch)


def text(body: Mapping[str, Any], name: str, *, needed: bool = False) -> str | None:
    """A text of a body; null counts as absent."""
    value = body.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or (needed and not value):
        raise wrong(name, "is to be a text")
    return value


def needed(body: Mapping[str, Any], name: str) -> str:
    """A text that has to be there."""
    found = text(body, name, needed=True)
    assert found is not None
    return found


def number(body: Mapping[str, Any], name: str, otherwise: int | None = None) -> int:
    """A whole number of a body."""
    value = body.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) >= 2**53:
        raise wrong(name, "is to be a whole number")
    return value


def truth(body: Mapping[str, Any], name: str, otherwise: bool = False) -> bool:
    """``true`` or ``false`` of a body; null counts as absent, and whatever else is taken for neither."""
    value = body.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise wrong(name, "is to be true or false")
    return value


def texts(body: Mapping[str, Any], name: str) -> list[str] | None:
    """A list of texts; null counts as absent."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise wrong(name, "is to be a list of texts")
    if len(value) > MOST_TEXTS:
        raise wrong(name, f"is to be a list of at most {MOST_TEXTS} texts")
    return value


def wrong(name: str, what: str) -> Malformed:
    """The refusal of one member."""
    return Malformed(f"{name} {what}.", code="fields-invalid")
