"""What a rewind has to know of the way that tokens have come, noted as they go.

A task's row of the ledger says where its token stood. Beside that a way back needs what has been taken away or written
over on the way: the tokens that a join has merged, scopes that have ended, what an interruption removed, and variables.
Each note has the causes of what it tells of, so a rewind knows which of them belong to what it takes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...jsontext import dumps, read, weigh
from .token import WAITING, Token
from .token_data import CALLED, TASK

if TYPE_CHECKING:
    from ....models.vocabulary import RetraceKind
    from .workflow import Workflow

LONGEST = 65_536
"""Characters of JSON that one note keeps; what is longer cannot be brought back, and a rewind says so."""

LEAST = 35
"""Characters that the shortest entry of such a list takes."""


class Note(NamedTuple):
    """One thing that has happened; ``token`` is that of the scope for a variable, 0 for the whole process."""

    kind: RetraceKind
    token: int
    name: str | None
    causes: tuple[int, ...]
    data: str | None


class StepNotes:
    """The notes of the present step."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.said: tuple[tuple[int, ...], str] = (), "[]"
        """The causes of the last note that was stored, and how the next one says the same."""
        self._written: dict[tuple[int, str], tuple[int, ...]] = {}
        """By variable the causes of its last change: of several with the same only the first is needed."""

    def variable(self, scope: int, name: str, known: Mapping[str, Any], causes: tuple[int, ...]) -> None:
        """A variable is about to change."""
        if self._written.get((scope, name)) == causes:
            return
        self._written[scope, name] = causes
        had = name in known
        told = {"had": True, "value": known[name]} if had else {"had": False}
        self._note("variable", scope, name, causes, _text(told))

    def merged(self, name: str, tokens: Iterable[Token], causes: tuple[int, ...]) -> None:
        """A join makes one token of several."""
        if _rows(causes):
            together = list(tokens)
            # Each may have the same many causes: not all of that is built only to be found too long.
            fits = sum(LEAST + 2 * len(token.causes) for token in together) <= LONGEST
            self._note("merge", 0, name, causes, _text([snapshot(token) for token in together]) if fits else None)

    def ended(self, scope: Token) -> None:
        """A scope, or what holds the runs of an activity, is about to end."""
        causes = tuple(sorted(scope.ended))
        if rows := _rows(causes):
            data = snapshot(scope)
            # None stands for those of the note, which many notes may share.
            data["causes"] = None if scope.causes == rows else data["causes"]
            data["ended"] = None if causes == rows else list(causes)
            self._note("scope", scope.id, scope.node.label, causes, _text(data))

    def fired(self, token: Token) -> None:
        """An event has come beside an activity, which has not ended: its note has no name."""
        self._note("scope", token.id, None, token.causes, _text(snapshot(token)))

    def removed(self, tokens: Iterable[Token], causes: tuple[int, ...]) -> None:
        """An event has taken away what went on beside it or before."""
        counted = [token for token in tokens if token.node.counts]
        if not (counted and _rows(causes)):
            return
        label = counted[0].node.label
        if sum(LEAST + 2 * len(token.causes) for token in counted) > LONGEST:
            self._note("removed", 0, label, causes, None)
            return
        told: list[dict[str, Any]] = [
            {"label": token.node.label, "causes": list(token.causes), "task": token.internal_data.get(TASK, 0)}
            for token in counted
        ]
        self._note("removed", 0, label, causes, _text(told))

    def _note(self, kind: RetraceKind, token: int, name: str | None, causes: tuple[int, ...], data: str | None) -> None:
        self.notes.append(Note(kind, token, name, _rows(causes), data))


def _rows(causes: tuple[int, ...]) -> tuple[int, ...]:
    return causes if not causes or causes[0] > 0 else tuple([cause for cause in causes if cause > 0])


def _text(data: Any) -> str | None:
    return dumps(data) if weigh(data, LONGEST) <= LONGEST else None


def snapshot(token: Token) -> dict[str, Any]:
    """All that puts a token back."""
    return {
        "id": token.id,
        "node": token.node.name,
        "scope": 0 if token.scope is None else token.scope.id,
        "flow": token.flow,
        "internal": dict(token.internal_data),
        "locals": token.data,
        "causes": list(token.causes),
    }


def put_back(workflow: Workflow, kept: Mapping[str, Any], *, state: int = WAITING) -> Token:
    """The token of a snapshot, where it was; its scope has to be there."""
    scope = workflow.tasks[kept["scope"]]
    node = workflow.node_named(kept["node"], scope)
    token = Token(workflow, node, scope, kept["id"], state, kept["flow"], tuple(kept["causes"]))
    # Made of the text once more, so that nobody shares it.
    token.internal_data = read(dumps(kept["internal"]))
    token.data = read(dumps(kept["locals"]))
    workflow.gone.discard(token.id)
    workflow.touched[token.id] = token
    if CALLED in token.internal_data:
        node.find_body(token)
    return token
