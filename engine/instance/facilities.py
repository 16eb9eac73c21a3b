"""What instances need of the engine around them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...models import Store
from ..authoring.definitions import Definitions
from ..bpmn.running.workflow import Workflow
from ..clock import Clock
from ..dispatch.dispatcher import Dispatcher
from ..limits import Limits
from ..observing.observer import Observers
from ..stones.registry import Stones
from .families import Families
from .scripts import Scripts


@dataclass(frozen=True, slots=True)
class Facilities:
    """One engine's, shared by all its instances and by all that steps them."""

    engine_id: str
    store: Store
    clock: Clock
    stones: Stones
    definitions: Definitions
    limits: Limits
    families: Families
    dispatcher: Dispatcher
    scripts: Scripts | None
    timekeeper: str | None
    """The engine that sees to new timers and graces: this one, or None where it only acts when it is called."""
    observers: Observers = field(default_factory=Observers)
    workflow: type[Workflow] = Workflow
    """What drives an instance's tokens; a test's may watch them."""
