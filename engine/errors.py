"""Every error that leaves the engine.

RiverstoneError
├── Malformed                    the input cannot be read at all (400)
├── Unknown                      no such thing (404)
│   ├── UnknownProcessInstance
│   ├── UnknownTask
│   ├── UnknownModel
│   ├── UnknownDeployment
│   ├── UnknownDraft
│   └── UnknownBatch
├── NotAllowed                   a person may not do this (403)
├── Conflict                     the state does not allow it (409)
├── TooLarge                     over a limit of size (413)
├── Invalid                      well-formed, but wrong (422)
│   ├── ModelInvalid             carries the findings of the checks
│   └── VariablesInvalid         carries every wrong field
├── ExpressionError              an expression cannot be compiled or evaluated
│   ├── ReferenceNotFound        a reference finds nothing
│   └── ExpressionWork           one turn looks at more than it may
├── LimitExceeded                a named limit was breached while running
├── StoreUnavailable             the database does not answer (503)
│   └── OutcomeUnknown           it may have taken the change, or not
├── InternalError                a defect of the engine: its log has it under the id that the text names (500)
├── WaitTimeout                  ``Engine.wait`` ran out of time
└── EngineClosed                 the engine was closed

BpmnError                        raised by a stone: a business error for an error event
NotFound                         raised by a stone's undo hook: already gone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .findings import Finding


LONGEST_SHOWN = 255


class RiverstoneError(Exception):
    """Root of what the engine raises; ``code`` is stable, the text is one sentence that says what to do."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Malformed(RiverstoneError):
    """The input cannot be read: broken XML, broken JSON, a wrong combination of arguments."""

    code = "malformed"

    def __init__(
        self, message: str, *, code: str | None = None, errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.errors = {field: list(texts) for field, texts in (errors or {}).items()}


class Unknown(RiverstoneError):
    """Nothing has this id."""

    code = "unknown"

    def __init__(self, identifier: str, message: str) -> None:
        # What is no id of anything can be any length.
        super().__init__(
            message
            if len(identifier) <= LONGEST_SHOWN
            else message.replace(repr(identifier), repr(f"{identifier[:LONGEST_SHOWN]}…"), 1)
        )
        self.identifier = identifier


class UnknownProcessInstance(Unknown):
    """No process instance has this id."""

    code = "unknown-process-instance"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No process instance has the id {identifier!r}.")


class UnknownToken(Unknown):
    """No task has this token: it is forged, or its task was purged."""

    code = "unknown-token"

    def __init__(self) -> None:
        super().__init__("", "No task has this token: it is wrong, or the task is no more.")


class UnknownTask(Unknown):
    """No task has this id."""

    code = "unknown-task"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No task has the id {identifier!r}.")


class UnknownStone(Unknown):
    """No stone has this code, and no process has used it."""

    code = "unknown-stone"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No stone has the code {identifier!r}, and no process has used it.")


class UnknownModel(Unknown):
    """No model has this id."""

    code = "unknown-model"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No model has the id {identifier!r}.")


class UnknownDraft(Unknown):
    """No draft has the id of this model."""

    code = "unknown-draft"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No draft has the id {identifier!r}: nothing is drawn that was not saved.")


class UnknownDeployment(Unknown):
    """No deployment has this id or key."""

    code = "unknown-deployment"

    def __init__(self, identifier: str, *, key: bool = False) -> None:
        what = "key" if key else "id"
        super().__init__(identifier, f"No deployment has the {what} {identifier!r}: deploy the model first.")


class UnknownBatch(Unknown):
    """No batch has this id."""

    code = "unknown-batch"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No batch has the id {identifier!r}.")


class UnknownDecision(Unknown):
    """No deployment holds a decision with this id."""

    code = "unknown-decision"

    def __init__(self, identifier: str, which: str = "") -> None:
        """``which`` is the version that is meant, in words."""
        text = f"No deployment holds the decision {identifier!r}{which}: deploy the DMN file with it first."
        super().__init__(identifier, text)


class NotAllowed(RiverstoneError):
    """Whoever asks may not do this, though others may; nothing was changed."""

    code = "not-allowed"


class Conflict(RiverstoneError):
    """The present state does not allow the request; nothing was changed."""

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: str | None = None,
        allowed: Sequence[str] = (),
        related: str | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.allowed = tuple(allowed)
        self.related = related


class TooLarge(RiverstoneError):
    """The input is over a limit of size, named by ``limit``."""

    code = "too-large"

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class Invalid(RiverstoneError):
    """The input is well-formed but wrong; ``errors`` lists the texts by field."""

    code = "invalid"

    def __init__(
        self, message: str, *, code: str | None = None, errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.errors = {field: list(texts) for field, texts in (errors or {}).items()}


class ModelInvalid(Invalid):
    """A BPMN file cannot be deployed; ``findings`` says why, element by element."""

    code = "model-invalid"

    def __init__(self, findings: Sequence[Finding]) -> None:
        wrong = [finding for finding in findings if finding.severity == "error"]
        errors: dict[str, list[str]] = {}
        for finding in wrong:
            errors.setdefault(finding.element_id or "model", []).append(finding.text)
        first = wrong[0].text if wrong else "the model has no process that can run."
        more = f" Its findings list {len(wrong) - 1} more errors." if len(wrong) > 2 else ""
        more = " Its findings list 1 more error." if len(wrong) == 2 else more
        super().__init__(f"The model cannot be deployed: {first}{more}", errors=errors)
        self.findings = tuple(findings)


class VariablesInvalid(Invalid):
    """The start variables break the form of the model's start event or its parameter template.

    Every wrong field is listed.
    """

    code = "variables-invalid"

    def __init__(self, errors: Mapping[str, Sequence[str]], broken: str = "the model's parameter template") -> None:
        fields = ", ".join(sorted(errors))
        super().__init__(f"The variables do not fit {broken}: {fields}.", errors=errors)


class ExpressionError(RiverstoneError):
    """An expression cannot be compiled or evaluated."""

    code = "expression"

    def reworded(self, text: str) -> ExpressionError:
        """The error with more in its text; that a turn has looked at too much stays what it is."""
        return ExpressionError(text)


class ReferenceNotFound(ExpressionError):
    """A reference such as ``${outputs.server.id}`` finds nothing."""

    code = "reference-not-found"

    def __init__(self, path: str, message: str | None = None) -> None:
        super().__init__(message or f"The reference ${{{path}}} finds nothing.")
        self.path = path


class ExpressionWork(ExpressionError):
    """More was looked at than ``turn_work`` or ``step_work`` allows, the last of it in an expression."""

    code = "limit-exceeded"

    def __init__(self, name: str, limit: int, message: str | None = None) -> None:
        unit = "turn" if name == "turn_work" else "step"
        text = f"this {unit} looks at more than {name} ({limit}) allows: do less in one {unit}, or do it in a stone"
        super().__init__(message or text)
        self.name = name
        self.limit = limit

    def reworded(self, text: str) -> ExpressionError:
        return ExpressionWork(self.name, self.limit, text)


class LimitExceeded(RiverstoneError):
    """A running process instance breached the limit named by ``limit``."""

    code = "limit-exceeded"

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class StoreUnavailable(RiverstoneError):
    """The database did not answer; nothing was acknowledged, so the request can be sent again."""

    code = "store-unavailable"


class OutcomeUnknown(StoreUnavailable):
    """The database was told to take a change and did not say whether it did; a start's idempotency key tells later."""

    code = "outcome-unknown"

    def __init__(self, message: str | None = None) -> None:
        text = (
            "The database did not say whether it took the change, so it may be done or not: look before you ask again."
            " A start, a message and a signal can be sent again with the same idempotency key."
        )
        super().__init__(message or text)


class InternalError(RiverstoneError):
    """The engine met an error that nobody foresaw; nothing was changed, and its log has it under an id in the text."""

    code = "internal-error"


class WaitTimeout(RiverstoneError):
    """The process instance had not ended within the time given to ``Engine.wait``."""

    code = "wait-timeout"


class EngineClosed(RiverstoneError):
    """The engine was closed and takes nothing new."""

    code = "engine-closed"


class BpmnError(Exception):
    """Raised by a stone: the business error that an error event with this ``error_code`` catches (BPMN 2.0, 10.5.1)."""

    def __init__(self, error_code: str, message: str = "") -> None:
        super().__init__(message or f"BPMN error {error_code}")
        self.error_code = error_code
        self.message = message


class Fatal(Exception):
    """Raised by a hook: trying again is of no use, so its task fails whatever retries it has left."""


class Later(Exception):
    """Raised by a hook: it cannot be done now, as where a cloud throttles; it is called again after some seconds.

    No attempt is used up by it, and the idempotency key stays.
    """

    def __init__(self, seconds: float, message: str = "") -> None:
        super().__init__(message or "not now")
        self.seconds = seconds
        self.message = message or "not now"


class NotFound(Exception):
    """Raised by a stone's ``rollback``, ``cancel`` or ``delete``: the thing is already gone, which is success."""
