"""What every stone has to hold, tried on one: hooks are called more than once, and half-made things undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ...models.vocabulary import UndoKind
from ..errors import Invalid
from ..stones.stone import Stone
from ..work import Outcome, Reached
from .declared import wrong_in_declaration
from .fault_proxy import FaultProxy
from .lost_answers import lost_answers
from .report import Check, ContractReport, ok, skipped, wrong
from .trial import Hangs, Trial
from .trials import Given, Trials


def check_stone(
    stone: type[Stone],
    parameters: Given | None = None,
    *,
    exists: Callable[[], Sized] | None = None,
    timeout: float = 60.0,
    pace: float | None = None,
    proxy: FaultProxy | None = None,
) -> ContractReport:
    """Try a stone on the real thing: it makes some six of what it makes, and takes all of them back.

    Args:
        stone: Its class.
        parameters: Its own, by name; defaults are filled in. Where no two things may have the same, a list of
            mappings, which are used in turn, or a function of the number of the trial.
        exists: Tells what exists of the kind that the stone makes: with it, what is made twice or left behind is seen
            too. What does not show at once is waited for, for the stone's ``settle``.
        timeout: How many seconds a hook may take that declares no timeout, and all looks of a monitor together.
        pace: The seconds between two looks, the stone's own interval unless given.
        proxy: By which the stone reaches its cloud: then each call of its start and of its undo has its answer lost
            once, and once comes as an error although it was done.
    """
    pace = stone.monitor_interval if pace is None else pace
    contract = _Contract(Trials(stone, {} if parameters is None else parameters, exists, timeout, pace), proxy)
    return ContractReport(code=stone.code or stone.__name__, checks=tuple(contract.checks()))


class _Contract:
    def __init__(self, trials: Trials, proxy: FaultProxy | None) -> None:
        self.trials = trials
        self.stone = trials.stone
        self.proxy = proxy
        self.before = 0
        self.makes: int | None = None
        """How many things one start makes; None while none has succeeded."""

    def checks(self) -> Iterator[Check]:
        """Everything, until something makes going on senseless."""
        flaws = wrong_in_declaration(self.stone)
        for flaw in flaws:
            yield wrong("declaration", flaw)
        if not flaws:
            yield ok("declaration", "parameters, outputs, timeouts and hooks are declared as they can be used")
        try:
            self.trials.parameters(0)
        except Invalid as error:
            yield wrong("parameters", f"{_missing(error, self.trials.of(0))}: give them by --parameters or parameters=")
            return
        self.before = self.trials.existing()
        try:
            yield from self._start()
            yield from self._at_once()
            yield from self._half_made()
            yield from self._never_begun()
            yield from self._cancel()
            yield from self._stops()
            yield from self._mock()
            if self.proxy is not None and self.makes is not None:
                yield from lost_answers(self.trials, self.proxy, self.makes)
        except Hangs as error:
            yield wrong(error.event, str(error))
        except Invalid as error:
            yield wrong("parameters", f"of trial {len(self.trials.all) + 1} do not fit: {error.message}")
        yield from self._leftovers()
        yield from self._secrets()

    # -- the sections

    def _start(self) -> Iterator[Check]:
        trial = self.trials.new()
        first = trial.carried_out("start")
        if first.result not in ("done", "bpmn-error"):
            yield wrong("start", f"failed: {first.reason}")
            return
        if first.result == "bpmn-error":
            yield wrong("start", f"raised the BPMN error {first.error_code!r}: give parameters with which it succeeds")
            return
        way = "deferred its task" if trial.deferred else "succeeded"
        which = f" at attempt {trial.attempt}" if trial.attempt > 1 else ""
        yield ok("start", f"{way}{which} in {trial.took:.2f} s and put out {_named(first.outputs)}")
        made = self.trials.existing(lambda count: count > self.before)
        again = trial.carried_out("start", listen=False)
        yield self._same("start, delivered again", first, again, made)
        self.makes = made - self.before
        if self.stone.has("monitor"):
            yield from self._monitor(trial)
        yield from self._outputs(trial)
        yield from self._undo_twice("delete", trial, "complete")

    def _at_once(self) -> Iterator[Check]:
        """An engine that was taken for dead still runs its hook while another has been given the task."""
        if self.makes is None:
            return
        name, trial, before = "start, delivered twice at once", self.trials.new(), self.trials.existing()
        engines = [replace(trial, outputs={}), replace(trial, outputs={})]
        with ThreadPoolExecutor(2) as both:
            outcomes = list(both.map(lambda each: each.carried_out("start"), engines))
        done = [outcome for outcome in outcomes if outcome.result == "done"]
        if not done:
            yield wrong(name, f"failed both times: {outcomes[0].reason}")
        elif self._is_more(before + self.makes) or done[0].outputs != done[-1].outputs:
            yield wrong(
                name,
                "made two things under one key: let the outside refuse the second, by the idempotency key. Where it"
                " takes none, name or tag the thing by the key, look for it before making one and once more after, and"
                " remove your own where there is another, as CloudResource does",
            )
        else:
            yield ok(name, "one key made one thing")
        self.trials.take_back(trial)

    def _monitor(self, trial: Trial) -> Iterator[Check]:
        limit = self.stone.timeouts.get("monitor", self.trials.timeout)
        end, looks = time.monotonic() + limit, 0
        while True:
            looks, kept = looks + 1, dict(trial.state)
            outcome = trial.looked("monitor")
            if outcome.result == "done":
                break
            if outcome.result != "again":
                yield wrong("monitor", f"look {looks} failed: {outcome.reason}")
                return
            if time.monotonic() > end:
                yield wrong("monitor", f"was not done after {looks} looks and {limit:g} s")
                return
            time.sleep(min(self.trials.pace, max(0.0, end - time.monotonic())))
        yield ok("monitor", f"was done after {looks} {'look' if looks == 1 else 'looks'}")
        trial.state = kept
        last = trial.call("monitor")
        if last.result in ("done", "again"):
            yield ok("monitor, delivered again", "the last look came again and did no harm")
        else:
            yield wrong("monitor, delivered again", f"the last look came again and failed: {last.reason}")

    def _outputs(self, trial: Trial) -> Iterator[Check]:
        undeclared = sorted(trial.outputs.keys() - self.stone.outputs.keys())
        missing = sorted(self.stone.outputs.keys() - trial.outputs.keys())
        if undeclared:
            yield wrong("outputs", f"puts out {', '.join(undeclared)}, which its 'outputs' do not declare")
        if missing and not trial.deferred:
            yield wrong("outputs", f"declares {', '.join(missing)}, which it did not put out")
        if not undeclared and (trial.deferred or not missing):
            yield ok("outputs", "are those that are declared, as JSON")

    def _half_made(self) -> Iterator[Check]:
        trial = self.trials.new()
        if (started := trial.carried_out("start", listen=False)).result != "done":
            yield wrong("rollback of a half-made thing", f"was not tried, since its start failed: {started.reason}")
            return
        yield from self._undo_twice("rollback", trial, "partial", after="of a thing whose start was never heard of")

    def _never_begun(self) -> Iterator[Check]:
        if self.stone.has("rollback"):
            outcome = self.trials.undone(self.trials.new(), "rollback", "unknown")
            yield self._taken("rollback of what was never begun", outcome)

    def _cancel(self) -> Iterator[Check]:
        trial = self.trials.new()
        if (started := trial.carried_out("start")).result != "done":
            yield wrong("cancel in the middle", f"was not tried, since its start failed: {started.reason}")
            return
        if self.stone.has("monitor"):
            trial.call("monitor")
        yield from self._undo_twice("cancel", trial, "running", after="in the middle")

    def _stops(self) -> Iterator[Check]:
        trial = self.trials.new()
        outcome = trial.call("start", asked=True)
        ended = "went through" if outcome.result == "done" else f"ended ({outcome.reason})"
        yield ok("start, asked to stop", f"{ended} within its grace")
        self.trials.take_back(trial)

    def _mock(self) -> Iterator[Check]:
        if not self.stone.has("mock"):
            yield skipped("mock", "has none: a mock run passes over it")
            return
        before = self.trials.existing()
        outcome = self.trials.new(counted=False).call("mock")
        if outcome.result != "done":
            yield wrong("mock", f"failed: {outcome.reason}")
        elif self.trials.existing(lambda count: count != before) != before:
            yield wrong("mock", "made something: a mock run must make nothing, for nothing is undone after it")
        else:
            yield ok("mock", f"put out {_named(outcome.outputs)}")

    # -- at the end

    def _leftovers(self) -> Iterator[Check]:
        """Undo, by whatever hook there is, what no section has."""
        failed = [told for told in map(self.trials.take_back, self.trials.all) if told is not None]
        left = self.trials.existing(lambda count: count <= self.before) - self.before
        if failed:
            yield wrong("cleaning up", " ".join(failed))
        elif not self.trials.counts:
            yield skipped("nothing left", "give 'exists' to have it counted")
        elif left > 0 and self.trials.undo:
            yield wrong("nothing left", f"{left} more of its things exist than before")
        elif left > 0:
            yield skipped("nothing left", f"it has no undo hook, so {left} of its things exist now: remove them")
        else:
            yield ok("nothing left", "as much exists as before")

    def _secrets(self) -> Iterator[Check]:
        hidden = [name for name, field in self.stone.parameters.items() if field.metadata.get("no_echo")]
        for trial in self.trials.all:
            secret = [str(trial.parameters.get(name) or "") for name in hidden]
            said = " ".join(text for outcome in trial.heard for text in (*outcome.log, outcome.reason or ""))
            if any(len(value) > 3 and value in said for value in secret):
                text = "it writes the value of a parameter that is declared no_echo into log or reason"
                yield wrong("secrets", text)
                return

    # -- what they share

    def _is_more(self, than: int) -> bool:
        return self.trials.existing(lambda count: count > than) > than

    def _same(self, name: str, first: Outcome, again: Outcome, made: int) -> Check:
        if again.result != "done":
            return wrong(name, f"failed: {again.reason}. Hand task.idempotency_key on, and take what it made before")
        if self._is_more(made):
            return wrong(name, "made a second thing under the same key: hand task.idempotency_key on")
        differing = sorted(
            output for output, value in again.outputs.items() if first.outputs.get(output, value) != value
        )
        if differing:
            text = f"put out another {', '.join(differing)}: it seems to have made a second thing under the same key"
            return wrong(name, text)
        return ok(name, "the same key brought the same outputs")

    def _undo_twice(self, event: UndoKind, trial: Trial, phase: Reached, *, after: str = "") -> Iterator[Check]:
        name = f"{event} {after}".strip()
        if not self.stone.has(event):
            yield skipped(event, "has none: what it made is kept and listed as retained")
            return
        with_thing = self.trials.existing(lambda count: count > self.before)
        first = self._taken(name, self.trials.undone(trial, event, phase))
        if first.result == "ok" and self.trials.existing(lambda count: count < with_thing) >= with_thing > self.before:
            first = wrong(name, "said that it was done, and as much exists as before it")
        yield first
        if first.result == "ok":
            yield self._taken(f"{name}, again", self.trials.undone(trial, event, phase))

    def _taken(self, name: str, outcome: Outcome) -> Check:
        if outcome.result == "done":
            return ok(name, outcome.reason or "done")
        return wrong(name, f"failed: {outcome.reason}. What is already gone is success: raise NotFound or return")


def _missing(error: Invalid, given: Mapping[str, Any]) -> str:
    told = [
        f"{name} does not fit ({' '.join(texts)})" if name in given else f"{name} is required"
        for name, texts in error.errors.items()
    ]
    return ", ".join(told) or error.message


def _named(outputs: Mapping[str, Any]) -> str:
    return ", ".join(outputs) or "nothing"
