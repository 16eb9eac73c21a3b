"""What can be seen to be wrong in a stone without calling it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import fields, missing

from ...models.vocabulary import HOOKS, UNDO_KINDS
from ..stones.declarations.schema import default_of
from ..stones.stone import Stone


def wrong_in_declaration(stone: type[Stone]) -> list[str]:
    """One sentence for each flaw."""
    return [*_class(stone), *_parameters(stone), *_outputs(stone), *_times(stone)]


def _class(stone: type[Stone]) -> Iterator[str]:
    if not str(stone.code or "").strip():
        yield "it has no code: set the class attribute 'code'"
    try:
        stone()
    except Exception as error:
        yield f"it cannot be made without arguments ({type(error).__name__}: {error}), as the engine does for each call"
    for hook in HOOKS:
        try:
            _signature(getattr(stone, hook)).bind(None, None)
        except (TypeError, ValueError):
            yield f"its hook {hook} does not take exactly one task"
    made = stone.has("start") or stone.has("monitor")
    if not made and any(stone.has(event) for event in UNDO_KINDS):
        yield "it undoes what it never makes: it has undo hooks, but neither start nor monitor"


def _signature(hook: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        # There annotations are evaluated when they are asked for, and may name what was imported for typing alone.
        return inspect.signature(hook, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(hook)


def _parameters(stone: type[Stone]) -> Iterator[str]:
    if not isinstance(stone.parameters, Mapping):
        yield "its 'parameters' are no mapping of names to marshmallow fields"
        return
    for name, declared in stone.parameters.items():
        found: Any = declared
        if not isinstance(found, fields.Field):
            yield f"its parameter {name!r} is no marshmallow field"
            continue
        try:
            if found.load_default is not missing:
                default_of(found)
        except Exception as error:
            yield f"the default of its parameter {name!r} cannot be stored as JSON: {error}"


def _outputs(stone: type[Stone]) -> Iterator[str]:
    if not isinstance(stone.outputs, Mapping):
        yield "its 'outputs' are no mapping of names to what they mean"
        return
    undeclared = sorted(set(stone.secret_outputs) - stone.outputs.keys())
    if undeclared:
        yield f"its secret outputs {', '.join(undeclared)} are not among its 'outputs'"


def _times(stone: type[Stone]) -> Iterator[str]:
    for event, seconds in stone.timeouts.items():
        if event not in HOOKS:
            yield f"it declares a timeout for {event!r}, which is no event: use {', '.join(HOOKS)}"
        elif not _is_number(seconds) or seconds <= 0:
            yield f"its timeout for {event} is {seconds!r}, not a number of seconds above 0"
    for name in (
        "retries",
        "retry_backoff",
        "retry_backoff_max",
        "retry_jitter",
        "monitor_retries",
        "monitor_interval",
        "grace",
    ):
        number: Any = getattr(stone, name)
        if not _is_number(number) or number < 0:
            yield f"its {name} is {number!r}, not a number from 0 on"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
