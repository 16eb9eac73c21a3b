"""The calls of a client about tasks of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from ...engine.views.pages import Page
from ...engine.views.people import InboxCounts, TaskForm, UserTask
from ...models import InboxOrder
from ..wire.members import TIME
from . import reading
from .transport import Transport, part


class PeopleClient:
    """As :attr:`Engine.people`; the person is whom the server takes this client for, and is called ``me``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def inbox(
        self,
        *,
        assignee: str | None = None,
        candidate: str | None = None,
        groups: Sequence[str] = (),
        assigned: bool | None = None,
        process_instance_id: str | None = None,
        key: str | None = None,
        text: str | None = None,
        due_before: datetime | None = None,
        sort: InboxOrder = "created",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[UserTask]:
        """Open tasks of people, as :meth:`~riverstone.engine.Engine.people` lists them.

        ``assignee`` and ``candidate`` may be ``me``; ``me`` among the ``groups`` is every group of who asks.
        """
        query: dict[str, Any] = {
            "kind": "user",
            "assignee": assignee,
            "candidate": candidate,
            "group": list(groups) or None,
            "assigned": None if assigned is None else str(assigned).lower(),
            "processInstanceId": process_instance_id,
            "key": key,
            "text": text,
            "dueBefore": None if due_before is None else due_before.astimezone().strftime(TIME),
            "sort": sort,
            "limit": limit,
            "cursor": cursor,
        }
        return reading.user_tasks(self._transport.get("/task", **query))

    def task(self, task_id: str) -> UserTask:
        """One task of a person, open or not; raises UnknownTask."""
        return reading.user_task(self._transport.get(f"/task/{part(task_id)}/user"))

    def form(self, task_id: str, values: Mapping[str, Any] | None = None) -> TaskForm:
        """One task with what it asks for, and how that stands with other values. Raises UnknownTask, Invalid."""
        path = f"/task/{part(task_id)}/form"
        if values is None:
            return reading.task_form(self._transport.get(path))
        return reading.task_form(self._transport.send("POST", path, body={"values": dict(values)}, harmless=True))

    def claim(self, task_id: str) -> UserTask:
        """Take a task. Raises UnknownTask, Refused, and Conflict where somebody else has it."""
        return self._act(task_id, "claim")

    def release(self, task_id: str) -> UserTask:
        """Give a task back. Raises UnknownTask, Refused."""
        return self._act(task_id, "release")

    def assign(self, task_id: str, to: str) -> UserTask:
        """Say whose a task is, as who oversees its process. Raises UnknownTask, Refused, Invalid."""
        return self._act(task_id, "assign", {"assignee": to})

    def delegate(self, task_id: str, to: str) -> UserTask:
        """Hand on a task that one has. Raises UnknownTask, Refused, Invalid."""
        return self._act(task_id, "delegate", {"assignee": to})

    def schedule(
        self,
        task_id: str,
        *,
        due: datetime | Literal["same"] | None = "same",
        follow_up: datetime | Literal["same"] | None = "same",
        priority: int | Literal["same"] = "same",
    ) -> UserTask:
        """Say when a task is due, when it is taken up, and how it ranks. Raises UnknownTask, Refused, Invalid."""
        dates = {"dueAt": due, "followUpAt": follow_up}
        body: dict[str, Any] = {
            name: None if when is None else when.astimezone().isoformat()
            for name, when in dates.items()
            if when != "same"
        }
        return self._act(task_id, "schedule", body if priority == "same" else {**body, "priority": priority})

    def counts(self) -> InboxCounts:
        """How many open tasks there are for whom the server takes this client for; at most 100 of each list."""
        return reading.inbox_counts(self._transport.get("/task/count"))

    def complete(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> UserTask:
        """Say that a task is done. Raises UnknownTask, Refused, Conflict, Invalid by field."""
        self._transport.send("PUT", f"/task/{part(task_id)}/complete", body={"outputs": dict(outputs or {})})
        return self.task(task_id)

    def _act(self, task_id: str, what: str, body: Mapping[str, Any] | None = None) -> UserTask:
        return reading.user_task(self._transport.send("PUT", f"/task/{part(task_id)}/{what}", body=body))
