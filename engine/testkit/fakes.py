"""Stones that do nothing in the world, in place of those that would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...models.vocabulary import HOOKS
from ..errors import Invalid
from ..stones.hooks.task_info import TaskInfo
from ..stones.stone import Stone

Hook = Callable[[TaskInfo], Any]
Outputs = Mapping[str, Any] | Callable[[TaskInfo], Mapping[str, Any]]


def fake_of(
    stone: type[Stone] | str, outputs: Outputs | None, hooks: Mapping[str, Hook], *, declared: Iterable[str] = ()
) -> type[Stone]:
    """A stone with the declarations of another, or of this code, whose hooks do nothing but those given.

    Its ``start`` puts out ``outputs`` and, for each further declared one, the text ``namespace.name``. It has the hooks
    that the other has; one of a code alone has start, rollback, cancel and delete. Raises Invalid for no hook.
    """
    wrong = [name for name in hooks if name not in HOOKS]
    if wrong:
        raise Invalid(f"A stone has no hook {wrong[0]!r}: use one of {', '.join(HOOKS)}.", code="stone-hook")
    members: dict[str, Any] = {}
    declared = tuple(declared)
    if isinstance(stone, str):
        members["code"], name = stone, "Fake"
        events = {"start", "rollback", "cancel", "delete"}
    else:
        members.update({attribute: getattr(stone, attribute) for attribute in Stone.__annotations__})
        members["__doc__"], name = stone.__doc__, stone.__name__
        declared = (*stone.outputs, *declared)
        events = {"start", *(event for event in HOOKS if stone.has(event))}

    def put_out(task: TaskInfo) -> None:
        values = outputs(task) if callable(outputs) else outputs or {}
        task.add_outputs({output: f"{task.namespace}.{output}" for output in declared} | dict(values))

    for event in events | hooks.keys():
        given = hooks.get(event)
        members[event] = _hook(event, put_out if given is None and event in ("start", "mock") else given)
    return type(name, (Stone,), members)


def _hook(event: str, action: Hook | None) -> Callable[[Stone, TaskInfo], Any]:
    def hook(self: Stone, task: TaskInfo) -> Any:
        if action is None:
            return event == "monitor" or None
        return action(task)

    return hook
