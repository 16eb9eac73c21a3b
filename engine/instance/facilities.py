"""What instances need of the engine around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ...models import Changes, ExternalTasks, InstanceRow, Quotas, Store, TaskRow, UserTasks
from ..authoring.definitions import Definitions
from ..bpmn.running.workflow import Workflow
from ..callback_tokens import CallbackTokens
from ..clock import Clock
from ..dispatch.dispatcher import Dispatcher
from ..limits import Limits
from ..observing.observer import Observers
from ..stones.quota import Quota
from ..stones.registry import Stones
from ..stones.stone import Stone
from .families import Families
from .scripts import Scripts

if TYPE_CHECKING:
    from .instance import Instance


def what_is_suspended(process: InstanceRow, stone: str | None, suspended: frozenset[tuple[str, str]]) -> str | None:
    """What keeps a hook of a process from beginning, other than the look of a monitor; None where nothing does."""
    if process.suspension is not None:
        return "Its process"
    if suspended and ("stone", stone) in suspended:
        return f"The stone {stone!r}"
    # An undo is not of its origin's key: it may go on.
    if suspended and process.kind == "start" and ("key", process.key) in suspended:
        return f"The key {process.key!r}"
    return None


@dataclass(slots=True)
class Facilities:
    """One engine's, shared by all its instances and by all that steps them."""

    engine_id: str
    """Another one once others took the engine for dead: it begins anew."""
    store: Store
    clock: Clock
    stones: Stones
    definitions: Definitions
    limits: Limits
    families: Families
    dispatcher: Dispatcher
    scripts: Scripts | None
    tokens: CallbackTokens
    keeps_time: bool
    """Whether this engine sees to the timers and graces that it sets; one that only acts when it is called does not."""
    external: ExternalTasks
    people: UserTasks
    quotas: Quotas
    process_quotas: Mapping[str, Quota] = field(default_factory=dict)
    """How many processes of a key are at work at once, and begin in a minute."""
    observers: Observers = field(default_factory=Observers)
    stone_uses: set[tuple[str, str]] = field(default_factory=set)
    """Stones with deployments whose processes use them, as far as the store is known to have it."""
    suspended: frozenset[tuple[str, str]] = frozenset()
    """The stones and keys of which nothing begins, as far as is known; each commit that lets begin compares them."""
    workflow: type[Workflow] = Workflow
    """What drives an instance's tokens; a test's may watch them."""

    def stone_of(self, row: TaskRow) -> type[Stone]:
        """The class that serves a row, or one without hooks while it is missing."""
        return self.stones.choose(row.stone, row.parameters) or Stone

    @property
    def timekeeper(self) -> str | None:
        """The engine that sees to new timers and graces, if any."""
        return self.engine_id if self.keeps_time else None


class TurnTransaction(Protocol):
    """The turn of the river that an instance takes part in: what is committed together."""

    changes: Changes

    def instance(self, process_instance_id: int) -> Instance:
        """Another instance, which takes part from now on."""

    def join(self, instance: Instance) -> None:
        """Let an instance take part that nobody else knows of yet."""

    def is_over(self) -> bool:
        """Whether what could go on is left to the next turn, so that others have theirs."""
