"""An engine as one owner sees it: process instances of others are as if they were not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..errors import UnknownProcessInstance, UnknownTask
from ..views import Explanation, Page, ProcessInstance, ProcessSummary, Task, Token, UndoStep

if TYPE_CHECKING:
    from ..engine import Engine


class OwnedEngine:
    """The calls of :class:`~.engine.Engine` about processes and tasks, for one ``owner``.

    What is started belongs to the owner; every other call raises Unknown… for what does not.
    """

    def __init__(self, engine: Engine, owner: str) -> None:
        self.engine = engine
        self.owner = owner

    def start(self, **request: Any) -> ProcessInstance:
        """See :meth:`~.engine.Engine.start`; idempotency keys of other owners are other keys."""
        return self.engine.start(**request, owner=self.owner)

    def instances(self, **filters: Any) -> Page[ProcessInstance]:
        return self.engine.instances(**filters, owner=self.owner)

    def search(self, **filters: Any) -> Page[ProcessSummary]:
        return self.engine.search(**filters, owner=self.owner)

    def get(self, process_instance_id: str) -> ProcessInstance:
        return self.engine.get(self._process(process_instance_id))

    def why(self, process_instance_id: str) -> Explanation:
        return self.engine.why(self._process(process_instance_id))

    def tasks(self, process_instance_id: str) -> list[Task]:
        return self.engine.tasks(self._process(process_instance_id))

    def task(self, task_id: str) -> Task:
        return self.engine.task(self._task(task_id))

    def tokens(self, process_instance_id: str) -> list[Token]:
        return self.engine.tokens(self._process(process_instance_id))

    def sources(self, process_instance_id: str) -> tuple[str, ...]:
        return self.engine.sources(self._process(process_instance_id))

    def cancel(self, process_instance_id: str, **options: Any) -> ProcessInstance:
        return self.engine.cancel(self._process(process_instance_id), **options)

    def delete(self, process_instance_id: str, *, force: bool = False, retain: Sequence[str] = ()) -> ProcessInstance:
        return self.engine.delete(self._process(process_instance_id), force=force, retain=retain)

    def retry_undo(self, process_instance_id: str, *, retain: Sequence[str] = ()) -> ProcessInstance:
        return self.engine.retry_undo(self._process(process_instance_id), retain=retain)

    def preview(self, process_instance_id: str, kind: Literal["rollback", "cancel", "delete"]) -> list[UndoStep]:
        return self.engine.preview(self._process(process_instance_id), kind)

    def protect(self, process_instance_id: str, on: bool = True) -> ProcessInstance:
        return self.engine.protect(self._process(process_instance_id), on)

    def rerun(self, task_id: str, parameters: Mapping[str, Any] | None = None) -> Task:
        return self.engine.rerun(self._task(task_id), parameters)

    def resume(self, task_id: str) -> ProcessInstance:
        return self.engine.resume(self._task(task_id))

    def complete(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> Task:
        return self.engine.complete(self._task(task_id), outputs)

    def message(
        self, name: str, payload: Mapping[str, Any] | None = None, *, process_instance_id: str | None = None, **to: Any
    ) -> ProcessInstance:
        if process_instance_id is not None:
            self._process(process_instance_id)
        return self.engine.message(name, payload, process_instance_id=process_instance_id, owner=self.owner, **to)

    def signal(self, name: str, payload: Mapping[str, Any] | None = None) -> list[str]:
        return self.engine.signal(name, payload, owner=self.owner)

    def _process(self, process_instance_id: str) -> str:
        if self.engine.owner_of(process_instance_id) != self.owner:
            raise UnknownProcessInstance(process_instance_id)
        return process_instance_id

    def _task(self, task_id: str) -> str:
        if self.engine.owner_of_task(task_id) != self.owner:
            raise UnknownTask(task_id)
        return task_id
