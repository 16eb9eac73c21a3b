"""Where dispatchers report to: what came of tasks, turned into events of the river."""

from __future__ import annotations

from collections.abc import Sequence

from . import step
from .instance import Facilities
from .perform import Outcome, spoilt
from .river import Posted, River, Turn
from .stone import Stone
from .task_info import Work


class Desk:
    """One engine's; its methods may be called from any thread."""

    def __init__(self, facilities: Facilities, river: River) -> None:
        self.facilities = facilities
        self.limits = facilities.limits
        self._river = river

    def stone_for(self, work: Work) -> type[Stone] | None:
        """The class that carries out this work; without one, the task waits for its stone."""
        stone = self.facilities.stones.choose(work.stone, work.parameters)
        if stone is None:
            self._river.post(lambda turn: step.stone_is_gone(turn.instance(work.process_instance_id), work.task_id))
        return stone

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Queue what came of tasks."""
        if outcomes:
            self.facilities.observers.tell_events(outcomes)
            self._river.post_all([_entered(outcome) for outcome in outcomes])

    def report_progress(self, work: Work, percent: int, text: str | None) -> None:
        """Queue how far a running task is."""
        self._river.post(
            lambda turn: step.progressed(turn.instance(work.process_instance_id), work.task_id, work.attempt, percent)
        )


def _entered(outcome: Outcome) -> Posted:
    """The event that enters an outcome; where that cannot be done, the task has failed."""

    def enter(turn: Turn) -> None:
        step.apply_outcome(turn.instance(outcome.process_instance_id), outcome)

    def give_up(turn: Turn) -> None:
        step.apply_outcome(turn.instance(outcome.process_instance_id), spoilt(outcome))

    return Posted(enter, None, give_up)
