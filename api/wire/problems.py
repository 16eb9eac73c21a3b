"""Errors as ``application/problem+json`` (RFC 9457), and which error has which HTTP status."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import BuildError

from ...engine import errors
from ...engine.callback_tokens import hidden
from ...engine.outgoing.statuses import phrase
from ..access.request_id import request_id
from ..errors import Refused
from .records import FindingRecord
from .references import reference_to

log = logging.getLogger("riverstone.api")

STATUS_OF: tuple[tuple[type[errors.RiverstoneError], HTTPStatus], ...] = (
    (errors.Malformed, HTTPStatus.BAD_REQUEST),
    (errors.Unknown, HTTPStatus.NOT_FOUND),
    (errors.NotAllowed, HTTPStatus.FORBIDDEN),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.ExpressionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.LimitExceeded, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.EngineClosed, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.InternalError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


# The request is in order; it is the tasks' state that does not allow it.
CONFLICTS = frozenset({"retain-invalid"})
# Another one is there than the request names in If-Match (RFC 9110, 13.1.1).
CHANGED = frozenset({"draft-changed"})
RETRY_AFTER = "5"
UNEXPECTED = "The server met an error of its own and logged it: ask its operator, naming the time and this request."
FINDINGS = FindingRecord(many=True)


def problem(status: HTTPStatus, code: str, detail: str, **members: Any) -> Response:
    """A problem answer; members that are None are left out, and ``message`` repeats the detail for older clients."""
    content = {
        "type": f"urn:riverstone:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": int(status),
        "detail": detail,
        "code": code,
        "message": detail,
        "requestId": request_id(),
        **members,
    }
    content = {name: value for name, value in content.items() if value is not None}
    text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    response = Response(text, status=int(status), mimetype="application/problem+json")
    explaining = (f"{name}.model.getCode" for name in request.blueprints)
    here = next((endpoint for endpoint in explaining if endpoint in current_app.view_functions), None)
    if here is not None:
        # A host may mount the calls under a part of the path that it keeps for itself, such as a tenant's name.
        with suppress(BuildError):
            # Where the code is explained, wherever the calls are mounted (RFC 8288, 3).
            response.headers["Link"] = f'<{reference_to(url_for(here, code=code))}>; rel="help"'
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        response.headers["Retry-After"] = RETRY_AFTER
    return response


MOST_WRONG = 100
"""How many wrong fields an answer lists: what is wrong in more places than that is wrong in the same way."""


def wrong_fields(wrong: Mapping[str, Sequence[str]]) -> errors.Invalid:
    """An error that lists the wrong fields, also in its text."""
    count, wrong = len(wrong), dict(sorted(wrong.items(), key=lambda item: len(item[0]))[:MOST_WRONG])
    fields_by_text: dict[str, list[str]] = {}
    for field, texts in wrong.items():
        fields_by_text.setdefault(" ".join(texts).rstrip("."), []).append(field)
    listed = [f"{text} ({', '.join(fields[:10])})" for text, fields in list(fields_by_text.items())[:10]]
    more = f"; and {len(fields_by_text) - 10} more" if len(fields_by_text) > 10 else ""
    more += f"; {count - MOST_WRONG} further fields are wrong too" if count > MOST_WRONG else ""
    return errors.Invalid(f"Correct the request: {'; '.join(listed)}{more}.", code="fields-invalid", errors=wrong)


def of_engine(error: errors.RiverstoneError) -> Response:
    """The answer for an error that the engine raised on purpose."""
    if isinstance(error, Refused):
        answer = problem(HTTPStatus(error.status), error.code, error.message)
        if error.challenge is not None:
            answer.headers["WWW-Authenticate"] = error.challenge
        return answer
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), None)
    if status is None:
        return of_unexpected(error)
    if isinstance(error, errors.LimitExceeded) and error.limit == "instances_per_key":
        status = HTTPStatus.TOO_MANY_REQUESTS
    if error.code in CONFLICTS:
        status = HTTPStatus.CONFLICT
    if error.code in CHANGED:
        status = HTTPStatus.PRECONDITION_FAILED
    members: dict[str, Any] = {}
    if isinstance(error, errors.Malformed | errors.Invalid):
        members["errors"] = error.errors or None
    if isinstance(error, errors.ModelInvalid):
        members["findings"] = FINDINGS.dump(error.findings)
    if isinstance(error, errors.Conflict):
        members |= {
            "currentStatus": error.status,
            "allowed": list(error.allowed),
            "relatedProcessInstanceId": error.related,
        }
    return problem(status, error.code, error.message, **members)


def of_http(error: HTTPException) -> Response:
    """The answer for what Flask itself refuses: 404, 405, 413, 415 and the like."""
    if error.code is None or error.code < 400:
        response = error.get_response()
        return Response(response.get_data(), response.status_code, response.headers)
    status = HTTPStatus(error.code)
    name = phrase(status)
    code, detail = name.lower().replace(" ", "-"), error.description or name
    if isinstance(error, NotFound):
        code, detail = (
            "unknown-path",
            f"{request.method} {hidden(request.path)!r} is no operation: use one of /openapi.json.",
        )
    elif isinstance(error, MethodNotAllowed):
        detail = f"{request.method} is not served here: use {', '.join(sorted(error.valid_methods or ()))}."
    elif isinstance(error, RequestEntityTooLarge):
        code, detail = errors.TooLarge.code, f"The body is over {request.max_content_length} bytes: send less."
    answer = problem(status, code, detail)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def of_unexpected(error: Exception) -> Response:
    """The answer for a defect of the server: logged with its traceback, which the client never sees."""
    log.error("Unexpected error while answering a request.", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", UNEXPECTED)


def register(where: Blueprint | Flask) -> None:
    """Answer with problems in this blueprint or app; a blueprint leaves its host's own pages alone."""
    where.register_error_handler(errors.RiverstoneError, of_engine)
    where.register_error_handler(HTTPException, of_http)
    where.register_error_handler(Exception, of_unexpected)
