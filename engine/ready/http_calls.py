"""The requests of one call of a hook: filled in, sent with a token if need be, and their answers sorted."""

from __future__ import annotations

import base64
import email.utils
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from .. import BpmnError, Fatal, HttpAnswer, Invalid, Later, NotFound, TaskInfo
from .http_request import Filled, HttpRequest, status_name

if TYPE_CHECKING:
    from .http_stone import HttpStone

TOLD = 300
"""Characters of an answer that are told in a reason."""
LONGEST_PAUSE = 3600.0
"""Seconds of a Retry-After that are believed."""
SHORTEST_SECRET = 4
REFUSED = 401


class HttpCalls:
    """Those of one hook of one task."""

    def __init__(self, stone: HttpStone, task: TaskInfo, given: Mapping[str, Any] | None = None) -> None:
        self._stone, self._task = stone, task
        self._given = dict(given or {})
        """What can be filled in beside parameters, outputs and key."""
        self.outputs: dict[str, Any] = dict(task.outputs)
        self._secrets: set[str] = set()
        for name in stone.secret_parameters():
            self._hide(task.parameters.get(name))
        for value in self._given.values():
            self._hide(value)
        self._origin = stone.origin_of(task)

    def prepare(self, request: HttpRequest) -> None:
        """Whatever can fail before a request is sent: its values and its token."""
        request.filled(self._value)
        self._token()

    def send(self, request: HttpRequest) -> Any:
        """Send one and return its answer, read as JSON where that is of use.

        Raises Fatal, Later, BpmnError and NotFound by its status, NotConnected where nothing was sent, and OSError or
        RuntimeError where nobody can tell whether it was carried out.
        """
        filled = request.filled(self._value)
        answer = self._answered(filled)
        self._task.log(f"{filled.method} {filled.target} was answered with {status_name(answer.status)}")
        if not request.is_expected(answer.status):
            self._refuse(request, answer)
        if not (request.outputs or request.done_when or request.failed_when):
            return None
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise RuntimeError(f"{self._about(request)} was answered with what is no JSON") from error

    def _answered(self, filled: Filled) -> HttpAnswer:
        headers = {"Accept": "application/json", "User-Agent": "riverstone", **filled.headers}
        if filled.method not in ("GET", "HEAD") and self._stone.key_header:
            headers[self._stone.key_header] = self._task.idempotency_key
        token = self._token()
        answer = self._asked(filled, headers, token)
        if answer.status == REFUSED and token:
            # It was taken back before its time, so what was asked has not been done: once more with another.
            answer = self._asked(filled, headers, self._token(not_this=token))
        return answer

    def _asked(self, filled: Filled, headers: dict[str, str], token: str) -> HttpAnswer:
        stone = self._stone
        if token:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        url = self._origin + filled.target
        try:
            return stone.allowed.send(
                filled.method,
                url,
                headers,
                filled.body,
                seconds=stone.limit,
                largest=stone.largest_answer,
            )
        except Invalid as error:
            raise Fatal(error.message) from error

    def _token(self, not_this: str = "") -> str:
        credentials = self._stone.credentials
        if credentials is None:
            return ""
        secret = credentials.secret(self._text)
        self._hide(secret)
        self._hide(credentials.pair(secret, self._text))
        try:
            token = credentials.token(
                self._stone.token_allowed, secret, self._text, self._stone.limit, not_this=not_this
            )
        except Invalid as error:
            raise Fatal(error.message) from error
        self._hide(token)
        return token

    def _refuse(self, request: HttpRequest, answer: HttpAnswer) -> None:
        """Raise what a status means that is no success."""
        stone, status = self._stone, answer.status
        said = self._said(answer.body)
        text = f"{self._about(request)} was answered with {status_name(status)}{f': {said}' if said else '.'}"
        if status in stone.throttled:
            raise Later(self._pause(answer), text)
        if status in stone.absent:
            raise NotFound(text)
        if status in stone.bpmn_errors:
            raise BpmnError(stone.bpmn_errors[status], text)
        if 300 <= status < 400:
            raise Fatal(f"{text} Redirects are not followed.")
        if 400 <= status < 500 and status not in (408, 425):
            raise Fatal(text)
        raise RuntimeError(text)

    def _pause(self, answer: HttpAnswer) -> float:
        """The seconds that Retry-After asks for (RFC 9110, 10.2.3)."""
        told = answer.headers.get("retry-after", "").strip()
        if told.isdecimal() and len(told) < 10:
            seconds = float(told)
        else:
            try:
                seconds = email.utils.parsedate_to_datetime(told).timestamp() - time.time()
            except (ValueError, TypeError, OverflowError):
                seconds = self._stone.pause
        return min(max(seconds, 1.0), LONGEST_PAUSE)

    def _about(self, request: HttpRequest) -> str:
        return f"{request.method} {request.path}"

    def _said(self, body: bytes) -> str:
        """The beginning of an answer, without secrets that it may quote."""
        text = body.decode("utf-8", "replace")
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "*****")
        text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        return text if len(text) <= TOLD else f"{text[:TOLD]}…"

    def _hide(self, secret: object) -> None:
        if not isinstance(secret, str) or len(secret) < SHORTEST_SECRET:
            return
        encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode()
        self._secrets |= {secret, json.dumps(secret)[1:-1], quote_plus(secret), encoded}

    def _text(self, name: str) -> str:
        return str(self._value(name))

    def _value(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        if name == "key":
            return self._task.start_key
        beginning, _, output = name.partition(".")
        if not output:
            return self._task.parameters[name]
        if beginning != "outputs" or output not in self.outputs:
            raise Fatal(f"The task has put out no {output!r}, which the request needs.")
        return self.outputs[output]
