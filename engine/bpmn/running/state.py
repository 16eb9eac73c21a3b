"""Saving and loading: the rows that a workflow's tokens and waits are kept in.

A token that waits for a stone or a person lives in its task's row of the ledger, the root is there where there is
anything inside it; every other one has a row of its own. What is finished has none, so a loop of a thousand turns is
as small as its first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ....models import Changes, TaskRow, TokenRow, WaitRow
from ...jsontext import dumps, read
from .node import Node
from .token import ROOT, STARTED, Token
from .token_data import CALLED, COMPENSATES, RUN, TASK
from .waits import Wait
from .workflow import Workflow

OF_SCOPE = "0"
"""In place of a token's causes: they are those of its scope."""
FEW = 20
"""Causes that are written for each token."""


class Saved:
    """Which of a workflow's tokens have rows in the store, of their own and for what they wait for."""

    __slots__ = ("_said", "process_instance_id", "timekeeper", "tokens", "waits")

    def __init__(self, process_instance_id: int, timekeeper: str | None) -> None:
        """``timekeeper`` is the engine that sees to the timers, if one does so without being called."""
        self.process_instance_id = process_instance_id
        self.timekeeper = timekeeper
        self.tokens: set[int] = set()
        self.waits: set[int] = set()
        self._said: tuple[tuple[int, ...], str] = (), "[]"
        """The causes that were written last, which the next token may have too, and their text."""

    def save(self, workflow: Workflow, changes: Changes) -> None:
        """Put what has changed since the last save into the transaction."""
        without_waits = workflow.gone & self.waits
        waits: list[WaitRow] = []
        for token_id in workflow.gone & self.tokens:
            self._drop_token(token_id, changes)
        for token_id, token in workflow.touched.items():
            if not (_in_ledger(token) or _is_plain_root(token)):
                self._put_token(token, changes)
            elif token_id in self.tokens:
                self._drop_token(token_id, changes)
            if token_id in self.waits:
                without_waits.add(token_id)
            for wait in workflow.waits.get(token_id, ()):
                place = self.process_instance_id, token_id
                owner = self.timekeeper if wait.due is not None else None
                waits.append(WaitRow(*place, wait.number, wait.kind, wait.name, wait.correlation, wait.due, owner))
        if without_waits:
            self._drop_waits(without_waits, changes)
        if waits:
            self.waits.update(wait.token for wait in waits)
            changes.rare.new_waits += waits
        workflow.gone.clear()
        workflow.touched.clear()

    def _put_token(self, token: Token, changes: Changes) -> None:
        key = (self.process_instance_id, token.id)
        row = self._row(token)
        rare = changes.rare
        if token.id in self.tokens and key not in rare.new_tokens:
            rare.tokens[key] = row
        else:
            rare.new_tokens[key] = row
            self.tokens.add(token.id)

    def _row(self, token: Token) -> TokenRow:
        internal = token.internal_data
        # The ended runs of a parallel multi-instance task need no list: each is a row of the ledger in its scope.
        if token.ended and not token.node.runs_are_tasks:
            internal = {**internal, "ended": sorted(token.ended)}
        return TokenRow(
            self.process_instance_id,
            token.id,
            token.scope.id if token.scope is not None else None,
            token.node.name,
            token._state,
            token.flow,
            dumps(internal) if internal else None,
            dumps(token.data) if token.data else None,
            self._causes_text(token),
        )

    def _causes_text(self, token: Token) -> str | None:
        """The token's causes; where they are those of its scope, as with many runs of one activity, only that."""
        causes, scope = token.causes, token.scope
        # What a scope itself has compensated becomes its own cause meanwhile, and not that of the other handlers.
        handles = COMPENSATES in token.internal_data
        if scope is not None and len(causes) > FEW and causes == scope.causes and not handles:
            return OF_SCOPE
        if not causes:
            return None
        if causes != self._said[0]:
            self._said = causes, dumps(list(causes))
        return self._said[1]

    def _drop_token(self, token_id: int, changes: Changes) -> None:
        self.tokens.discard(token_id)
        key = (self.process_instance_id, token_id)
        rare = changes.rare
        if rare.new_tokens.pop(key, None) is None:
            rare.tokens.pop(key, None)
            rare.gone_tokens.add(key)

    def _drop_waits(self, token_ids: set[int], changes: Changes) -> None:
        number, rare = self.process_instance_id, changes.rare
        self.waits -= token_ids
        rare.new_waits = [
            wait for wait in rare.new_waits if wait.process_instance_id != number or wait.token not in token_ids
        ]
        rare.gone_waits.update([(number, token_id) for token_id in token_ids])


def _in_ledger(token: Token) -> bool:
    """Whether the token's task row says all there is to say of it."""
    internal = token.internal_data
    if token._state != STARTED or TASK not in internal or len(internal) > 1 + (RUN in internal):
        return False
    # Causes that are compensable activities have no place in a ledger of tasks.
    return not token.causes or token.causes[0] > 0


def _is_plain_root(token: Token) -> bool:
    """Whether there is nothing to say of a root but that something is inside."""
    plain = token.scope is None and token._state == STARTED
    return plain and not (token.internal_data or token.data or token.causes or token.ended)


def load(
    workflow: Workflow,
    tokens: Iterable[TokenRow],
    waits: Iterable[WaitRow],
    tasks: Collection[TaskRow],
    ledger: Mapping[int, TaskRow],
    ended: Mapping[str, Iterable[int]],
) -> None:
    """Put the tokens back where they were.

    ``tasks`` are all rows of the ``ledger`` that have not ended and some that have; of the others ``ended`` tells which
    are runs of a parallel multi-instance task, by its token.
    """
    known: dict[int, TokenRow | TaskRow] = {row.id: row for row in tokens}
    for task in tasks:
        if task.open and task.token not in known:
            known[task.token] = task
    if known and ROOT not in known:
        number = next(iter(known.values())).process_instance_id
        known[ROOT] = TokenRow(number, ROOT, None, "", STARTED, None, None, None, None)
    causes = _Causes()
    for token_id in sorted(known):
        row = known[token_id]
        if isinstance(row, TaskRow):
            _load_of_task(workflow, row, causes, ledger)
        else:
            _load_token(workflow, row, causes)
    for wait in waits:
        workflow.waits.setdefault(wait.token, []).append(
            Wait(wait.kind, wait.number, wait.name, wait.correlation, wait.due)
        )
    for container, runs in ended.items():
        if (scope := workflow.tasks.get(int(container))) is not None:
            scope.ended.update(runs)
    for task in tasks:
        if not task.open and (scope := workflow.tasks.get(task.scope)) is not None and scope.node.runs_are_tasks:
            scope.ended.add(task.id)
    for token in list(workflow.tasks.values()):
        workflow.resume(token)
        if token._state == STARTED and TASK in token.internal_data:
            workflow.open_tasks.add(token.id)
    workflow.touched.clear()
    workflow.gone.clear()


class _Causes(dict[str | None, tuple[int, ...]]):
    """Causes by their text: what many have in common is read and held once."""

    def __missing__(self, text: str | None) -> tuple[int, ...]:
        found = self[text] = tuple(read(text)) if text else ()
        return found


def _load_of_task(workflow: Workflow, task: TaskRow, causes: _Causes, ledger: Mapping[int, TaskRow]) -> None:
    """The token that waits for a task: its row in the ledger says all of it."""
    scope = workflow.tasks.get(task.scope)
    text = task.after
    # Many that followed the same name one of them.
    followed = causes[ledger[int(text)].after if text and text[0] != "[" else text]
    token = Token(workflow, workflow.node_named(task.node, scope), scope, task.token, STARTED, None, followed)
    token.internal_data = {"task": task.id} if task.run is None else {"task": task.id, "run": task.run}
    if task.locals:
        token.data = read(task.locals)


def _load_token(workflow: Workflow, row: TokenRow, causes: _Causes) -> None:
    scope = workflow.tasks.get(row.scope) if row.scope is not None else None
    if row.scope is None:
        node: Node = workflow.spec.root
    elif row.scope == ROOT and row.node == workflow.spec.outstanding.name:
        node = workflow.spec.outstanding
    else:
        node = workflow.node_named(row.node, scope)
    followed = scope.causes if row.causes == OF_SCOPE and scope is not None else causes[row.causes]
    token = Token(workflow, node, scope, row.id, row.state, row.flow, followed)
    if row.internal:
        token.internal_data = read(row.internal)
    if row.locals:
        token.data = read(row.locals)
    token.ended.update(token.internal_data.pop("ended", ()))
    if scope is None:
        workflow.task_tree = token
    if CALLED in token.internal_data:
        node.find_body(token)
