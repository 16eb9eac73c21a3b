"""All trials of one stone, and how much exists meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any, TypeAlias

from ...models.vocabulary import UNDO_KINDS, UNDO_MONITORS, UndoKind
from ..language.context import Context
from ..stones.declarations.parameters import resolve_parameters
from ..stones.stone import Stone
from ..work import Outcome, Reached
from .trial import Hangs, Trial

NAMESPACE = "contract"
Given: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, Any]] | Callable[[int], Mapping[str, Any]]"
"""The parameters of every trial; or of each in turn; or by the number of the trial, from 0."""
SHOWING = 0.1
"""Seconds between two counts of what exists, while something may not show yet."""


class Trials:
    """Of one stone, each with parameters that may be its own."""

    def __init__(
        self, stone: type[Stone], given: Given, exists: Callable[[], Sized] | None, timeout: float, pace: float
    ) -> None:
        self.stone = stone
        self.given = given
        self.counts = exists is not None
        self.exists: Callable[[], Sized] = exists or tuple
        self.timeout = timeout
        self.pace = pace
        self.all: list[Trial] = []
        likeliest: tuple[UndoKind, ...] = ("delete", "rollback", "cancel")
        self.undo = next((event for event in likeliest if stone.has(event)), None)
        """The hook that undoes what nothing else has."""

    def parameters(self, number: int) -> Mapping[str, Any]:
        """Those of one trial, defaults included; raises Invalid."""
        return resolve_parameters(
            self.stone, {}, Context(dict(self.of(number)), {}), namespace=NAMESPACE, run=None, label=repr(NAMESPACE)
        )

    def of(self, number: int) -> Mapping[str, Any]:
        """Those that were given for it."""
        if isinstance(self.given, Mapping):
            return self.given
        return self.given(number) if callable(self.given) else self.given[number % len(self.given)]

    def new(self, *, counted: bool = True) -> Trial:
        """Another; one that is not ``counted`` makes nothing that would have to be undone."""
        trial = Trial(
            stone=self.stone,
            parameters=self.parameters(len(self.all)),
            namespace=NAMESPACE,
            timeout=self.timeout,
        )
        if counted:
            self.all.append(trial)
        return trial

    def existing(self, wanted: Callable[[int], bool] = lambda count: True) -> int:
        """How much exists, once that is as ``wanted`` or all of it has had the time to show."""
        end = time.monotonic() + self.stone.settle
        while not wanted(count := len(self.exists())) and self.counts and time.monotonic() < end:
            time.sleep(SHOWING)
        return count

    def undone(self, trial: Trial, event: UndoKind, phase: Reached) -> Outcome:
        """What comes of an undo, looked at by its monitor until it is done, and not believed before things show."""
        outcome = trial.carried_out(event, phase=phase)
        if outcome.gone and self.stone.settle > 0 and any(each.event == "start" for each in trial.heard):
            time.sleep(self.stone.settle)
            outcome = trial.carried_out(event, phase=phase)
        if outcome.result != "done" or outcome.gone or not self.stone.has(UNDO_MONITORS[event]):
            return outcome
        end = time.monotonic() + self.stone.timeouts.get(UNDO_MONITORS[event], self.timeout)
        trial.state = {}
        outcome = trial.looked("monitor", phase=phase, hook=UNDO_MONITORS[event])
        while outcome.result == "again" and time.monotonic() < end:
            time.sleep(min(self.pace, max(0.0, end - time.monotonic())))
            outcome = trial.looked("monitor", phase=phase, hook=UNDO_MONITORS[event])
        if outcome.result == "again":
            outcome = replace(outcome, result="failed", reason=f"{UNDO_MONITORS[event]} was not done in time")
        return outcome

    def take_back(self, trial: Trial) -> str | None:
        """Undo what no section has, by whatever hook there is; in words what went wrong."""
        if self.undo is None or any(each.event in UNDO_KINDS and each.result == "done" for each in trial.heard):
            return None
        try:
            outcome = self.undone(trial, self.undo, "unknown")
        except Hangs as error:
            return str(error)
        return None if outcome.result == "done" else f"{self.undo}: {outcome.reason}"
