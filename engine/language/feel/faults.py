"""Why a value is null: FEEL turns an error into null, and the reason is kept for whoever needed a value."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..effort import charge

MOST_KEPT = 20
_COST = 16
"""What it takes to say why, in the time of a look at a member of a list: a list may have as many faults as members."""
_LONGEST = 300


class _Kept(threading.local):
    reasons: list[str] | None = None


_kept = _Kept()


def fault(text: str) -> Any:
    """Null, with its reason: ``return fault(...)`` wherever FEEL has null for an error (DMN 1.5, 10.3.2.13)."""
    charge(_COST)
    reasons = _kept.reasons
    if reasons is None:
        reasons = _kept.reasons = []
    if len(reasons) < MOST_KEPT and (text := text[:_LONGEST]) not in reasons:
        reasons.append(text)
    return None


def forget() -> None:
    """An evaluation begins in this thread."""
    _kept.reasons = None


def reasons() -> tuple[str, ...]:
    """Why values of the evaluation of this thread became null, in their order, each once and at most MOST_KEPT."""
    return tuple(_kept.reasons or ())


@contextmanager
def apart() -> Iterator[None]:
    """What is inside keeps its reasons for itself."""
    outer, _kept.reasons = _kept.reasons, None
    try:
        yield
    finally:
        _kept.reasons = outer
