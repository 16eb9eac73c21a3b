"""The commands of one call of a hook: which folder each has, and which of earlier calls may not run beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from ...models.vocabulary import UNDO_KINDS
from ..errors import Fatal, Invalid
from ..work import StopRequest, Work
from .command import CommandFailed, CommandResult, CommandRun, CommandSpec, commands, root, sweep, tail

RUNNING: Final = ("start", *UNDO_KINDS, "check")
"""The hooks that can run a command: the others look, and may be called at any time."""
SWEEP = 3600.0
"""Seconds between two searches for folders that can go."""
_swept = -SWEEP


class TaskCommands:
    """Those of one hook, numbered in the order in which it runs them."""

    def __init__(self, work: Work, request: StopRequest, log: Callable[[str], None]) -> None:
        self._work = work
        self._event, self._attempt = work.event, work.attempt
        self._key = work.start_key or work.idempotency_key
        self._request = request
        self._log = log
        self._looks = f"{uuid4()}" if work.event == "check" else ""
        """Of a look at what was made: it may be asked for again and again."""
        self._count = 0

    def run(self, told: CommandSpec, *, rerunnable: bool, check: bool) -> CommandResult:
        """Run one, or find it where an earlier delivery of the same attempt has begun it.

        Raises CommandFailed, Fatal where nobody can tell what came of it, InterruptedError when asked to stop.
        """
        global _swept
        if self._event not in RUNNING:
            raise Invalid(f"Only {', '.join(RUNNING)} can run a command, not {self._event}.", code="run-hook")
        now = time.monotonic()
        if now - _swept > SWEEP:
            _swept = now
            sweep()
        if self._count == 0 and not self._looks:
            self.stop(told.grace)
        self._count += 1
        forward = self._event == "start"
        command = CommandRun(root() / self._key / f"{self._prefix}{self._count}")
        if not command.exists and forward and self._work.delivery > 0 and not rerunnable:
            raise Fatal(
                f"Nobody can tell what came of the command {told.arguments[0]!r}: it was begun before, and not on this"
                " machine. Look what it has done, then retry or do it by hand."
            )
        if not forward and command.exists and not command.is_running():
            # What is undone is undone again as often as it takes.
            command.remove()
        command.prepare()
        result = command.carry_out(told, wait=self._request.wait, log=self._log, rerunnable=rerunnable or not forward)
        if self._looks:
            command.remove()
        if check and result.exit_code != 0:
            raise CommandFailed(f"The command ended with {result.exit_code}.{tail(result.output)}", result)
        return result

    def stop(self, grace: float) -> None:
        """Stop what earlier attempts, or what is now undone, still run on this machine, and wait for that."""
        others = [each for each in commands(self._key) if not each.folder.name.startswith(self._prefix)]
        running = [each for each in others if each.is_running()]
        for each in running:
            each.stop()
        end = time.monotonic() + grace + 5.0
        while any(each.is_running() for each in running):
            if time.monotonic() > end:
                raise CommandFailed("A command of an earlier attempt does not stop.")
            time.sleep(0.05)

    @property
    def _prefix(self) -> str:
        return f"{self._event}.{self._looks or self._attempt}."


def told_of(
    arguments: Sequence[str],
    *,
    stdin: str | bytes,
    environment: Mapping[str, str] | None,
    folder: str | Path | None,
    timeout: float | None,
    grace: float,
    most_output: int,
) -> CommandSpec:
    """What a runner has to know; raises Invalid for arguments that are no list of texts."""
    if isinstance(arguments, (str, bytes)) or not arguments or not all(isinstance(each, str) for each in arguments):
        raise Invalid("A command is a list of texts, the program first: no shell reads it.", code="run-arguments")
    wrong = [name for name, value in (environment or {}).items() if "\0" in value or "=" in name or "\0" in name]
    if wrong or any("\0" in each for each in arguments):
        raise Invalid("A NUL cannot be handed to a command.", code="run-arguments")
    return CommandSpec(
        arguments=tuple(arguments),
        stdin=stdin if isinstance(stdin, str) else stdin.decode("utf-8", "surrogateescape"),
        environment=dict(environment or {}),
        folder=None if folder is None else str(folder),
        timeout=timeout,
        grace=grace,
        most_output=most_output,
    )
