"""The calls of a client about models, their versions and drafts, decisions and stones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine import jsontext
from ...engine.authoring.model_views import Deployment, Draft, Model
from ...engine.authoring.sources import Source, Template, read_source, template_text
from ...engine.bpmn.running.timers.cycles import TimerKind
from ...engine.errors import Invalid, Malformed, UnknownDeployment
from ...engine.findings import Finding
from ...engine.stones.declarations.declaration import StoneDeclaration
from ...engine.views.decisions import Decision, DecisionResult
from ...engine.views.pages import Page
from ...engine.views.people import StartForm
from ...engine.views.processes import NextTimes, SuspendedKey, SuspendedStone
from ...models.vocabulary import Hook
from . import reading
from .processes import ProcessCalls
from .transport import Files, part


class ModelCalls(ProcessCalls):
    """A part of :class:`.client.Client`."""

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
        strict: bool = False,
        external: bool = False,
        on_failure: str | None = None,
        undo_on_compensation: bool = False,
    ) -> Deployment:
        files = _files((source, *more), name, parameter_template, outputs_template)
        query = {
            "deleteProtection": _flag(protected),
            "strict": _flag(strict or None),
            "external": _flag(external or None),
            "onFailure": on_failure,
            "undoOnCompensation": _flag(undo_on_compensation or None),
        }
        found = self._transport.send("POST", "/deployment", files=files, query=query, harmless=True)
        return self.deployment(found["deploymentId"])

    def save_model(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
    ) -> Model:
        files = _files((source, *more), name, parameter_template, outputs_template)
        method, path = ("POST", "/model") if model_id is None else ("PUT", f"/model/{part(model_id)}")
        query = {"deleteProtection": _flag(protected)}
        found = self._transport.send(method, path, files=files, query=query, harmless=model_id is not None)
        return self.model(found["modelId"])

    def lint(
        self,
        source: Source,
        *more: Source,
        parameter_template: Template = None,
        outputs_template: Template = None,
        strict: bool = False,
        external: bool = False,
    ) -> list[Finding]:
        files = _files((source, *more), None, parameter_template, outputs_template)
        query = {"strict": _flag(strict or None), "external": _flag(external or None)}
        found = self._transport.send("POST", "/finding", files=files, query=query, harmless=True)
        return [reading.finding(each) for each in found]

    def lint_model(self, model_id: str, *, strict: bool = False) -> list[Finding]:
        found = self._transport.get(f"/model/{part(model_id)}/finding", strict=_flag(strict or None))
        return [reading.finding(each) for each in found]

    def write_draft(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        revision: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        who: str | None = None,
    ) -> Draft:
        """As the engine's; who draws is whom the server takes this client for, whatever is given."""
        files = _files((source, *more), name, parameter_template, outputs_template)
        method, path = ("POST", "/draft") if model_id is None else ("PUT", f"/model/{part(model_id)}/draft")
        return reading.draft(self._transport.send(method, path, files=files, headers=_matching(revision)))

    def draft(self, model_id: str) -> Draft:
        return reading.draft(self._transport.get(f"/model/{part(model_id)}/draft"))

    def drafts(self, *, limit: int = 50, cursor: str | None = None) -> Page[Draft]:
        """As the engine's, without content, which :meth:`draft` has."""
        return reading.page(self._transport.get("/draft", limit=limit, cursor=cursor), reading.draft)

    def save_draft(self, model_id: str, *, revision: str | None = None, replace: bool = False) -> Model:
        path, query = f"/model/{part(model_id)}/draft/save", {"replace": _flag(replace or None)}
        found = self._transport.send("POST", path, query=query, headers=_matching(revision))
        return self.model(found["modelId"])

    def discard_draft(self, model_id: str, *, revision: str | None = None) -> Draft:
        """As the engine's; without the content of what is gone."""
        path = f"/model/{part(model_id)}/draft"
        return reading.draft(self._transport.send("DELETE", path, headers=_matching(revision)))

    def deploy_model(
        self,
        model_id: str,
        *,
        strict: bool = False,
        on_failure: str | None = None,
        undo_on_compensation: bool = False,
    ) -> Deployment:
        path = f"/model/{part(model_id)}/deployment"
        query = {
            "strict": _flag(strict or None),
            "onFailure": on_failure,
            "undoOnCompensation": _flag(undo_on_compensation or None),
        }
        found = self._transport.send("POST", path, query=query, harmless=True)
        return self.deployment(found["deploymentId"])

    def protect_model(self, model_id: str, on: bool = True) -> Model:
        path = f"/model/{part(model_id)}/protection"
        self._transport.send("PUT", path, body={"deleteProtection": on}, harmless=True)
        return self.model(model_id)

    def start_form(
        self,
        *,
        key: str | None = None,
        deployment_id: str | None = None,
        model_id: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> StartForm:
        """As the engine's; for a key the server is asked for its newest deployment first."""
        if [key, deployment_id, model_id].count(None) != 2:
            raise Malformed("Give exactly one of key, deployment_id and model_id.", code="start-ids")
        if key is not None:
            newest = self.deployments(key=key, limit=1).items
            if not newest:
                raise UnknownDeployment(key, key=True)
            deployment_id = newest[0].deployment_id
        path = (
            f"/model/{part(model_id)}/form" if model_id is not None else f"/deployment/{part(str(deployment_id))}/form"
        )
        if values is None:
            return reading.start_form(self._transport.get(path))
        return reading.start_form(self._transport.send("POST", path, body={"values": dict(values)}, harmless=True))

    def next_times(self, kind: TimerKind, text: str) -> NextTimes:
        return reading.next_times(self._transport.get("/timer", kind=kind, text=text))

    def remove_model(self, model_id: str) -> Model:
        """As the engine's; without the content of what is gone."""
        return reading.model(self._transport.send("DELETE", f"/model/{part(model_id)}"))

    def remove_deployment(self, deployment_id: str) -> Deployment:
        """As the engine's; without the content of what is gone."""
        return reading.deployment(self._transport.send("DELETE", f"/deployment/{part(deployment_id)}"))

    def model(self, model_id: str) -> Model:
        return reading.model(self._transport.get(f"/model/{part(model_id)}"))

    def models(self, *, limit: int = 50, cursor: str | None = None, key: str | None = None) -> Page[Model]:
        """As the engine's, without content: no ``xml``, ``files`` and templates, which :meth:`model` has."""
        return reading.page(self._transport.get("/model", limit=limit, cursor=cursor, key=key), reading.model)

    def deployment(self, deployment_id: str) -> Deployment:
        return reading.deployment(self._transport.get(f"/deployment/{part(deployment_id)}"))

    def deployments(
        self, *, limit: int = 50, cursor: str | None = None, key: str | None = None, model_id: str | None = None
    ) -> Page[Deployment]:
        """As the engine's, without content, as :meth:`models`."""
        found = self._transport.get("/deployment", limit=limit, cursor=cursor, key=key, modelId=model_id)
        return reading.page(found, reading.deployment)

    def decisions(self, *, limit: int = 50, cursor: str | None = None) -> Page[Decision]:
        return reading.decisions(self._transport.get("/decision", limit=limit, cursor=cursor))

    def decide(
        self,
        decision_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        version_tag: str | None = None,
        deployment_id: str | None = None,
    ) -> DecisionResult:
        body = {"variables": dict(variables or {})}
        path = f"/decision/{part(decision_id)}/evaluate"
        query = {"version": version, "versionTag": version_tag, "deploymentId": deployment_id}
        given = {name: value for name, value in query.items() if value is not None}
        return reading.decision_result(self._transport.send("POST", path, body=body, query=given, harmless=True))

    def stones_declared(self) -> tuple[StoneDeclaration, ...]:
        return tuple(reading.stone(each) for each in self._transport.get("/stone"))

    def suspend_stone(self, code: str, *, reason: str | None = None, who: str | None = None) -> SuspendedStone:
        """As of the engine; who has done it is whom the server takes this client for, whatever is given."""
        body = {"code": code, "reason": reason}
        return reading.suspended_stone(self._transport.send("PUT", "/stone/suspend", body=body))

    def unsuspend_stone(self, code: str) -> None:
        self._transport.send("PUT", "/stone/unsuspend", body={"code": code})

    def suspended_stones(self) -> tuple[SuspendedStone, ...]:
        return tuple(reading.suspended_stone(each) for each in self._transport.get("/stone/suspended"))

    def suspend_key(self, key: str, *, reason: str | None = None, who: str | None = None) -> SuspendedKey:
        """As of the engine; who has done it is whom the server takes this client for, whatever is given."""
        body = {"key": key, "reason": reason}
        return reading.suspended_key(self._transport.send("PUT", "/key/suspend", body=body))

    def unsuspend_key(self, key: str, *, who: str | None = None) -> None:
        """As of the engine; who has done it is whom the server takes this client for, whatever is given."""
        self._transport.send("PUT", "/key/unsuspend", body={"key": key})

    def suspended_keys(self) -> tuple[SuspendedKey, ...]:
        return tuple(reading.suspended_key(each) for each in self._transport.get("/key/suspended"))

    def declare_stone(
        self,
        code: str,
        *,
        hooks: Sequence[Hook] = ("start",),
        parameters: Sequence[Mapping[str, Any]] = (),
        outputs: Mapping[str, str] | None = None,
        display_name: str = "",
        description: str = "",
        monitor_interval: float = 5.0,
        grace: float = 240.0,
    ) -> None:
        body: dict[str, Any] = {"code": code, "hooks": [*hooks], "parameters": [dict(each) for each in parameters]}
        for each in body["parameters"]:
            if "no_echo" in each:
                each["noEcho"] = each.pop("no_echo")
        body |= {"outputs": dict(outputs or {}), "monitorInterval": monitor_interval, "grace": grace}
        body |= {name: text for name, text in (("displayName", display_name), ("description", description)) if text}
        self._transport.send("POST", "/stone", body=body, harmless=True)


def _files(sources: Sequence[Source], name: str | None, *templates: Template) -> Files:
    """The parts of an upload."""
    fields: list[tuple[str, tuple[str, bytes, str]]] = []
    for source in sources:
        content, file_name = read_source(source)
        fields.append(("bpmn", (file_name or "model.bpmn", content, "application/xml")))
    for field, template in zip(("parameterTemplate", "outputsTemplate"), templates, strict=True):
        text = template_text(template)
        if text is not None:
            fields.append((field, (f"{field}.json", text.encode(), "application/json")))
    if name is not None:
        fields.append(("name", ("name.txt", name.encode(), "text/plain")))
    if not sources:
        raise Invalid("There is no file to send.", code="fields-invalid")
    return fields


def _matching(revision: str | None) -> dict[str, str] | None:
    """The header that names which draft was read."""
    return None if revision is None else {"If-Match": f'"{revision}"'}


def _flag(value: bool | None) -> str | None:
    return None if value is None else jsontext.dumps(value)
