"""An engine as one owner sees it: process instances of others are as if they were not there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..errors import UnknownProcessInstance, UnknownTask
from .undo import UndoCalls

Given = ParamSpec("Given")
Found = TypeVar("Found")


def _owned(call: Callable[Concatenate[Any, Given], Found]) -> Callable[Concatenate[OwnedEngine, Given], Found]:
    """A call of the engine that takes an owner, whom nobody gives here, or is about the process or task named first."""
    signature = inspect.signature(call)
    parameters = [each for each in signature.parameters.values() if each.name != "owner"]
    takes_owner = len(parameters) < len(signature.parameters)
    first = parameters[1].name
    ask: Callable[..., Found] = call

    def owned(self: OwnedEngine, /, *given: Any, **options: Any) -> Found:
        if takes_owner:
            if (process_instance_id := options.get("process_instance_id")) is not None:
                self._refuse_strange(process_instance_id=process_instance_id)
            return ask(self.engine, *given, **options, owner=self.owner)
        self._refuse_strange(**{first: given[0] if given else options[first]})
        return ask(self.engine, *given, **options)

    update_wrapper(owned, call)
    vars(owned)["__signature__"] = signature.replace(parameters=parameters)
    return owned


class OwnedEngine:
    """The calls of :class:`~.engine.Engine` about processes and tasks, for one ``owner``.

    What is started belongs to the owner, and idempotency keys of other owners are other keys; every other call raises
    Unknown… for what does not.
    """

    def __init__(self, engine: UndoCalls, owner: str) -> None:
        self.engine = engine
        self.owner = owner

    start = _owned(UndoCalls.start)
    instances = _owned(UndoCalls.instances)
    search = _owned(UndoCalls.search)
    message = _owned(UndoCalls.message)
    signal = _owned(UndoCalls.signal)

    get = _owned(UndoCalls.get)
    wait = _owned(UndoCalls.wait)
    why = _owned(UndoCalls.why)
    tasks = _owned(UndoCalls.tasks)
    decisions_made = _owned(UndoCalls.decisions_made)
    tokens = _owned(UndoCalls.tokens)
    sources = _owned(UndoCalls.sources)
    picture = _owned(UndoCalls.picture)
    cancel = _owned(UndoCalls.cancel)
    delete = _owned(UndoCalls.delete)
    retry_undo = _owned(UndoCalls.retry_undo)
    preview = _owned(UndoCalls.preview)
    protect = _owned(UndoCalls.protect)

    task = _owned(UndoCalls.task)
    rerun = _owned(UndoCalls.rerun)
    resume = _owned(UndoCalls.resume)
    complete = _owned(UndoCalls.complete)

    def _refuse_strange(self, *, process_instance_id: str | None = None, task_id: str | None = None) -> None:
        if process_instance_id is not None and self.engine.owner_of(process_instance_id) != self.owner:
            raise UnknownProcessInstance(process_instance_id)
        if task_id is not None and self.engine.owner_of_task(task_id) != self.owner:
            raise UnknownTask(task_id)
