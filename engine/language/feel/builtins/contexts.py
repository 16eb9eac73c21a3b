"""Functions of contexts (DMN 1.5, table 82), and those that Camunda 8 adds."""

from __future__ import annotations

from ...effort import charge
from ..faults import fault
from ..values.kinds import Value, described
from .signature import builtin

_ENTRY = 6
"""What it costs to take up a context, or to make one of an entry, in the time of a look at a member of a list."""
_MOST_KEYS = 50
"""Of a path into contexts inside of each other."""


@builtin("get value(m: context, key: string)")
@builtin("get value(context: context, key: string)")
def _get_value(m: dict[str, Value], key: str) -> Value:
    return m[key] if key in m else fault(f"get value(): there is no entry {key[:60]!r}")


@builtin("get value(context: context, keys: list)")
def _get_value_at(context: dict[str, Value], keys: list[Value]) -> Value:
    here: Value = context
    charge(len(keys))
    if not keys:
        return fault("get value(): the list of keys is empty")
    for key in keys:
        if type(key) is not str:
            return fault(f"get value(): {described(key)} is among the keys, where strings are expected")
        if type(here) is not dict or key not in here:
            return fault(f"get value(): there is no entry {key[:60]!r}")
        here = here[key]
    return here


@builtin("get entries(m: context)")
@builtin("get entries(context: context)")
def _get_entries(m: dict[str, Value]) -> Value:
    charge(_ENTRY * len(m))
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list)")
def _context(entries: list[Value]) -> Value:
    made: dict[str, Value] = {}
    charge(_ENTRY * len(entries))
    for entry in entries:
        if type(entry) is not dict or type(entry.get("key")) is not str or "value" not in entry:
            return fault("context(): an entry has no key that is a string, or no value")
        if entry["key"] in made:
            return fault(f"context(): the key {entry['key'][:60]!r} is there twice")
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put(context: context, key: string, value: any)")
@builtin("put(context: context, key: string, value: any)")
def _context_put(context: dict[str, Value], key: str, value: Value) -> Value:
    charge(len(context))
    return {**context, key: value}


@builtin("context put(context: context, keys: list, value: any)")
def _context_put_at(context: dict[str, Value], keys: list[Value], value: Value) -> Value:
    if not keys or len(keys) > _MOST_KEYS or any(type(key) is not str for key in keys):
        return fault("context put(): the keys are no list of strings")
    made = here = dict(context)
    for key in keys[:-1]:
        inner = here.get(key)
        if key in here and type(inner) is not dict:
            return fault(f"context put(): {key[:60]!r} is {described(inner)} and no context")
        charge(len(here))
        here[key] = dict(inner or {})
        here = here[key]
    here[keys[-1]] = value
    return made


@builtin("context merge(contexts: list)")
@builtin("context merge(...contexts: context)")
@builtin("put all(...contexts: context)")
def _context_merge(*given: Value) -> Value:
    contexts = given[0] if len(given) == 1 and type(given[0]) is list else given
    made: dict[str, Value] = {}
    for context in contexts:
        if type(context) is not dict:
            return fault(f"context merge(): {described(context)} is in the list, where contexts are expected")
        charge(_ENTRY + len(context))
        made.update(context)
    return made
