"""What every stone has to hold, tried on one: hooks are called more than once, and half-made things taken back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Literal

from ..context import Context
from ..errors import Invalid
from ..parameters import resolve_parameters
from ..perform import Outcome
from ..stone import UNDO_EVENTS, Stone
from .declared import wrong_in_declaration
from .trial import Hangs, Trial

NAMESPACE = "contract"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was tried."""

    name: str
    result: Literal["ok", "wrong", "skipped"]
    text: str

    def __str__(self) -> str:
        return f"{self.result:<8} {self.name}: {self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractReport:
    """All that was tried on one stone, in order."""

    code: str
    checks: tuple[Check, ...]

    @property
    def wrong(self) -> tuple[Check, ...]:
        """What the stone does not hold."""
        return tuple(check for check in self.checks if check.result == "wrong")

    def assert_ok(self) -> None:
        """Raise AssertionError with the whole report if anything is wrong."""
        __tracebackhide__ = True
        if self.wrong:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        count = len(self.wrong)
        end = f"{count} wrong" if count else "nothing wrong"
        return "\n".join([f"stone {self.code}", *(f"  {check}" for check in self.checks), f"  {end}"])


def check_stone(
    stone: type[Stone],
    parameters: Mapping[str, Any] | None = None,
    *,
    exists: Callable[[], Sized] | None = None,
    timeout: float = 60.0,
    pace: float | None = None,
) -> ContractReport:
    """Try a stone on the real thing: it makes some five of what it makes, and takes all of them back.

    ``parameters`` are its own, by name; defaults are filled in. ``exists`` tells what exists of the kind that the stone
    makes: with it, what is made twice or left behind is seen too. ``timeout`` is how many seconds a hook may take that
    declares no timeout, and all looks of a monitor together; ``pace`` the seconds between two looks, the stone's
    own interval unless given.
    """
    contract = _Contract(stone, parameters or {}, exists, timeout, stone.monitor_interval if pace is None else pace)
    return ContractReport(code=stone.code or stone.__name__, checks=tuple(contract.checks()))


class _Contract:
    def __init__(
        self,
        stone: type[Stone],
        given: Mapping[str, Any],
        exists: Callable[[], Sized] | None,
        timeout: float,
        pace: float,
    ) -> None:
        self.stone = stone
        self.given = given
        self.exists = exists
        self.timeout = timeout
        self.pace = pace
        self.parameters: Mapping[str, Any] = {}
        self.trials: list[Trial] = []
        self.before = 0

    def checks(self) -> Iterator[Check]:
        """Everything, until something makes going on senseless."""
        flaws = wrong_in_declaration(self.stone)
        for flaw in flaws:
            yield _wrong("declaration", flaw)
        if not flaws:
            yield _ok("declaration", "parameters, outputs, timeouts and hooks are declared as they can be used")
        try:
            self.parameters = resolve_parameters(
                self.stone, {}, Context(dict(self.given), {}), namespace=NAMESPACE, run=None, element_id=NAMESPACE
            )
        except Invalid as error:
            yield _wrong("parameters", f"{_missing(error, self.given)}: give them by --parameters or parameters=")
            return
        self.before = self._existing()
        try:
            for section in (self._start, self._half_made, self._never_begun, self._cancel, self._stops, self._mock):
                yield from section()
        except Hangs as error:
            yield _wrong(error.event, str(error))
        yield from self._leftovers()
        yield from self._secrets()

    # -- the sections

    def _start(self) -> Iterator[Check]:
        trial = self._trial()
        first = trial.call("start")
        if first.result not in ("done", "bpmn-error"):
            yield _wrong("start", f"failed: {first.reason}")
            return
        if first.result == "bpmn-error":
            yield _wrong("start", f"raised the BPMN error {first.error_code!r}: give parameters with which it succeeds")
            return
        yield _ok("start", f"succeeded in {trial.took:.2f} s and put out {_named(first.outputs)}")
        made = self._existing()
        again = trial.call("start", listen=False)
        yield self._same("start, delivered again", first, again, made)
        if self.stone.has("monitor"):
            yield from self._monitor(trial)
        yield from self._outputs(trial)
        yield from self._undo_twice("delete", trial, "complete")

    def _monitor(self, trial: Trial) -> Iterator[Check]:
        limit = self.stone.timeouts.get("monitor", self.timeout)
        end, looks = time.monotonic() + limit, 0
        while True:
            looks, kept = looks + 1, dict(trial.state)
            outcome = trial.call("monitor")
            if outcome.result == "done":
                break
            if outcome.result != "again":
                yield _wrong("monitor", f"look {looks} failed: {outcome.reason}")
                return
            if time.monotonic() > end:
                yield _wrong("monitor", f"was not done after {looks} looks and {limit:g} s")
                return
            time.sleep(min(self.pace, max(0.0, end - time.monotonic())))
        yield _ok("monitor", f"was done after {looks} {'look' if looks == 1 else 'looks'}")
        trial.state = kept
        last = trial.call("monitor")
        if last.result in ("done", "again"):
            yield _ok("monitor, delivered again", "the last look came again and did no harm")
        else:
            yield _wrong("monitor, delivered again", f"the last look came again and failed: {last.reason}")

    def _outputs(self, trial: Trial) -> Iterator[Check]:
        undeclared = sorted(trial.outputs.keys() - self.stone.outputs.keys())
        missing = sorted(self.stone.outputs.keys() - trial.outputs.keys())
        if undeclared:
            yield _wrong("outputs", f"puts out {', '.join(undeclared)}, which its 'outputs' do not declare")
        if missing:
            yield _wrong("outputs", f"declares {', '.join(missing)}, which it did not put out")
        if not undeclared and not missing:
            yield _ok("outputs", "are those that are declared, as JSON")

    def _half_made(self) -> Iterator[Check]:
        trial = self._trial()
        trial.call("start", listen=False)
        yield from self._undo_twice("rollback", trial, "partial", after="of a thing whose start was never heard of")

    def _never_begun(self) -> Iterator[Check]:
        if self.stone.has("rollback"):
            outcome = self._trial().call("rollback", phase="unknown")
            yield self._taken("rollback of what was never begun", outcome)

    def _cancel(self) -> Iterator[Check]:
        trial = self._trial()
        trial.call("start")
        if self.stone.has("monitor"):
            trial.call("monitor")
        yield from self._undo_twice("cancel", trial, "running", after="in the middle")

    def _stops(self) -> Iterator[Check]:
        trial = self._trial()
        outcome = trial.call("start", asked=True)
        ended = "went through" if outcome.result == "done" else f"ended ({outcome.reason})"
        yield _ok("start, asked to stop", f"{ended} within its grace")

    def _mock(self) -> Iterator[Check]:
        if not self.stone.has("mock"):
            yield _skipped("mock", "has none: a mock run passes over it")
            return
        before = self._existing()
        outcome = Trial(stone=self.stone, parameters=self.parameters, namespace=NAMESPACE, timeout=self.timeout).call(
            "mock"
        )
        if outcome.result != "done":
            yield _wrong("mock", f"failed: {outcome.reason}")
        elif self._existing() != before:
            yield _wrong("mock", "made something: a mock run must make nothing, for nothing is undone after it")
        else:
            yield _ok("mock", f"put out {_named(outcome.outputs)}")

    # -- at the end

    def _leftovers(self) -> Iterator[Check]:
        """Take back, by whatever hook there is, what no section has."""
        hooks = [event for event in ("delete", "rollback", "cancel") if self.stone.has(event)]
        failed = []
        for trial in self.trials:
            if hooks and not any(each.event in UNDO_EVENTS and each.result == "done" for each in trial.heard):
                try:
                    outcome = trial.call(hooks[0], phase="unknown")
                except Hangs as error:
                    failed.append(str(error))
                else:
                    if outcome.result != "done":
                        failed.append(f"{hooks[0]}: {outcome.reason}")
        left = self._existing() - self.before
        if failed:
            yield _wrong("cleaning up", " ".join(failed))
        elif self.exists is None:
            yield _skipped("nothing left", "give 'exists' to have it counted")
        elif left > 0 and hooks:
            yield _wrong("nothing left", f"{left} more of its things exist than before")
        elif left > 0:
            yield _skipped("nothing left", f"it has no undo hook, so {left} of its things exist now: remove them")
        else:
            yield _ok("nothing left", "as much exists as before")

    def _secrets(self) -> Iterator[Check]:
        secret = [
            str(self.parameters[name])
            for name, field in self.stone.parameters.items()
            if field.metadata.get("no_echo") and len(str(self.parameters.get(name) or "")) > 3
        ]
        said = " ".join(
            text for trial in self.trials for outcome in trial.heard for text in (*outcome.log, outcome.reason or "")
        )
        if any(value in said for value in secret):
            yield _wrong("secrets", "it writes the value of a parameter that is declared no_echo into log or reason")

    # -- what they share

    def _trial(self) -> Trial:
        trial = Trial(stone=self.stone, parameters=self.parameters, namespace=NAMESPACE, timeout=self.timeout)
        self.trials.append(trial)
        return trial

    def _existing(self) -> int:
        return 0 if self.exists is None else len(self.exists())

    def _same(self, name: str, first: Outcome, again: Outcome, made: int) -> Check:
        if again.result != "done":
            return _wrong(name, f"failed: {again.reason}. Hand task.idempotency_key on, and take what it made before")
        if self._existing() > made:
            return _wrong(name, "made a second thing under the same key: hand task.idempotency_key on")
        differing = sorted(
            output for output, value in again.outputs.items() if first.outputs.get(output, value) != value
        )
        if differing:
            text = f"put out another {', '.join(differing)}: it seems to have made a second thing under the same key"
            return _wrong(name, text)
        return _ok(name, "the same key brought the same outputs")

    def _undo_twice(self, event: str, trial: Trial, phase: str, *, after: str = "") -> Iterator[Check]:
        name = f"{event} {after}".strip()
        if not self.stone.has(event):
            yield _skipped(event, "has none: what it made is kept and listed as retained")
            return
        with_thing = self._existing()
        first = self._taken(name, trial.call(event, phase=phase))
        if first.result == "ok" and self._existing() >= with_thing > 0:
            first = _wrong(name, "said that it was done, and as much exists as before it")
        yield first
        if first.result == "ok":
            yield self._taken(f"{name}, again", trial.call(event, phase=phase))

    def _taken(self, name: str, outcome: Outcome) -> Check:
        if outcome.result == "done":
            return _ok(name, outcome.reason or "done")
        return _wrong(name, f"failed: {outcome.reason}. What is already gone is success: raise NotFound or return")


def _missing(error: Invalid, given: Mapping[str, Any]) -> str:
    told = [
        f"{name} does not fit ({' '.join(texts)})" if name in given else f"{name} is required"
        for name, texts in error.errors.items()
    ]
    return ", ".join(told) or error.message


def _named(outputs: Mapping[str, Any]) -> str:
    return ", ".join(outputs) or "nothing"


def _ok(name: str, text: str) -> Check:
    return Check(name=name, result="ok", text=text)


def _wrong(name: str, text: str) -> Check:
    return Check(name=name, result="wrong", text=text.rstrip(".") + ".")


def _skipped(name: str, text: str) -> Check:
    return Check(name=name, result="skipped", text=text)
