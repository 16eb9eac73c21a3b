"""Compensation in the model: handlers run in the reverse order of what they compensate (BPMN 2.0, 10.7 and 13.5.5).

An activity that completed and can be compensated is remembered by its scope, as an entry with a number of its own
and the numbers of the entries that came before it on its way. A throw event (or a cancelled transaction) takes what
its scope remembers and runs a handler as soon as all that came after its activity is compensated; what was
independent on the way there is independent on the way back.

A handler sees what its activity has seen: the variables of all around it that has completed since, and the outputs that
it reads, are kept as they were (10.7.1: the data of a sub-process at the time of its completion). Variables of what
still runs are seen as they are now.

An activity without a handler may say that its stones take back what they made (``undoOnCompensation``): several such
in a row are taken back by one undo.

Several may ask at once, and errors and people may have a part undone as well. The standard says nothing of these
together, so what the ledger says holds: nothing is taken back beside what followed it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..running.event_definitions import EventDefinition
from ..running.node import Node
from ..running.token import STARTED, Token, merged
from ..running.token_data import BEGINNING, CALLED, COMPENSATES, RUN
from ..running.uncompensated import Uncompensated
from ..running.workflow import Workflow

if TYPE_CHECKING:
    from ..running.token_data import Compensable, Executed

PORTION = 500
"""Handlers that begin before others may have a turn."""


def remember(token: Token, keeper: Token) -> None:
    """The activity of this token has completed and may have to be compensated; ``keeper`` keeps that in mind."""
    inner = token.internal_data.get("compensable", [])
    before = {-cause for cause in token.causes if cause < 0}.union(*(entry["after"] for entry in inner))
    handler = token.node.compensation_handler()
    entry: Compensable = {
        "id": token.id,
        "after": sorted(before.difference(entry["id"] for entry in inner)),
        "node": token.node.name,
        "tasks": token.after,
        "inner": inner,
        "data": token.data,
    }
    if handler is not None and handler.outputs_read is not None:
        entry["seen"] = handler.outputs_read.kept_of(token.context.outputs)
    keeper.note(compensable=[*keeper.internal_data.get("compensable", []), entry])
    after = token.workflow.host.compensable(token, entry) if handler is not None else token.after
    token.causes = (-token.id, *after)


def hand_up(inner: Token, keeper: Token) -> None:
    """What is remembered inside a part of the keeper belongs to the whole of it."""
    entries = inner.internal_data.get("compensable")
    if entries and inner.data:
        part: Compensable = {
            "id": inner.id,
            "after": [],
            "node": inner.node.name,
            "tasks": [],
            "inner": entries,
            "data": inner.data,
            "part": True,
        }
        entries = [part]
    if entries:
        keeper.note(compensable=[*keeper.internal_data.get("compensable", []), *entries])


def _inside_of(entry: Compensable) -> list[Compensable]:
    """What had completed inside of an entry, with the variables that were seen around it."""
    if not entry["data"]:
        return entry["inner"]
    return [{**inner, "data": {**entry["data"], **inner["data"]}} for inner in entry["inner"]]


def compensate(token: Token, definitions: Sequence[EventDefinition]) -> bool:
    """This token asks for all these compensations in its scope; true if there is nothing to compensate."""
    assert token.scope is not None
    scope = token.scope.node.compensated_scope(token.scope)
    activities = {definition.activity for definition in definitions}
    kept: list[Compensable] = []
    taken: list[Compensable] = []
    for entry in scope.internal_data.get("compensable", []):
        (taken if activities & {None, entry["node"]} else kept).append(entry)
    if not taken:
        return True
    scope.note(compensable=kept)
    begin(token, scope, taken)
    return False


def cancel_transaction(token: Token) -> None:
    """A cancel end event takes away all that runs in its transaction, and compensates what had completed.

    One of several runs cancels all of them, those that are over included: the event on the border ends the activity.
    """
    scope = token.scope
    while scope is not None and not scope.node.cancellable:
        scope = scope.scope
    assert scope is not None, "the checks let a cancel end event stand in a transaction only"
    if RUN in scope.internal_data:
        scope = scope.scope
        assert scope is not None
        scope.internal_data.pop(BEGINNING, None)
    workflow = token.workflow
    # A handler that cancels once more what it belongs to is not called again.
    give_back(scope, but=_inside(scope, token) if "cancelled" in scope.internal_data else None)
    for deeper in _gather(scope):
        give_back(deeper)
        hand_up(deeper, scope)
    workflow.ends_in(scope, workflow.interrupt(scope))
    entries = scope.internal_data.get("compensable", [])
    scope.note(compensable=[], cancelled=True)
    begin(scope, scope, entries)


def _inside(scope: Token, token: Token) -> Token:
    """What the token is in, or itself, that is directly inside this scope around it."""
    while token.scope is not None and token.scope is not scope:
        token = token.scope
    return token


def _gather(scope: Token) -> Iterator[Token]:
    """Scopes inside that have not completed and are about to be taken away, less what handlers and calls hold."""
    pending = [scope]
    while pending:
        for inner in pending.pop().inside.values():
            if not inner.internal_data.keys() & {CALLED, COMPENSATES}:
                pending.append(inner)
                yield inner


def give_back(scope: Token, *, but: Token | None = None) -> None:
    """What was asked to be compensated in a scope is about to be taken away before it is: the scope keeps it in mind.

    That is what no handler has begun to compensate, and what one has not come to the end with; ``but`` is the handler
    that itself is why all is taken away, and would do it again for ever.
    """
    askers = [each for each in (scope, *_gather(scope)) if each.internal_data.get("compensated_in") == scope.id]
    left = [entry for asker in askers for entry in asker.internal_data.get("undoing", {}).values()]
    left += [entry for asker in askers for entry in asker.internal_data.get("taken", [])]
    for handler in list(scope.inside.values()):
        if handler is but:
            continue
        asker = scope.workflow.tasks.get(handler.internal_data.get(COMPENSATES, 0))
        if asker is not None:
            left.append(_entry_of(handler, asker))
    if left:
        scope.note(compensable=[*scope.internal_data.get("compensable", []), *left])


def _entry_of(handler: Token, asker: Token) -> Compensable:
    """What a handler compensates, as it was remembered; it has what was remembered inside, if anything needs that."""
    internal = handler.internal_data
    after = asker.internal_data["handling"][str(internal["entry"])]
    activity = handler.workflow.node_named(internal["activity"], handler.scope)
    own = handler.node.process is activity.body
    if own:
        give_back(handler)
    entry: Compensable = {
        "id": internal["entry"],
        "after": after,
        "node": internal["activity"],
        "tasks": internal["tasks"],
        "inner": internal.get("compensable", []) if own else [],
        "data": handler.data,
    }
    if "outputs" in internal:
        entry["seen"] = internal["outputs"]
    return entry


def begin(asker: Token, scope: Token, entries: list[Compensable]) -> None:
    """Compensate these entries of a scope, whereupon the asker goes on, or the scope if it asks itself."""
    asker._set_state(STARTED)
    asker.note(undoing={str(entry["id"]): entry for entry in entries}, handling={}, compensated_in=scope.id)
    workflow = asker.workflow
    workflow.undos.askers[asker.id] = Uncompensated(asker)
    if workflow.stops_on_failure:
        workflow.undos.ask_later(asker)
    else:
        # A handler that an undo has called: it is the only one to ask.
        _go_on(workflow, asker)


def _go_on(workflow: Workflow, asker: Token) -> None:
    """Start every handler whose activity's followers are compensated; with the last one, the asker goes on.

    Where that is more than a portion, the next begins when nothing else runs: others may have a turn before.
    """
    todo, internal = workflow.undos.askers[asker.id], asker.internal_data
    left, handling = internal["undoing"], internal["handling"]
    taken = _begin_portion(workflow, asker, todo)
    for entry in taken:
        todo.hold(entry["after"])
        handling[str(entry["id"])] = entry["after"]
    workflow.touched[asker.id] = asker
    if taken:
        scope = workflow.tasks[internal["compensated_in"]]
        asker.note(taken_back=[entry["id"] for entry in taken], taken=taken)
        activities = [(workflow.node_named(entry["node"], scope), entry) for entry in taken]
        workflow.undos.before(asker, activities)
    if not (left or handling):
        _all_compensated(workflow, asker)


def _all_compensated(workflow: Workflow, asker: Token) -> None:
    internal = asker.internal_data
    if internal["compensated_in"] == asker.id:
        # Else an event on the border of a handler has let a token go on.
        if not asker.live:
            workflow.scope_ended(asker)
        return
    # It runs once more, since it may have more to do than this.
    del internal["undoing"], workflow.undos.askers[asker.id]
    internal.pop("undone", None)
    asker.note(compensated=True)
    workflow.make_ready(asker)


def _begin_portion(workflow: Workflow, asker: Token, todo: Uncompensated) -> list[Compensable]:
    """Start handlers of what nothing holds up any more, the last first; what stones are to take back is returned.

    What they take back one after the other is one undo, which keeps its own order; there is one at a time.
    """
    scope = workflow.tasks[asker.internal_data["compensated_in"]]
    handling = asker.internal_data["handling"]
    busy, room = "taken_back" in asker.internal_data, PORTION
    taken: list[Compensable] = []
    by_taken: set[int] = set()
    rest: list[Compensable] = []
    is_held_up: Callable[[Node, Executed], bool] | None = None
    while free := todo.take_free():
        is_held_up = is_held_up or workflow.host.held_up(asker)
        for entry in free:
            node = workflow.node_named(entry["node"], scope)
            by_stones = "part" not in entry and node.is_undone_by_stones
            if not (by_stones or room):
                rest.append(entry)
            elif (busy if by_stones else entry["id"] in by_taken) or is_held_up(node, entry):
                todo.put_off(entry)
            else:
                del todo.left[str(entry["id"])]
                todo.release(entry["after"])
                if by_stones:
                    taken.append(entry)
                    by_taken.update(entry["after"])
                    continue
                room -= 1
                if _handle(workflow, asker, scope, entry):
                    todo.hold(entry["after"])
                    handling[str(entry["id"])] = entry["after"]
                else:
                    todo.add(_inside_of(entry))
    for entry in rest:
        todo.put_off(entry)
    if rest:
        workflow.undos.ask_later(asker)
    return taken


def taken_back(asker: Token) -> None:
    """What the stones of activities were to take back is gone, or what others did: what came before it follows."""
    undos, internal = asker.workflow.undos, asker.internal_data
    todo = undos.askers[asker.id]
    if not undos.is_awaited(asker):
        for done in internal.pop("taken_back", ()):
            todo.release(internal["handling"].pop(str(done)))
        internal.pop("taken", None)
        asker._set_state(STARTED)
    todo.look_again()
    _go_on(asker.workflow, asker)


def _handle(workflow: Workflow, asker: Token, scope: Token, entry: Compensable) -> bool:
    """Start the handler of one entry; false if it has none, so that what it holds is compensated by itself."""
    node = workflow.node_named(entry["node"], scope)
    handler = node.compensation_handler()
    if handler is None or "part" in entry:
        return False
    # What was compensable before is of no matter where nothing inside could be compensated in its turn.
    causes = asker.causes if handler.body is not None else asker.causes[bisect(asker.causes, 0) :]
    token = workflow.new_token(handler, scope, None, causes)
    token.data = entry["data"]
    token.note(compensates=asker.id, entry=entry["id"], tasks=entry["tasks"], activity=entry["node"])
    if "seen" in entry:
        token.note(outputs=entry["seen"])
    workflow.undos.handled_by(token)
    if handler.process is node.body:
        token.note(compensable=entry["inner"])
    return True


def compensated(handler: Token) -> None:
    """A handler is through: what it compensated needs no undo, and whatever waited for it runs.

    One that somebody has skipped, or a step of it, has compensated nothing, as far as anybody can tell.
    """
    workflow = handler.workflow
    internal = handler.internal_data
    activity = workflow.node_named(internal["activity"], handler.scope)
    tell = workflow.host.not_compensated if "left_out" in internal else workflow.host.compensated
    tell(activity, handler)
    scope = handler.scope
    assert scope is not None
    workflow.ends_in(scope, handler.causes)
    if handler.internal_data["compensates"] not in workflow.tasks:
        workflow.drop(handler)
        return
    scope.live += 1  # the scope must not end between two handlers
    workflow.drop(handler)
    scope.live -= 1
    _let_go_on(handler, handler.causes)


def left_by_border(handler: Token, causes: tuple[int, ...]) -> None:
    """An event on its border has taken a handler away: it has compensated nothing, and nobody waits for it."""
    workflow = handler.workflow
    activity = workflow.node_named(handler.internal_data["activity"], handler.scope)
    workflow.host.not_compensated(activity, handler)
    if handler.internal_data["compensates"] in workflow.tasks:
        _let_go_on(handler, causes)


def _let_go_on(handler: Token, causes: tuple[int, ...]) -> None:
    """Whatever waited for a handler runs."""
    asker = handler.workflow.tasks[handler.internal_data["compensates"]]
    workflow, internal = asker.workflow, asker.internal_data
    if causes != asker.causes[bisect(asker.causes, 0) :]:
        asker.causes = merged(asker.causes, causes)
    workflow.undos.askers[asker.id].release(internal["handling"].pop(str(handler.internal_data["entry"])))
    workflow.touched[asker.id] = asker
    _go_on(workflow, asker)
