"""What a stone's hook is handed: its task, and nothing else of the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from ... import failpoints, jsontext
from ...errors import Invalid
from ...limits import Limits
from ...mask import cut
from ...secret_sources.source import Hidden
from ...work import LONGEST_LOG_LINE, Saving, StopRequest, Work
from ..deferral import LONGEST_DEFERRAL, CallbackSignature, Deferral
from . import event_loop
from .task_facts import TaskFacts

if TYPE_CHECKING:
    from ...commands.command import CommandResult
    from ...commands.task_commands import TaskCommands

Save: TypeAlias = Callable[[Saving], None]
"""Keeps a value, and returns when that is durable."""
Tokens: TypeAlias = Callable[[Work], tuple[str, str | None]]
"""The token of a task, and the address of its callback."""


class Done:
    """What is there already for whoever awaits it."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Parameters = TypeVar("Parameters", default=dict[str, Any])
else:
    from typing import TypeVar  # before Python 3.13 it knows no defaults

    Parameters = TypeVar("Parameters")


class TaskInfo(TaskFacts, Generic[Parameters]):
    """The task that a hook works on.

    ``parameters`` are typed by the stone's fields, or an instance of the class that declares them, as a type checker
    knows of a ``TaskInfo[THAT_CLASS]``; ``outputs`` what the task has put out so far; ``state`` a small JSON object
    that the monitor may change and that survives a restart; ``saved`` what :meth:`save` has kept.
    """

    __slots__ = (
        "_awaited",
        "_commands",
        "_hidden",
        "_limits",
        "_on_log",
        "_on_progress",
        "_request",
        "_save",
        "_saves",
        "_tokens",
        "deferral",
        "logged",
        "outputs",
        "parameters",
        "percent",
        "put_out",
        "saved",
        "saving",
        "state",
    )

    def __init__(
        self,
        work: Work,
        parameters: Parameters,
        *,
        limits: Limits,
        request: StopRequest,
        on_progress: Callable[[int, str | None], None] | None = None,
        on_log: Callable[[], None] | None = None,
        awaited: bool = False,
        tokens: Tokens | None = None,
        save: Save | None = None,
        hidden: Hidden | None = None,
    ) -> None:
        super().__init__(work)
        self.parameters = parameters
        self.outputs: dict[str, Any] = jsontext.read(work.outputs) if work.outputs else {}
        self.state: dict[str, Any] = jsontext.read(work.state) if work.state else {}
        self.saved: dict[str, Any] = jsontext.read(work.saved) if work.saved else {}
        self.saving: list[Awaitable[None]] = []
        self._save = save
        self._hidden = hidden
        self._saves = 0
        self.put_out: dict[str, Any] = {}
        self.percent: int | None = None
        self.logged: list[str] = []
        self._limits = limits
        self._request = request
        self._on_progress = on_progress
        self._on_log = on_log
        self._awaited = awaited
        self._commands: TaskCommands | None = None
        self._tokens = tokens
        self.deferral: Deferral | None = None

    @property
    def cancel_requested(self) -> bool:
        """Whether the process has failed or is being cancelled: stop as soon as it can be done cleanly."""
        return self._request.asked

    def wait_for_cancel(self, seconds: float) -> bool:
        """Wait, at most so long; true at once when the task is asked to stop. Use it in place of ``time.sleep``.

        A coroutine awaits ``asyncio.sleep`` instead, and is stopped by a ``CancelledError``.
        """
        if self._awaited and event_loop.is_here():
            raise Invalid(
                "wait_for_cancel would hold up every other coroutine: await asyncio.sleep(...), which is cancelled "
                "when the task is asked to stop.",
                code="blocks-event-loop",
            )
        return self._request.wait(seconds)

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: str | bytes = "",
        environment: Mapping[str, str] | None = None,
        folder: str | Path | None = None,
        timeout: float | None = None,
        grace: float = 10.0,
        most_output: int = 1_000_000,
        rerunnable: bool = False,
        check: bool = True,
    ) -> CommandResult:
        """Run a command that outlives this engine, and wait for its end.

        A later delivery of the same attempt on this machine finds it by the key, running or ended, and begins nothing.
        Its lines come to the task's log. POSIX only.

        Args:
            arguments: The program and what it is given; no shell reads them, and everybody on the machine can.
            stdin: What it reads; the place for secrets.
            environment: Variables beside ``PATH``, ``HOME``, the language and the time zone; for secrets too.
            folder: Where it runs; ``/`` unless given.
            timeout: Seconds after which it is stopped, and has failed.
            grace: Seconds between SIGTERM and SIGKILL when it is stopped, because of its time or of a cancel.
            most_output: Bytes of its output that are kept.
            rerunnable: Whether it may be run again where nobody can tell what came of it.
            check: Whether another code than 0 raises.

        Raises:
            CommandFailed: It ended with another code than 0, could not be started, or its time was over.
            Fatal: Nobody can tell what came of it: the machine was restarted, its runner killed, or it was begun on
                another machine.
            InterruptedError: It was stopped because the task was asked to.
            Invalid: In ``monitor`` or ``mock``, in a coroutine, or for arguments that are no list of texts.
        """
        from ...commands.task_commands import TaskCommands, told_of

        if self._awaited and event_loop.is_here():
            text = "run would hold up every other coroutine: await asyncio.to_thread(task.run, [...])."
            raise Invalid(text, code="blocks-event-loop")
        if self._commands is None:
            self._commands = TaskCommands(self._work, self._request, self.log)
        told = told_of(
            arguments,
            stdin=stdin,
            environment=environment,
            folder=folder,
            timeout=timeout,
            grace=grace,
            most_output=most_output,
        )
        return self._commands.run(told, rerunnable=rerunnable, check=check)

    def defer(self, *, timeout: float | None = None, signature: CallbackSignature | None = None) -> Deferral:
        """Let somebody outside complete the task: hand on the ``token`` or ``url`` of what this gives, and return it.

        Args:
            timeout: Seconds after which the task has failed; without one it waits for as long as it takes.
            signature: How the sender of a webhook proves that it is who it says.

        Raises:
            Invalid: In another hook than ``start``, or for a timeout that is none.
        """
        if self._work.event != "start":
            raise Invalid(f"Only start can defer its task, not {self._work.event}.", code="defer-start")
        if timeout is not None and not 0 < timeout < LONGEST_DEFERRAL:
            raise Invalid(f"A task is deferred for more than 0 and less than {LONGEST_DEFERRAL} seconds.", code="defer")
        if self._work.token:
            token, url = self._work.token, self._work.callback_url
        elif self._tokens is not None:
            token, url = self._tokens(self._work)
        else:
            raise Invalid("Nobody could complete the task here.", code="defer")
        self.deferral = Deferral(token=token, url=url, timeout=timeout, signature=signature)
        return self.deferral

    def add_output(self, name: str, value: Any) -> None:
        """Put out a JSON value under a name; it can be referred to as ``${outputs.<namespace>.<name>}``.

        Raises Invalid for what is not JSON, has no name, or is over the limit output_size.
        """
        if not name:
            raise Invalid("An output needs a name.", code="output-invalid")
        jsontext.check({name: value}, limits=self._limits, name="output")
        if jsontext.weigh({**self.put_out, name: value}, self._limits.output_size) > self._limits.output_size:
            raise Invalid(
                f"Task {self.task_id} puts out more than the limit output_size ({self._limits.output_size} bytes).",
                code="output-too-large",
            )
        if isinstance(value, (dict, list)):
            # What the hook goes on to do with its own is not put out.
            value = jsontext.read(jsontext.dumps(value))
        self.outputs[name] = value
        self.put_out[name] = value

    def add_outputs(self, values: Mapping[str, Any]) -> None:
        """Put out several values."""
        for name, value in values.items():
            self.add_output(name, value)

    def save(self, name: str, value: Any) -> Awaitable[None]:
        """Keep a JSON value durably before ``start`` goes on: what one of its calls has made, or what is told once.

        Whatever happens then, the next attempt, the monitor and every undo hook find it in ``saved``. It is no output,
        and hidden like the secret output of its name. A coroutine awaits it; elsewhere the call returns when it is
        committed.

        Raises Invalid for what is not JSON, is over the limit ``output_size``, or comes from another hook; Conflict
        when the task has ended meanwhile: what was saved is kept for its undo if that is still to come.
        """
        if self._work.event != "start" or self._save is None:
            raise Invalid(f"Only start can save, not {self._work.event}.", code="save-start")
        if not name:
            raise Invalid("What is saved needs a name.", code="output-invalid")
        jsontext.check({name: value}, limits=self._limits, name=f"saved {name!r}")
        if jsontext.weigh({**self.saved, name: value}, self._limits.output_size) > self._limits.output_size:
            text = f"Task {self.task_id} saves more than the limit output_size ({self._limits.output_size} bytes)."
            raise Invalid(text, code="output-too-large")
        self._saves += 1
        saving = Saving(
            task_id=self._work.task_id,
            process_instance_id=self._work.process_instance_id,
            event=self._work.event,
            attempt=self._work.attempt,
            delivery=self._work.delivery,
            number=self._saves,
            name=name,
            value=jsontext.read(jsontext.dumps(value)),
        )
        if self._hidden is not None:
            saving.value = self._hidden.kept.mask_value(saving.value)
        self.saved[name] = saving.value
        failpoints.reach("before-save")
        if self._awaited and event_loop.is_here():
            kept = event_loop.in_thread(partial(self._save, saving))
            self.saving.append(kept)
            return kept
        self._save(saving)
        failpoints.reach("after-save")
        return Done()

    def progress(self, percent: float, text: str | None = None) -> None:
        """Report how far the task is, from 0 to 100, with a word for the log."""
        self.percent = max(0, min(100, int(percent)))
        if text:
            self.log(text)
        if self._on_progress is not None:
            self._on_progress(self.percent, self.logged[-1] if text else None)

    def log(self, text: str) -> None:
        """Keep a line with the task; lines over 1,000 characters are cut.

        It can be read within some two seconds while the hook runs, unless the stone has ``secret_outputs``: such a
        line could hold one that is not known yet, so it is told with the hook's end.
        """
        line = str(text).replace("\x00", "")
        self.logged.append(cut(line if self._hidden is None else self._hidden.told.mask_text(line), LONGEST_LOG_LINE))
        if self._on_log is not None:
            self._on_log()
