"""What happened in one process and no row keeps: noted in the transaction of the step, and never changed.

Rows tell what is so: when a task began, and how its last attempt ended. Noted is what they no longer tell, such as an
attempt after which another came, and what no row is about: variables, events, and what people asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import TYPE_CHECKING, Any

from ....models import NewHistoryRow
from ... import jsontext
from ...ledger import secrets
from ...mask import Mask
from ...stones.declarations.parameters import masked
from ..flags import Flags

if TYPE_CHECKING:
    from ....models import TaskRow
    from ....models.vocabulary import TaskStatus
    from ...bpmn.running.token import Token
    from ...bpmn.running.waits import Wait
    from ...views.history import HistoryKind
    from ..instance import Instance

MOST_IN_AN_ENTRY = 32_000
"""Characters of the values of one entry; of one with more they are left out, which it says."""
VALUES = ("parameters", "outputs", "values")


def note(instance: Instance, kind: HistoryKind, *, at: int | None = None, **told: Any) -> None:
    """Write an entry with this step, of now unless it happened earlier; what is None is left out.

    Secrets are hidden before anything is written.
    """
    row, when = instance.row, instance.now() if at is None else at
    if row.history < 0:
        return
    entry = {name: value for name, value in told.items() if value is not None}
    if (mask := mask_of_step(instance)) is not None:
        entry = {name: mask.mask_value(value) for name, value in entry.items()}
    if (who := instance.changes.who) is not None:
        entry["who"] = who
    text = jsontext.dumps({"at": when, "kind": kind, **entry})
    if len(text) > MOST_IN_AN_ENTRY:
        left = {name: value for name, value in entry.items() if name not in VALUES}
        text = jsontext.dumps({"at": when, "kind": kind, **left, "shortened": True})
    full = row.history + len(text) > instance.limits.history_size
    _put(instance, jsontext.dumps({"at": instance.now(), "kind": "cut"}) if full else text)
    if full:
        row.history = -row.history


def _put(instance: Instance, text: str) -> None:
    """One row for each step of a process, whatever comes in it."""
    row, noted = instance.row, instance.changes.rare.new_history
    found = noted.get(instance.number)
    if found is None:
        # What was written before numbers the row: every row has something in it.
        noted[instance.number] = NewHistoryRow(instance.number, row.history, [text])
    else:
        found.parts.append(text)
    row.history += len(text)
    instance.changes.instance_changed(row)


def mask_of_step(instance: Instance) -> Mask | None:
    """What hides the secrets of a process, made anew in a step only where others have come into it."""
    # An undo works with what its origin was started with.
    hidden: Instance = getattr(instance, "origin", instance)
    stones, variables = hidden.facilities.stones, hidden.context.parameters
    paths = secrets.paths_in(hidden.definition, variables, stones)
    known = [instance.changes, *secrets.values_at(paths, variables)]
    seen, before, mask = hidden.noted_with or ((-1, 0), (), None)
    # By which they are and not by what they say: there may be very many of them, and very many entries in a step.
    if seen != hidden.tasks.known() or len(before) != len(known) or not all(map(is_, before, known)):
        tasks = hidden.tasks.here() if hidden.has(Flags.SECRETS) else ()
        mask = secrets.mask_at(paths, variables, tasks, stones, hidden.tasks.fold.secrets)
        hidden.noted_with = hidden.tasks.known(), known, mask
    return mask


def note_attempt(instance: Instance, row: TaskRow, status: TaskStatus, reason: str | None, *, edited: bool) -> None:
    """Keep what came of an attempt before the next one is written over it; its parameters where these will differ.

    One that has ended before is told at the time at which it did.
    """
    names = secrets.names_in(row, instance.facilities.stones)
    outputs = masked(jsontext.read(row.outputs), names[1]) if row.outputs else None
    parameters = masked(jsontext.read(row.parameters), names[0]) if edited else None
    note(
        instance,
        "attempt",
        at=None if row.open else row.ended,
        task=row.id,
        attempt=row.attempt,
        status=status,
        reason=reason,
        outputs=outputs,
        parameters=parameters,
        engine=row.owner,
    )


def note_variables(instance: Instance, values: Mapping[str, Any]) -> None:
    """Keep to what a step has set variables of the whole process."""
    note(instance, "variables", values=dict(values))


def note_event(instance: Instance, token: Token, wait: Wait, payload: Mapping[str, Any]) -> None:
    """Keep that something came for which a token has waited."""
    element, kind = token.node.bpmn_id.partition(":")[0], "timer" if wait.kind == "date" else wait.kind
    note(instance, kind, element=element, name=wait.name, values=dict(payload) or None)
