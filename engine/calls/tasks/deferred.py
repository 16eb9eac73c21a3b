"""The engine's calls for whoever completes a task from outside, by its token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from ... import jsontext
from ...errors import Invalid, Malformed, UnknownTask, UnknownToken
from ...instance.instance import Instance
from ...jsontext import storable
from ...mask import cut
from ...steps.tasks import deferred
from ...steps.tasks.callbacks import Callback, DeferredAnswer
from ...store_errors import engine_errors
from ...work import LONGEST_LOG_LINE, LONGEST_REASON
from ..workings import Workings

CALLBACK = "callback"
"""The output in which the body of a webhook is found."""
MOST_HEADERS = 8192
MOST_FIELDS = 1000
UNSIGNED = frozenset({"authorization", "cookie", "x-api-key"})
"""Headers that sign no body, and are nobody's business later."""


class DeferredCalls(Workings):
    """What a task's own service, or a webhook, tells of a task whose start has deferred it.

    Each call returns whether it has changed anything: what is told once more, or after the task has ended, does no
    harm. Each raises UnknownToken.
    """

    def complete_deferred(self, token: str, outputs: Mapping[str, Any] | None = None) -> bool:
        """Say that the task is done; raises Invalid for outputs that are not JSON or too large."""
        return self._tell(token, DeferredAnswer(result="done", outputs=self._outputs(outputs)))

    def fail_deferred(self, token: str, reason: str = "", *, outputs: Mapping[str, Any] | None = None) -> bool:
        """Say that the task has failed; what it has made so far are its ``outputs``. It is tried again as ever."""
        text = _short(reason) or "It failed outside."
        return self._tell(token, DeferredAnswer(result="failed", outputs=self._outputs(outputs), reason=text))

    def error_deferred(
        self, token: str, code: str, reason: str = "", *, outputs: Mapping[str, Any] | None = None
    ) -> bool:
        """Say that the task ended with a BPMN error, which goes to the event of the model that catches the code."""
        if not code:
            raise Invalid("A BPMN error needs a code.", code="error-code", errors={"code": ["Is missing."]})
        told = DeferredAnswer(
            result="bpmn-error", outputs=self._outputs(outputs), reason=storable(reason), error_code=storable(code)
        )
        return self._tell(token, told)

    def progress_deferred(self, token: str, percent: float, text: str | None = None) -> bool:
        """Say how far the task is, from 0 to 100, with a word for its log."""
        share, line = max(0, min(100, int(percent))), cut(storable(text or ""), LONGEST_LOG_LINE)
        return self._step(token, partial(deferred.progress, percent=share, text=line or None))

    def callback(self, token: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None) -> bool:
        """A webhook's request has come for the task: it is done, and the body is its output ``callback``.

        JSON and forms become objects, anything else a text. Raises Invalid (``signature-invalid``) for one that is not
        signed as the task asks for.
        """
        told = {name.lower(): value for name, value in (headers or {}).items() if name.lower() not in UNSIGNED}
        if sum(len(name) + len(value) for name, value in told.items()) > MOST_HEADERS:
            raise Invalid(f"The headers are over {MOST_HEADERS} bytes.", code="headers-too-large")
        values = self._outputs({CALLBACK: self._body(body, told.get("content-type", ""))})
        return self._tell(
            token, DeferredAnswer(result="done", outputs=values, callback=Callback(body=body, headers=told))
        )

    def task_of_token(self, token: str) -> str:
        """The id of the task that a token is good for, which may have ended, or be no more; raises UnknownToken."""
        return str(self._task_of(token)[0])

    def rotate_token_secret(self) -> None:
        """Make a new secret for the tokens of all tasks to come; those that there are stay valid with their tasks."""
        with engine_errors():
            self._facilities.tokens.rotate()

    def _body(self, body: bytes, media_type: str) -> Any:
        kind = media_type.partition(";")[0].strip().lower()
        if not body:
            return None
        if kind == "application/x-www-form-urlencoded":
            try:
                found = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
            except ValueError:
                raise Malformed(f"The form has more than {MOST_FIELDS} fields: send fewer.") from None
            return {storable(name): _of_form([storable(value) for value in values]) for name, values in found.items()}
        try:
            return jsontext.loads(body, limits=self.limits, name="body")
        except (Invalid, Malformed):
            if kind.endswith("json"):
                raise
        return storable(body.decode(errors="replace"))

    def _outputs(self, outputs: Mapping[str, Any] | None) -> dict[str, Any]:
        values = dict(outputs or {})
        if "" in values:
            raise Invalid("An output needs a name.", code="output-invalid")
        jsontext.check(values, limits=self.limits, name="outputs")
        if values and jsontext.weigh(values, self.limits.output_size) > self.limits.output_size:
            text = f"The outputs are over the limit output_size ({self.limits.output_size} bytes)."
            raise Invalid(text, code="output-too-large")
        return values

    def _tell(self, token: str, told: DeferredAnswer) -> bool:
        return self._step(token, partial(deferred.answer, told=told))

    def _task_of(self, token: str) -> tuple[int, int]:
        with engine_errors():
            found = self._facilities.tokens.task_of(token)
        if found is None:
            raise UnknownToken
        return found

    def _step(self, token: str, action: Callable[[Instance, int, int], bool]) -> bool:
        task_id, generation = self._task_of(token)
        try:
            number = self._instance_of(task_id)
        except UnknownTask as error:
            raise UnknownToken from error
        taken: bool = self._pump.step(lambda turn: action(turn.instance(number), task_id, generation))
        return taken


def _of_form(values: list[str]) -> Any:
    """The value of a form's field: a list where it was given more than once."""
    return values if len(values) > 1 else values[0]


def _short(text: str) -> str:
    return cut(storable(text), LONGEST_REASON)
