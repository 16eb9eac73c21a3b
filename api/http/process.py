"""``/process``, ``/message`` and ``/signal``: starting, showing, undoing and reaching process instances."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ...engine.views import Explanation, Page, ProcessInstance, ProcessSummary, Task, UndoStep
from ..access.access import present_client
from ..wire.body import JsonBody
from ..wire.operation import Resource, Route, operation, refuse_impossible_ids
from ..wire.records import (
    ExplanationRecord,
    ProcessDetail,
    ProcessPage,
    ProcessRecord,
    SearchPage,
    SignalReceivers,
    SourceRecord,
    TaskDetail,
    UndoStepRecord,
)
from ..wire.schemas import (
    DeleteOptions,
    DeleteQuery,
    InstanceQuery,
    Message,
    PreviewQuery,
    ProcessStart,
    Protection,
    RetryOptions,
    SearchQuery,
    Signal,
    StartHeaders,
    UndoOptions,
    UndoQuery,
)


class Processes(Resource):
    """All process instances."""

    @operation(
        "Start a process",
        ProcessRecord,
        body=JsonBody(ProcessStart),
        headers=StartHeaders,
        problems=(404, 409, 429),
    )
    def post(self, body: dict[str, Any], headers: dict[str, Any]) -> ProcessInstance:
        return self.engine.start(**body, **headers, owner=present_client().owner)

    @operation("List process instances, newest first", ProcessPage, query=InstanceQuery)
    def get(self, query: dict[str, Any]) -> Page[ProcessInstance]:
        return self.processes.instances(**query)


class Search(Resource):
    """Process instances as a list shows them."""

    @operation("Find process instances, newest first", SearchPage, query=SearchQuery)
    def get(self, query: dict[str, Any]) -> Page[ProcessSummary]:
        return self.processes.search(**query)


class Process(Resource):
    """One process instance."""

    @operation("Show a process instance", ProcessRecord, problems=(404,))
    def get(self, process_instance_id: str) -> ProcessInstance:
        return self.processes.get(process_instance_id)


class Detail(Resource):
    """One process instance, beyond its record."""

    @operation("Show all of a process instance but its tasks", ProcessDetail, problems=(404,))
    def get(self, process_instance_id: str) -> SimpleNamespace:
        instance = self.processes.get(process_instance_id)
        tokens = self.processes.tokens(process_instance_id)
        return SimpleNamespace(**{name: getattr(instance, name) for name in instance.__slots__}, tokens=tokens)


class ProcessTasks(Resource):
    """The tasks of one process instance, beyond their records."""

    @operation("List all that is known of the tasks", TaskDetail, many=True, problems=(404,))
    def get(self, process_instance_id: str) -> list[Task]:
        return self.processes.tasks(process_instance_id)


class Why(Resource):
    """Why a process instance stands where it stands."""

    @operation("Explain in sentences why a process stands where it stands", ExplanationRecord, problems=(404,))
    def get(self, process_instance_id: str) -> Explanation:
        return self.processes.why(process_instance_id)


class Source(Resource):
    """What a process instance runs."""

    @operation("Show the BPMN files that a process instance runs", SourceRecord, problems=(404,))
    def get(self, process_instance_id: str) -> dict[str, tuple[str, ...]]:
        return {"files": self.processes.sources(process_instance_id)}


class Cancel(Resource):
    """The cancel of a process instance."""

    @operation(
        "Cancel a running process",
        ProcessRecord,
        body=JsonBody(UndoOptions, required=False),
        query=UndoQuery,
        problems=(404, 409),
    )
    def put(self, process_instance_id: str, body: dict[str, Any], query: dict[str, Any]) -> ProcessInstance:
        return self.processes.cancel(process_instance_id, **merged(body, query))


class Delete(Resource):
    """The removal of what a process instance made."""

    @operation(
        "Delete what a process made",
        ProcessRecord,
        body=JsonBody(DeleteOptions, required=False),
        query=DeleteQuery,
        problems=(404, 409),
    )
    def put(self, process_instance_id: str, body: dict[str, Any], query: dict[str, Any]) -> ProcessInstance:
        return self.processes.delete(process_instance_id, **merged(body, query))


class Retry(Resource):
    """A failed rollback, cancel or delete of a process instance, going on."""

    @operation(
        "Let a failed undo go on",
        ProcessRecord,
        body=JsonBody(RetryOptions, required=False),
        problems=(404, 409),
    )
    def put(self, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
        return self.processes.retry_undo(process_instance_id, **body)


class Protect(Resource):
    """Whether a process instance may be deleted."""

    @operation("Refuse or allow a delete", ProcessRecord, body=JsonBody(Protection), problems=(404, 409))
    def put(self, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
        self.processes.protect(process_instance_id, body["protected"])
        return self.processes.get(process_instance_id)


class Preview(Resource):
    """What an undo would do."""

    @operation("Preview an undo", UndoStepRecord, many=True, query=PreviewQuery, problems=(404, 409))
    def get(self, process_instance_id: str, query: dict[str, Any]) -> list[UndoStep]:
        return self.processes.preview(process_instance_id, query["kind"])


class Messages(Resource):
    """BPMN messages from outside."""

    @operation("Send a message to one waiting process", ProcessRecord, body=JsonBody(Message), problems=(404, 409))
    def post(self, body: dict[str, Any]) -> ProcessInstance:
        if body.get("process_instance_id") is not None:
            refuse_impossible_ids({"process_instance_id": body["process_instance_id"]})
        return self.processes.message(**body)


class Signals(Resource):
    """BPMN signals from outside."""

    @operation("Send a signal to all that wait for it", SignalReceivers, body=JsonBody(Signal))
    def post(self, body: dict[str, Any]) -> dict[str, list[str]]:
        return {"process_instance_ids": self.processes.signal(**body)}


def merged(body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    """The options of both places together: forced if either says so, and all that either wants to retain."""
    options = {**query, **body}
    if "force" in options:
        options["force"] = bool(body.get("force") or query.get("force"))
    if "retain" in options:
        options["retain"] = tuple(dict.fromkeys([*query.get("retain", ()), *body.get("retain", ())]))
    return options


ROUTES: tuple[Route, ...] = (
    ("/process", Processes),
    ("/process/search", Search),
    ("/process/<process_instance_id>", Process),
    ("/process/<process_instance_id>/detail", Detail),
    ("/process/<process_instance_id>/task", ProcessTasks),
    ("/process/<process_instance_id>/source", Source),
    ("/process/<process_instance_id>/why", Why),
    ("/process/<process_instance_id>/cancel", Cancel),
    ("/process/<process_instance_id>/delete", Delete),
    ("/process/<process_instance_id>/retry", Retry),
    ("/process/<process_instance_id>/protection", Protect),
    ("/process/<process_instance_id>/preview", Preview),
    ("/message", Messages),
    ("/signal", Signals),
)
