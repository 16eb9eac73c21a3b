"""From what HTTP answers back to the engine's views and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from ...engine import Finding, errors
from ...engine.stones.declaration import OutputDeclaration, ParameterDeclaration, StoneDeclaration
from ...engine.views import (
    Deployment,
    Explanation,
    Item,
    Model,
    Page,
    ProcessInstance,
    ProcessSummary,
    Task,
    Token,
    UndoStep,
    Wait,
)
from ..errors import Refused, ServerUnavailable

Content = Mapping[str, Any]


def instant(text: str | None) -> datetime | None:
    """A moment in the local time of this machine."""
    return None if text is None else datetime.fromisoformat(text).astimezone()


def moment(text: str) -> datetime:
    """The same where there always is one."""
    return datetime.fromisoformat(text).astimezone()


def process(content: Content) -> ProcessInstance:
    """A ``ProcessDetail``."""
    return ProcessInstance(
        id=content["id"],
        model_key=content["modelKey"],
        process_type=None,
        process_content=content["processContent"],
        activiti_file_id=None,
        outputs=content["outputs"],
        native_outputs=content["nativeOutputs"],
        **_of_summary(content),
    )


def summary(content: Content) -> ProcessSummary:
    """A ``ProcessSummaryRecord``."""
    return ProcessSummary(**_of_summary(content))


def _of_summary(content: Content) -> dict[str, Any]:
    return {
        "process_instance_id": content["processInstanceId"],
        "process_name": content["processName"],
        "key": content["key"],
        "kind": content["kind"],
        "status": content["processStatus"],
        "reason": content["reason"],
        "start_time": moment(content["startedAt"]),
        "end_time": instant(content["endedAt"]),
        "model_id": content["modelId"],
        "deployment_id": content["deploymentId"],
        "business_key": content["businessKey"],
        "origin_process_instance_id": content["originProcessInstanceId"],
        "rollback_process_instance_id": content["rollbackProcessInstanceId"],
        "cancel_process_instance_id": content["cancelProcessInstanceId"],
        "delete_process_instance_id": content["deleteProcessInstanceId"],
        "debug": content["debug"],
        "mock": content["mock"],
        "protected": content["deleteProtection"],
        "paused": content["paused"],
        "owner": content["owner"],
    }


def task(content: Content) -> Task:
    """A ``TaskDetail``."""
    return Task(
        id=content["id"],
        process_instance_id=content["processInstanceId"],
        task_id=content["taskId"],
        name=content["name"],
        namespace=content["namespace"],
        stone=content["stone"],
        element_id=content["elementId"],
        create_time=moment(content["createdAt"]),
        end_time=instant(content["endedAt"]),
        status=content["status"],
        reason=content["reason"],
        parameters=json.loads(content["params"]),
        outputs=json.loads(content["outputs"]),
        progress=content["progress"],
        attempt=content["attempt"],
        kind=content["kind"],
        origin_task_id=content["originTaskId"],
        undo=content["undo"],
        after=tuple(content["after"]),
        log=tuple(content["log"]),
        calls=tuple(content["calls"]),
    )


def undo_step(content: Content) -> UndoStep:
    """An ``UndoStepRecord``."""
    return UndoStep(
        task_id=content["taskId"],
        name=content["name"],
        namespace=content["namespace"],
        stone=content["stone"],
        action=content["action"],
        after=tuple(content["after"]),
    )


def token(content: Content) -> Token:
    """A ``TokenRecord``."""
    waits = (Wait(kind=each["kind"], name=each["name"], due=instant(each["due"])) for each in content["waits"])
    return Token(
        element_id=content["elementId"],
        calls=tuple(content["calls"]),
        scope=content["scope"],
        waits=tuple(waits),
    )


def explanation(content: Content) -> Explanation:
    """An ``ExplanationRecord``."""
    return Explanation(
        process_instance_id=content["processInstanceId"],
        status=content["processStatus"],
        sentences=tuple(content["sentences"]),
        commands=tuple(content["commands"]),
    )


def model(content: Content) -> Model:
    """A ``ModelDetail``, or with an empty ``xml`` a ``ModelRecord``."""
    return Model(
        model_id=content["modelId"],
        key=content["key"],
        name=content["name"],
        created=moment(content["createdAt"]),
        updated=moment(content["updatedAt"]),
        protected=content["deleteProtection"],
        **_content(content),
    )


def deployment(content: Content) -> Deployment:
    """A ``DeploymentDetail``, or with an empty ``xml`` a ``DeploymentRecord``."""
    return Deployment(
        deployment_id=content["deploymentId"],
        model_id=content["modelId"] or "",
        key=content["key"],
        name=content["name"],
        version=content["version"],
        created=moment(content["createdAt"]),
        **_content(content),
    )


def _content(content: Content) -> dict[str, Any]:
    return {
        "xml": content.get("xml", ""),
        "files": tuple(content.get("files", ())),
        "parameter_template": content.get("parameterTemplate"),
        "outputs_template": content.get("outputsTemplate"),
    }


def stone(content: Content) -> StoneDeclaration:
    """A ``StoneRecord``."""
    return StoneDeclaration(
        code=content["code"],
        display_name=content["displayName"],
        description=content["description"],
        parameters=tuple(_parameter(each) for each in content["parameters"]),
        outputs=tuple(OutputDeclaration(**each) for each in content["outputs"]),
        hooks=tuple(content["hooks"]),
        serves=content["serves"],
    )


def _parameter(content: Content) -> ParameterDeclaration:
    allowed = content["allowedValues"]
    return ParameterDeclaration(
        name=content["name"],
        type=content["type"],
        required=content["required"],
        default=content["default"],
        display_name=content["displayName"],
        description=content["description"],
        visible=content["visible"],
        no_echo=content["noEcho"],
        allowed_values=None if allowed is None else tuple(allowed),
    )


def page(content: Content, read: Callable[[Content], Item]) -> Page[Item]:
    """A part of a list."""
    return Page(items=tuple(read(item) for item in content["items"]), cursor=content["cursor"])


UNKNOWN: dict[str, Callable[[str], errors.Unknown]] = {
    errors.UnknownProcessInstance.code: errors.UnknownProcessInstance,
    errors.UnknownTask.code: errors.UnknownTask,
    errors.UnknownModel.code: errors.UnknownModel,
    errors.UnknownDeployment.code: errors.UnknownDeployment,
}


def error(status: int, content: Content, asked_for: str) -> errors.RiverstoneError:
    """The error that a problem (RFC 9457) tells of, as the engine or the server has raised it.

    ``asked_for`` is the path, whose id an unknown one is.
    """
    code, text = str(content.get("code", "")), str(content.get("detail", ""))
    if not code or not text:
        return ServerUnavailable(f"The server answered {status} for {asked_for} with something that is no problem.")
    if code in UNKNOWN:
        _, _, identifier = asked_for.removeprefix("/").partition("/")
        return _saying(UNKNOWN[code](unquote(identifier.partition("/")[0])), text)
    wrong = {field: tuple(texts) for field, texts in (content.get("errors") or {}).items()}
    made: dict[int, Callable[[], errors.RiverstoneError]] = {
        400: lambda: errors.Malformed(text, code=code, errors=wrong),
        401: lambda: Refused(text, status=401, code=code),
        403: lambda: Refused(text, status=403, code=code),
        409: lambda: errors.Conflict(
            text,
            code=code,
            status=content.get("currentStatus"),
            allowed=content.get("allowed") or (),
            related=content.get("relatedProcessInstanceId"),
        ),
        413: lambda: errors.TooLarge(text, limit=""),
        422: lambda: _invalid(code, text, wrong, content.get("findings")),
        429: lambda: errors.LimitExceeded("instances_per_key", text),
        503: lambda: errors.EngineClosed(text) if code == "engine-closed" else errors.StoreUnavailable(text, code=code),
    }
    make = made.get(status)
    return ServerUnavailable(f"The server answered {status}: {text}", code=code) if make is None else make()


def _invalid(
    code: str, text: str, wrong: Mapping[str, tuple[str, ...]], findings: list[dict[str, Any]] | None
) -> errors.RiverstoneError:
    if findings is not None:
        names = {"elementId": "element_id"}
        read = [Finding(**{names.get(name, name): value for name, value in each.items()}) for each in findings]
        return _saying(errors.ModelInvalid(read), text)
    if code == errors.VariablesInvalid.code:
        return _saying(errors.VariablesInvalid(wrong), text)
    if code == errors.ReferenceNotFound.code:
        return errors.ReferenceNotFound("", text)
    if code == errors.ExpressionError.code:
        return errors.ExpressionError(text)
    if code == errors.LimitExceeded.code:
        return errors.LimitExceeded("", text)
    return errors.Invalid(text, code=code, errors=wrong)


def _saying(made: errors.RiverstoneError, text: str) -> errors.RiverstoneError:
    """The error with the server's own words."""
    made.message = text
    made.args = (text,)
    return made
