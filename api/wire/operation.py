"""One HTTP operation: what it reads and gives is declared once, and so holds for the answer and for OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Response, request
from marshmallow import Schema, ValidationError, fields

from ...engine import Engine
from ...engine.callback_tokens import hidden
from ...engine.calls.checks import UnknownCheckSchedule
from ...engine.calls.owned import OwnedEngine
from ...engine.calls.webhooks import UnknownNotice, UnknownSubscription
from ...engine.errors import UnknownBatch, UnknownDeployment, UnknownModel, UnknownProcessInstance, UnknownTask
from ...engine.limits import Limits
from ...engine.observing import tracing
from ..access.clients import CLIENT, OPEN, TOKEN, call_of, present_client
from ..access.request_id import request_id
from ..access.task_token import admit_token
from .answer import json_response, unless_known
from .body import Body
from .members import DECIMAL_ID
from .problems import wrong_fields
from .record import camel
from .request_schemas.strict import Nothing

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

UNKNOWN = {
    "process_instance_id": UnknownProcessInstance,
    "task_id": UnknownTask,
    "model_id": UnknownModel,
    "deployment_id": UnknownDeployment,
    "batch_id": UnknownBatch,
    "schedule_id": UnknownCheckSchedule,
    "subscription_id": UnknownSubscription,
    "notice_id": UnknownNotice,
}
Function = TypeVar("Function", bound=Callable[..., Any])
DECIMAL = frozenset({"process_instance_id", "task_id"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """What one method of one path reads and gives."""

    rule: str
    """The path, as Flask has it."""
    method: str
    name: str
    """By which OpenAPI and the audit tell of it, such as ``postProcesses``."""
    summary: str
    answer: Schema
    also: Schema | None
    """What it answers instead where it is asked so: the function returns that as a response."""
    body: Body | None
    query: Schema
    headers: Schema | None
    problems: tuple[int, ...]
    later: str | None
    """What a 202 means, which is the answer where the function returns None."""
    audited: bool
    """Whether it is written into the audit: not, where it changes nothing that is in use."""
    scope: str
    takes_session: bool
    """Whether the session of somebody who has signed in counts."""
    """What the client must be allowed to: ``read``, ``run`` or ``deploy``; ``open`` is for everybody, and
    ``token`` for who has that of the task."""
    media_type: str | None
    """Of an answer that is text as the function returns it, whole or in pieces: no JSON, or as much as there is."""
    prepare: Callable[[Engine], object] | None
    function: Callable[..., Any]

    def read(self, limits: Limits) -> dict[str, Any]:
        """The present request's parts by name; raises Invalid with every wrong field of all parts."""
        environ = request.environ
        wrong: dict[str, list[str]] = {}
        parts: dict[str, Any] = {}
        for name in ("query", "headers", "body"):
            try:
                part = self._part(name, environ, limits)
            except ValidationError as error:
                wrong |= flat(error.normalized_messages())
            else:
                if part is not None:
                    parts[name] = part
        if wrong:
            raise wrong_fields(wrong)
        return parts

    def _part(self, name: str, environ: WSGIEnvironment, limits: Limits) -> dict[str, Any] | None:
        if name == "query":
            query = read_query(self.query, environ)
            return None if type(self.query) is Nothing else query
        if name == "headers":
            return None if self.headers is None else read_headers(self.headers, environ)
        return None if self.body is None else self.body.read(limits)


METHODS = ("get", "post", "put", "delete")


class Operations(list[Operation]):
    """The operations of one part of the interface."""

    def add(
        self,
        rule: str,
        summary: str,
        answer: type[Schema],
        *,
        many: bool = False,
        also: type[Schema] | None = None,
        body: Body | None = None,
        query: type[Schema] = Nothing,
        headers: type[Schema] | None = None,
        problems: tuple[int, ...] = (),
        later: str | None = None,
        scope: str | None = None,
        takes_session: bool = True,
        audited: bool = True,
        media_type: str | None = None,
        prepare: Callable[[Engine], object] | None = None,
    ) -> Callable[[Function], Function]:
        """Make a function an HTTP operation; its name is the operation's, and begins with the HTTP method.

        The function is called with the engine and the path's ids, and with ``query``, ``headers`` and ``body`` where
        these are declared, each a dict by the engine's names. What it returns is shown through ``answer``, always as
        200, which is what clients of the original test for; None where it has a ``later`` as 202. A response is sent as
        it is.

        Args:
            rule: The path, as Flask has it.
            also: Another answer, which the function returns as a response.
            problems: The HTTP statuses of its own refusals.
            later: What a 202 means.
            takes_session: Whether the session of somebody who has signed in with a browser counts.
            scope: Unless said otherwise a GET needs ``read`` and everything else ``run``; all but a GET is written
                into the audit.
            audited: Whether that is so; false for what changes nothing though it takes a body, and for drafts, which
                an editor writes every few seconds and which tell themselves who wrote them.
            prepare: Called once for the engine that is served.
        """

        def decorate(function: Function) -> Function:
            name = function.__name__
            method = name.partition("_")[0]
            self.append(
                Operation(
                    rule=rule,
                    method=method,
                    name=camel(name),
                    summary=summary,
                    answer=answer(many=many),
                    also=None if also is None else also(),
                    body=body,
                    query=query(),
                    headers=headers() if headers else None,
                    problems=problems,
                    later=later,
                    audited=audited and method != "get",
                    scope=scope or ("read" if method == "get" else "run"),
                    takes_session=takes_session,
                    media_type=media_type,
                    prepare=prepare,
                    function=function,
                )
            )
            return function

        return decorate


class Endpoint:
    """The view function of an operation on one engine."""

    def __init__(self, operation: Operation, engine: Engine) -> None:
        self.operation = operation
        self.engine = engine
        if operation.prepare is not None:
            operation.prepare(engine)

    def __call__(self, **path: str) -> Response:
        if not tracing.is_on() or self.operation.scope == OPEN:
            return self._answer(path)
        with request_span(path) as span:
            answer = self._answer(path)
            if span is not None:
                span.set_attribute("http.response.status_code", answer.status_code)
            return answer

    def _answer(self, path: dict[str, str]) -> Response:
        operation, engine = self.operation, self.engine
        if path:
            refuse_impossible_ids(path)
        if operation.media_type is not None:
            return Response(self._result(path), content_type=operation.media_type)
        if operation.method == "get":
            result = self._result(path)
            return (
                result if isinstance(result, Response) else unless_known(json_response(operation.answer.dump(result)))
            )
        environ = request.environ
        if operation.scope == TOKEN:
            environ[CLIENT] = admit_token(engine, path)
        if operation.audited:
            call = call_of(environ[CLIENT], environ, operation.name, hidden(next(iter(path.values()), "")) or None)
            with engine.audit.recording(call):
                result = self._result(path)
        else:
            result = self._result(path)
        if isinstance(result, Response):
            return result
        if result is None and operation.later is not None:
            answer = json_response(None)
            answer.status_code = HTTPStatus.ACCEPTED
            return answer
        return json_response(operation.answer.dump(result))

    def _result(self, path: dict[str, str]) -> Any:
        return self.operation.function(self.engine, **path, **self.operation.read(self.engine.limits))


def visible(engine: Engine) -> Engine | OwnedEngine:
    """The engine as the client of the present request sees it."""
    owner = present_client().sees
    return engine if owner is None else engine.owned_by(owner)


def request_span(path: Mapping[str, str]) -> AbstractContextManager[Any]:
    """The span of the present request: one of the client's trace, or within that of an application around this one."""
    alone = tracing.present() is None
    ids = {name: hidden(value) for name, value in path.items() if value.isprintable()}
    route = {"http.request.method": request.method, "http.route": str(request.url_rule)}
    return tracing.span(
        f"{request.method} {request.url_rule}",
        kind="server" if alone else "internal",
        headers={name.lower(): value for name, value in request.headers} if alone else None,
        **{"riverstone.request_id": request_id()},
        **route,
        **ids,
    )


def refuse_impossible_ids(path: Mapping[str, str]) -> None:
    """Raise Unknown for an id that no thing can have, before a database is asked that may not even take the text."""
    for name, value in path.items():
        decimal = name in DECIMAL
        possible = re.fullmatch(DECIMAL_ID[1:-1], value) if decimal else len(value) <= 64 and value.isprintable()
        if name in UNKNOWN and not possible:
            raise UNKNOWN[name](value)


def read_query(schema: Schema, environ: WSGIEnvironment) -> dict[str, Any]:
    """The query's values; a parameter that is unknown or that comes twice where one is meant is refused."""
    if not environ.get("QUERY_STRING"):
        return dict(of_nothing(schema))
    lists = {field.data_key or name for name, field in schema.load_fields.items() if isinstance(field, fields.List)}
    twice = {name: ["Given more than once."] for name, given in request.args.lists() if len(given) > 1}
    wrong = {name: texts for name, texts in twice.items() if name not in lists}
    if wrong:
        raise ValidationError(wrong)
    values = {name: given if name in lists else given[0] for name, given in request.args.lists()}
    loaded: dict[str, Any] = schema.load(values)
    return loaded


def read_headers(schema: Schema, environ: WSGIEnvironment) -> dict[str, Any]:
    """The values of the headers that the schema names."""
    given = {name: environ[key] for name, key in header_keys(schema) if key in environ}
    if not given:
        return dict(of_nothing(schema))
    loaded: dict[str, Any] = schema.load(given)
    return loaded


@cache
def header_keys(schema: Schema) -> tuple[tuple[str, str], ...]:
    """The headers that a schema names, with their names in the WSGI environment."""
    names = [field.data_key or name for name, field in schema.load_fields.items()]
    return tuple((name, f"HTTP_{name.upper().replace('-', '_')}") for name in names)


@cache
def of_nothing(schema: Schema) -> Mapping[str, Any]:
    """What a schema makes of no value at all, which is what most requests give; raises ValidationError."""
    loaded: Mapping[str, Any] = schema.load({})
    return loaded


def flat(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as texts by field, a nested field as ``retain.0``."""
    if not isinstance(messages, Mapping):
        return {path or "body": [str(text) for text in messages]}
    found: dict[str, list[str]] = {}
    for name, inner in messages.items():
        at = path if name == "_schema" else f"{path}.{name}" if path else str(name)
        found |= flat(inner, at)
    return found
