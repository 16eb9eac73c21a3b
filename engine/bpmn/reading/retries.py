"""How often a node has a failed start or undo tried again, and after which pauses, in the words of each modeler."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lxml import etree

from ...errors import ExpressionError
from ..running.timers.moments import duration_ms
from .vendors import JAVA, SPIFF, ZEEBE, extensions
from .words import own_text

GROWING = {"retryBackoff": "backoff", "retryBackoffMax": "backoff_max"}
BACKOFF = {**GROWING, "retryJitter": "jitter", "retryFor": "retry_for"}
"""The properties that say how long a pause before a retry is, and for how long there are any, and as what the ledger
keeps them."""

_CYCLE = re.compile(r"R(\d{1,6})/(P[^,]*)")
_PART = re.compile(r"[01]?\.[0-9]{1,6}|[01]")


def of_undo(name: str) -> str:
    """The property that says the same of what takes back: ``undoRetryJitter`` beside ``retryJitter``."""
    return f"undo{name[0].upper()}{name[1:]}"


OF_UNDO = {of_undo(name): name for name in ("retries", *BACKOFF)}


class Retries(NamedTuple):
    """How a failed start is tried again."""

    times: int
    pauses: tuple[int, ...] = ()
    """The milliseconds before each, the last for all that follow; empty where the stone says it."""


def retries_of(bearers: list[etree._Element], properties: Mapping[str, str]) -> Retries | None:
    """How a failed start is tried again; None where nothing readable says so."""
    found = [read_retries(text) for text in (properties.get("retries"),) if text]
    for bearer in bearers:
        tries = (definition.get("retries") for definition in extensions(bearer, "taskDefinition", (ZEEBE,)))
        found += [_after_the_first(read_retries(text)) for text in tries if text]
        texts = [retry.get("retries") for retry in bearer.iter(f"{{{SPIFF}}}retry")]
        texts += [own_text(cycle) for cycle in extensions(bearer, "failedJobRetryTimeCycle", JAVA)]
        found += [read_retries(text) for text in texts if text]
    return next((retries for retries in found if retries is not None), None)


def _after_the_first(tries: Retries | None) -> Retries | None:
    """Zeebe counts all tries of a job, the first one too."""
    return None if tries is None else tries._replace(times=max(tries.times - 1, 0))


def read_retries(text: str) -> Retries | None:
    """The retries that ``3``, ``R3/PT10S`` or a list of pauses ``PT10S,PT1M`` asks for, or None."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return Retries(int(text))
    cycle = _CYCLE.fullmatch(text)
    try:
        pauses = tuple(duration_ms(pause, 0) for pause in (cycle[2] if cycle else text).split(","))
    except ExpressionError:
        return None
    if min(pauses) < 0:
        return None
    return Retries(int(cycle[1]) if cycle else len(pauses), pauses)


def retrying_of(retries: Retries | None, properties: Mapping[str, str]) -> dict[str, Any]:
    """What a node says in place of its stone about being tried again, by the words of the ledger."""
    told = {kept: read_backoff(name, properties[name]) for name, kept in BACKOFF.items() if name in properties}
    found: dict[str, Any] = {kept: value for kept, value in told.items() if value is not None}
    if retries is not None:
        found |= {"retries": retries.times, **({"pauses": retries.pauses} if retries.pauses else {})}
    return found


def told_of_undo(properties: Mapping[str, str]) -> dict[str, str]:
    """What a node says of its undo, by the names of the properties that say it of its start."""
    return {name: properties[written] for written, name in OF_UNDO.items() if written in properties}


def read_backoff(name: str, text: str) -> float | None:
    """The milliseconds of a duration, or for ``retryJitter`` a part from 0 to 1; None where it says neither."""
    text = text.strip()
    if name == "retryJitter":
        return float(text) if _PART.fullmatch(text) and float(text) <= 1 else None
    try:
        length = duration_ms(text, 0)
    except ExpressionError:
        return None
    return length if length >= 0 else None
