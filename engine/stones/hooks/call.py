"""Carrying out one hook of a stone, and what came of it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ....models.vocabulary import UNDO_KINDS
from ... import failpoints, jsontext
from ...coroutines import refuse_unrun
from ...errors import BpmnError, Fatal, Invalid, Later, NotFound, RiverstoneError
from ...limits import Limits
from ...mask import cut
from ...observing import logs, tracing
from ...secret_sources.source import Hidden, Secrets
from ...work import LONGEST_PAUSE, LONGEST_REASON, MOST_LOG_LINES, SHORTEST_PAUSE, Outcome, Result, StopRequest, Work
from ..declarations.parameters import no_echo, typed
from ..deferral import Deferral
from ..error_words import is_one_of
from ..stone import Stone
from . import event_loop
from .live_log import LiveLog, Tell
from .opened import OpenStones
from .task_info import Save, TaskInfo, Tokens

logger = logging.getLogger("riverstone.stone")

PROGRESS_INTERVAL = 0.5
"""Seconds between two progress reports of one task that are worth a write or a message."""


_unshared = OpenStones()
"""Of calls without an engine, as in trials of a stone."""


class HookCall:
    """One call of a hook, from what it is handed to what came of it: never an exception of the engine."""

    __slots__ = (
        "_began",
        "hidden",
        "info",
        "limits",
        "live",
        "on_progress",
        "opened",
        "request",
        "save",
        "secrets",
        "stone",
        "tokens",
        "work",
    )

    def __init__(
        self,
        stone: type[Stone],
        work: Work,
        *,
        limits: Limits,
        request: StopRequest,
        on_progress: Callable[[int, str | None], None] | None = None,
        on_lines: Tell | None = None,
        tokens: Tokens | None = None,
        save: Save | None = None,
        secrets: Secrets | None = None,
        opened: OpenStones | None = None,
    ) -> None:
        self.stone = stone
        self.work = work
        self.limits = limits
        self.request = request
        self.on_progress = on_progress
        self.live = None if on_lines is None or stone.secret_outputs else LiveLog(work, on_lines)
        self.tokens = tokens
        self.save = save
        self.secrets = secrets
        self.opened = opened or _unshared
        self.hidden: Hidden | None = None
        self.info: TaskInfo | None = None
        self._began = time.perf_counter()

    def carry_out(self) -> Outcome:
        """Call the hook in this thread."""
        if not tracing.is_on():
            return self._carry_out()
        with tracing.performing(self.work) as traced:
            return traced(self._carry_out())

    async def carry_out_awaited(self) -> Outcome:
        """Call a hook that is a coroutine function, and await it."""
        if not tracing.is_on():
            return await self._carry_out_awaited()
        with tracing.performing(self.work) as traced:
            return traced(await self._carry_out_awaited())

    def _carry_out(self) -> Outcome:
        try:
            resolved = self._resolved() if self.work.references else {}
            return self._ended(self._hook(self.opened.get(self.stone))(self._handed(resolved)))
        except BaseException as error:
            return self._failed(error)

    async def _carry_out_awaited(self) -> Outcome:
        try:
            # Asking for secrets waits.
            resolved = await event_loop.in_thread(self._resolved) if self.work.references else {}
            hook = self._hook(await self.opened.get_awaited(self.stone))
            info = self._handed(resolved, awaited=True)
            try:
                returned = await hook(info)
            finally:
                # Those that nobody has awaited: they are kept before anything is told of the hook.
                await event_loop.done(info.saving)
            for saving in info.saving:
                await saving
            return self._ended(returned)
        except BaseException as error:
            return self._failed(error)

    def _hook(self, stone: Stone) -> Callable[[TaskInfo], Any]:
        hook: Callable[[TaskInfo], Any] = getattr(stone, self.work.hook or self.work.event)
        return hook

    def _resolved(self) -> dict[str, str]:
        """The secrets that the model refers to, by parameter; raises Invalid, Later."""
        work = self.work
        if work.event == "mock":
            return {}
        values = jsontext.read(work.parameters)
        names = no_echo(self.stone).intersection(work.references)
        if self.secrets is None or len(names) < len(work.references):
            text = f"The stone {work.stone!r} does not declare {', '.join(work.references)} to be secret here"
            raise Invalid(f"{text}, so what the model refers to is not resolved.", code="secret-refused")
        found = self.secrets.resolve(
            {name: str(values[name]) for name in sorted(names)}, work.process and work.process.owner
        )
        self.hidden = Hidden(found)
        return found

    def _handed(self, resolved: Mapping[str, str], *, awaited: bool = False) -> TaskInfo:
        values = jsontext.read(self.work.parameters)
        parameters = typed(self.stone, {**values, **resolved} if resolved else values, resolved=bool(resolved))
        self.info = TaskInfo(
            self.work,
            parameters,
            limits=self.limits,
            request=self.request,
            on_progress=self.on_progress,
            on_log=None if self.live is None else self.live.note,
            awaited=awaited,
            tokens=self.tokens,
            save=self.save,
            hidden=self.hidden,
        )
        if self.live is not None:
            self.live.info = self.info
        failpoints.reach("before-hook")
        return self.info

    def _ended(self, returned: object) -> Outcome:
        work, info = self.work, self.info
        assert info is not None
        deferral = info.deferral
        if returned is not None and (deferral is None or returned is not deferral):
            _take(returned, work, info, self.stone)
        failpoints.reach("after-hook")
        if self.hidden is not None:
            _hide(info, self.hidden)
        if deferral is not None and returned is deferral:
            _refuse_to_keep(deferral, self.hidden)
            outcome = self._outcome("deferred")
            outcome.timeout = deferral.timeout
            outcome.signature = None if deferral.signature is None else deferral.signature.kept()
            return outcome
        if deferral is not None:
            info.log("task.defer was called and what it gave not returned, so the task has ended with its start.")
        _check_state(info.state, self.limits)
        if work.event == "check":
            return self._checked(returned)
        if work.event != "monitor" or returned:
            return self._outcome("done")
        if _is_unchanged(work, info):
            outcome = self._told_nothing("again")
            outcome.state, outcome.unchanged = info.state, True
        else:
            outcome = self._outcome("again")
            outcome.state = jsontext.read(jsontext.dumps(info.state))
        outcome.interval = self.stone.monitor_interval
        return outcome

    def _checked(self, returned: object) -> Outcome:
        if returned is not None and not isinstance(returned, str):
            text = f"check returned {type(returned).__name__}: it returns a text that says what is different, or None."
            return self._outcome("failed", reason=text)
        reason = cut(jsontext.storable(returned), LONGEST_REASON) if returned else None
        outcome = self._outcome("done", reason=reason)
        outcome.found = "different" if returned else "there"
        return outcome

    def _failed(self, error: BaseException) -> Outcome:
        work = self.work
        if self.hidden is not None and self.info is not None:
            _hide(self.info, self.hidden)
        if self.info is None and isinstance(error, (NotFound, BpmnError)):
            # The hook has not begun, so this says nothing of what it is about.
            return self._outcome("failed", reason=_reason(error))
        if isinstance(error, NotFound) and work.event == "check":
            outcome = self._outcome("done", reason=_text(error) or None)
            outcome.found = "gone"
            return outcome
        if isinstance(error, NotFound) and (work.event in UNDO_KINDS or work.hook is not None):
            outcome = self._outcome("done", reason=f"already gone: {_text(error)}".rstrip(": "))
            outcome.gone = True
            return outcome
        if isinstance(error, NotFound):
            return self._outcome("failed", reason=_reason(error))
        if isinstance(error, BpmnError):
            result: Result = "failed" if work.event in UNDO_KINDS else "bpmn-error"
            return self._outcome(result, reason=_reason(error), error_code=jsontext.storable(str(error.error_code)))
        # Only the main thread is interrupted from outside: anywhere else it is the stone that says so.
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise error
        about = logs.about(
            process_instance_id=work.process_instance_id, task_id=work.task_id, stone=work.stone, event=work.event
        )
        if self.info is None and isinstance(error, (RiverstoneError, Later)):
            # The engine's own refusal: its reason is in the ledger, and no line of code explains it.
            code = error.code if isinstance(error, RiverstoneError) else "put off"
            logger.info("task %s: %s of %s did not begin: %s", work.task_id, work.event, work.stone, code, extra=about)
        else:
            logger.info("task %s: %s of %s: %s", work.task_id, work.event, work.stone, logs.where(error), extra=about)
        stopped = self.request.asked and type(error).__name__ == "CancelledError"
        outcome = self._outcome("failed", reason="It stopped when it was asked to." if stopped else _reason(error))
        if isinstance(error, Later):
            outcome.later = _seconds(error.seconds)
        outcome.fatal = isinstance(error, Fatal) or not _is_worth_a_retry(self.stone, error)
        return outcome

    def _outcome(
        self,
        result: Result,
        *,
        reason: str | None = None,
        error_code: str | None = None,
    ) -> Outcome:
        info = self.info
        if self.hidden is not None:
            reason = None if reason is None else self.hidden.told.mask_text(reason)
            error_code = None if error_code is None else self.hidden.told.mask_text(error_code)
        outcome = self._told_nothing(result, reason)
        outcome.error_code = error_code
        if info is None:
            outcome.unbegun = True
            return outcome
        outcome.progress = info.percent
        outcome.token_taken = info.deferral is not None
        if info.put_out:
            outcome.outputs = dict(info.put_out)
        if info.logged:
            outcome.log = tuple([jsontext.storable(line) for line in info.logged[-MOST_LOG_LINES:]])
        return outcome

    def _told_nothing(self, result: Result, reason: str | None = None) -> Outcome:
        """What came of the hook, without what it has told; its lines are told no more while it runs."""
        if self.live is not None:
            self.live.end()
        return Outcome.of(self.work, result, reason, seconds=time.perf_counter() - self._began)


def _take(returned: object, work: Work, info: TaskInfo, stone: type[Stone]) -> None:
    """Let nothing that a hook returns be lost without a word."""
    if work.event == "start" and stone.outputs_type is not None and isinstance(returned, stone.outputs_type):
        from ..declarations.records import outputs_of  # late, since it imports marshmallow

        returned = outputs_of(returned)
    if work.event == "start" and isinstance(returned, Mapping):
        for name, value in returned.items():
            info.add_output(name, value)
        return
    refuse_unrun(returned, f"The hook {work.event!r} of the stone {work.stone!r}")
    if work.event not in ("monitor", "check"):
        info.log(f"{work.event} returned {type(returned).__name__}, which is not used: call task.add_output.")


def _hide(info: TaskInfo, hidden: Hidden) -> None:
    """Let no secret that was resolved for this call leave the process with what the hook has put out."""
    for values in (info.put_out, info.state):
        if type(values) is dict and (masked := hidden.kept.mask_value(values)) != values:
            values.clear()
            values.update(masked)
            info.log("What it keeps held a secret that is not stored: it stands there as *****.")


def _refuse_to_keep(deferral: Deferral, hidden: Hidden | None) -> None:
    """A callback's signature is in the ledger, where no secret may be that was resolved for one call."""
    secret = None if deferral.signature is None else deferral.signature.secret
    if secret is not None and hidden is not None and hidden.told.mask_text(secret) != secret:
        text = "A secret by reference cannot sign callbacks, since the ledger would have to keep it"
        raise Invalid(f"{text}: give the signature a secret of its own.", code="signature-declaration")


def _is_unchanged(work: Work, info: TaskInfo) -> bool:
    """Whether a look has told nothing that the ledger does not hold; never so the first one."""
    if work.progress < 0 or info.put_out or info.logged or info.percent not in (None, work.progress):
        return False
    return jsontext.dumps(info.state) == (work.state or "{}")


def _check_state(state: object, limits: Limits) -> None:
    if type(state) is not dict:
        raise Invalid(f"The state must stay an object, not become {type(state).__name__}.", code="state-invalid")
    if not state:
        return
    jsontext.check(state, limits=limits, name="state")
    if jsontext.weigh(state, limits.output_size) > limits.output_size:
        text = f"The state is over the limit output_size ({limits.output_size} bytes)."
        raise Invalid(text, code="state-too-large")


def _seconds(value: object) -> float:
    """How long to wait, of whatever a hook has said: never less than a moment, and no longer than a day."""
    usable = isinstance(value, (int, float)) and math.isfinite(value)
    return min(max(float(value), SHORTEST_PAUSE), LONGEST_PAUSE) if usable else 1.0  # type: ignore[arg-type]


def _is_worth_a_retry(stone: type[Stone], error: BaseException) -> bool:
    """Whether this error may be another time: by what the stone says of errors."""
    if not (stone.fatal_on or stone.retry_on) or isinstance(error, Later):
        return True
    return not is_one_of(error, stone.fatal_on) and (not stone.retry_on or is_one_of(error, stone.retry_on))


def _reason(error: BaseException) -> str:
    text = _text(error)
    if isinstance(error, (RiverstoneError, BpmnError, Fatal, Later)):
        return text
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


def _text(error: BaseException) -> str:
    """What an error says of itself, if it can."""
    try:
        return cut(jsontext.storable(str(getattr(error, "message", "") or error)), LONGEST_REASON)
    except Exception:
        return ""


def seldom(report: Callable[[int, str | None], None]) -> Callable[[int, str | None], None]:
    """The same for a hook that tells more often of its progress than is worth a write."""
    last = 0.0

    def report_seldom(percent: int, text: str | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL:
            last = now
            report(percent, text)

    return report_seldom
