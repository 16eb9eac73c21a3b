"""``/task``: showing tasks, running failed ones again, and completing those of people."""

from __future__ import annotations

from typing import Any

from ...engine import views
from ..wire.body import JsonBody
from ..wire.operation import Resource, Route, operation, refuse_impossible_ids
from ..wire.records import ProcessRecord, TaskDetail, TaskRecord
from ..wire.schemas import Completion, Rerun, TaskQuery


class Tasks(Resource):
    """The tasks of one process instance."""

    @operation("List the tasks of a process instance", TaskRecord, many=True, query=TaskQuery, problems=(404,))
    def get(self, query: dict[str, Any]) -> list[views.Task]:
        refuse_impossible_ids(query)
        return self.processes.tasks(query["process_instance_id"])


class Task(Resource):
    """One task."""

    @operation("Show a task", TaskRecord, problems=(404,))
    def get(self, task_id: str) -> views.Task:
        return self.processes.task(task_id)


class DetailedTask(Resource):
    """One task, beyond its record."""

    @operation("Show all that is known of a task", TaskDetail, problems=(404,))
    def get(self, task_id: str) -> views.Task:
        return self.processes.task(task_id)


class RerunTask(Resource):
    """A failed task of a process in debug mode, run again."""

    @operation("Run a failed task again", TaskRecord, body=JsonBody(Rerun, required=False), problems=(404, 409))
    def put(self, task_id: str, body: dict[str, Any]) -> views.Task:
        return self.processes.rerun(task_id, body.get("parameters"))


class ResumeTask(Resource):
    """A failed task of a process in debug mode, given up."""

    @operation("Leave debugging: the process fails and rolls back", ProcessRecord, problems=(404, 409))
    def put(self, task_id: str) -> views.ProcessInstance:
        return self.processes.resume(task_id)


class CompleteTask(Resource):
    """A user task, done."""

    @operation("Complete a user task", TaskRecord, body=JsonBody(Completion, required=False), problems=(404, 409))
    def put(self, task_id: str, body: dict[str, Any]) -> views.Task:
        return self.processes.complete(task_id, body.get("outputs"))


ROUTES: tuple[Route, ...] = (
    ("/task", Tasks),
    ("/task/<task_id>", Task),
    ("/task/<task_id>/detail", DetailedTask),
    ("/task/<task_id>/reRun", RerunTask),
    ("/task/<task_id>/resume", ResumeTask),
    ("/task/<task_id>/complete", CompleteTask),
)
