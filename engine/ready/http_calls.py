"""The requests of one call of a hook: filled in, sent with a token if need be, and their answers sorted."""

from __future__ import annotations

import base64
import email.utils
import json
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from .. import BpmnError, Fatal, HttpAnswer, Invalid, Later, NotConnected, NotFound, TaskInfo
from .http_request import MISSING, Filled, HttpRequest, is_empty

if TYPE_CHECKING:
    from .http_stone import HttpStone

TOLD = 300
"""Characters of an answer that are told in a reason."""
LONGEST_PAUSE = 3600.0
"""Seconds of a Retry-After that are believed."""
SHORTEST_SECRET = 4
REFUSED = 401
TIMED_OUT = 408
TOO_EARLY = 425


class HttpCalls:
    """Those of one hook of one task."""

    def __init__(self, stone: HttpStone, task: TaskInfo, given: Mapping[str, Any] | None = None) -> None:
        self._stone, self._task = stone, task
        self._given = dict(given or {})
        """What can be filled in beside parameters, outputs and key."""
        self.outputs: dict[str, Any] = {}
        self.may_be_done = False
        """Whether what was sent last may have been carried out, whatever came back."""
        self._secrets: set[str] = set()
        for name in stone.secret_parameters():
            self._hide(task.parameters.get(name))
        for value in self._given.values():
            self._hide(value)
        self._origin = stone.origin_of(task)
        self.know(task.outputs)

    def know(self, outputs: Mapping[str, Any]) -> None:
        """Fill in these too, and tell those of them that are secret to nobody."""
        self.outputs.update(outputs)
        for name in self._stone.secret_outputs:
            self._hide(outputs.get(name))

    def prepare(self, request: HttpRequest) -> None:
        """Whatever can fail before the thing is made: the values of that request and its token."""
        request.filled(self._value, makes=True)
        self._token()

    def send(self, request: HttpRequest, *, makes: bool = False) -> Any:
        """Send one and return its answer, read as JSON where that is of use.

        Args:
            request: What is sent.
            makes: Whether it makes the thing. That something is not there says of any other that the thing is gone.

        Raises:
            Fatal: For values that do not fit, a refusal, and a redirect.
            Later: For a status that asks for patience.
            BpmnError: For one of which the model is to hear.
            NotFound: For one that says that the thing is not there.
            NotConnected: Nothing was sent.
            OSError: The connection failed, or the time was over.
            RuntimeError: The answer is any other, or cannot be read.
        """
        self.may_be_done = False
        filled = request.filled(self._value, makes=makes)
        answer = self._answered(filled)
        self._task.log(f"{filled.method} {filled.target} was answered with {answer.status_name}")
        if not request.is_expected(answer.status):
            self._refuse(request, answer, makes)
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
        self.may_be_done = True
        try:
            answer = stone.allowed.send(
                filled.method,
                url,
                headers,
                filled.body,
                seconds=stone.limit,
                largest=stone.largest_answer,
            )
        except NotConnected:
            self.may_be_done = False
            raise
        except Invalid as error:
            self.may_be_done = False
            raise Fatal(error.message) from error
        except OSError:
            raise
        except HTTPException as error:
            # Its text quotes the answer, which may quote the token.
            raise RuntimeError(f"{filled.method} was answered with what is no HTTP ({type(error).__name__})") from error
        self.may_be_done = not self._is_refusal(answer)
        return answer

    def _is_refusal(self, answer: HttpAnswer) -> bool:
        """Whether it says for certain that nothing was carried out.

        A proxy says 503 also where it has handed a request on and lost the answer, but then without a Retry-After.
        """
        if 400 <= answer.status < 500:
            return answer.status != TIMED_OUT
        return answer.status in self._stone.throttled and "retry-after" in answer.headers

    def _token(self, not_this: str = "") -> str:
        credentials = self._stone.credentials
        if credentials is None:
            return ""
        secret = credentials.secret(self._text)
        self._hide(secret)
        self._hide(credentials.pair(secret, self._text))
        token = credentials.token(self._stone.token_allowed, secret, self._text, self._stone.limit, not_this=not_this)
        self._hide(token)
        return token

    def _refuse(self, request: HttpRequest, answer: HttpAnswer, makes: bool) -> None:
        """Raise what a status means that is no success."""
        stone, status = self._stone, answer.status
        said = self._said(answer.body)
        text = f"{self._about(request)} was answered with {answer.status_name}{f': {said}' if said else '.'}"
        if makes and status in stone.bpmn_errors:
            raise BpmnError(stone.bpmn_errors[status], text)
        if status in stone.throttled:
            raise Later(self._pause(answer), text)
        if status in stone.absent and not makes:
            raise NotFound(text)
        if status in stone.bpmn_errors:
            raise BpmnError(stone.bpmn_errors[status], text)
        if 300 <= status < 400:
            raise Fatal(f"{text} Redirects are not followed.")
        if 400 <= status < 500 and status not in (TIMED_OUT, TOO_EARLY):
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
        in_json = json.dumps(secret)[1:-1]
        # Some escape a slash in JSON, and some a space in a form as in an address.
        self._secrets |= {secret, in_json, in_json.replace("/", "\\/"), encoded}
        self._secrets |= {quote_plus(secret), quote(secret), quote(secret, safe="")}

    def _text(self, name: str) -> str:
        value = self._value(name)
        if is_empty(value):
            raise Fatal(f"The value of {{{name}}} is empty, and without it there is no token.")
        return str(value)

    def _value(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        if name == "key":
            return self._task.start_key
        beginning, _, output = name.partition(".")
        if not output:
            return self._task.parameters.get(name, MISSING)
        if beginning != "outputs" or output not in self.outputs:
            raise Fatal(f"The task has put out no {output!r}, which the request needs.")
        return self.outputs[output]
