"""A command under a key: begun once, found again by whichever engine of the machine comes next, and stopped."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import Fatal, Invalid
from . import runner

FIRST_LOOK, LAST_LOOK = 0.02, 0.25
"""Seconds between two looks whether it has ended, at first and later."""
MOST_BEGINS = 3
KEPT = 7 * 86_400.0
"""Seconds after which the folder of a command that has ended is removed."""
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""What a command sees of the engine's environment, in which secrets may be."""
TAIL = 500
"""Characters of the output that a failure tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandResult:
    """What came of a command."""

    exit_code: int
    output: str
    """What it has written to its output and its error output, up to ``most_output`` bytes."""
    cut: bool
    """Whether it has written more."""
    seconds: float


class CommandFailed(Exception):
    """A command has ended with another code than 0, or was ended because its time was over."""

    def __init__(self, message: str, result: CommandResult | None = None) -> None:
        super().__init__(message)
        self.result = result
        self.code = result.exit_code if result is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandSpec:
    """All that a runner has to know; arguments are for everybody to see, input and environment are not kept."""

    arguments: Sequence[str]
    stdin: str
    environment: Mapping[str, str]
    folder: str | None
    timeout: float | None
    grace: float
    most_output: int

    def as_json(self) -> bytes:
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(self.environment)
        return json.dumps({**asdict(self), "environment": environment}).encode()


def root() -> Path:
    """The folder of all commands of this user on this machine: ``RIVERSTONE_COMMANDS``, else one in ``/var/tmp``.

    Raises Invalid where somebody else could have put something there.
    """
    named = os.environ.get("RIVERSTONE_COMMANDS")
    place = Path(named) if named else Path("/var/tmp", f"riverstone-{os.getuid()}")
    place.mkdir(mode=0o700, parents=bool(named), exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        text = f"{place} must be a folder that belongs to this user, with the mode 0700: set RIVERSTONE_COMMANDS."
        raise Invalid(text, code="commands-folder")
    return place


class CommandRun:
    """One, in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._said = 0

    @property
    def exists(self) -> bool:
        """Whether somebody was about to begin it here."""
        return self.folder.is_dir()

    def prepare(self) -> None:
        """Make the folder, with room for the result: what fails from now on on a full disk is no more than output."""
        made = False
        while not made:
            self.folder.parent.mkdir(mode=0o700, exist_ok=True)
            # An old one may be swept away before there is something in it: the next is new, so it stays.
            with suppress(FileNotFoundError):
                self.folder.mkdir(mode=0o700, exist_ok=True)
                made = True
        result = self.folder / runner.RESULT
        if not result.exists() or result.stat().st_size < runner.ROOM:
            with result.open("wb") as file:
                file.write(b" " * runner.ROOM)
                file.flush()
                os.fsync(file.fileno())

    def carry_out(
        self, told: CommandSpec, *, wait: Callable[[float], bool], log: Callable[[str], None], rerunnable: bool
    ) -> CommandResult:
        """Begin it, or find it, and wait for its end; ``wait`` says whether it was asked to stop.

        Raises CommandFailed where its time was over or it could not be started, Fatal where nobody can tell what came
        of it, InterruptedError once it has stopped because somebody has asked.
        """
        look, asked, begins = FIRST_LOOK, False, 0
        while True:
            with self._locked() as lock:
                if lock is not None:
                    found = self._found()
                    if found is not None:
                        self._tell(log, whole=True)
                        return self._result(found, told.most_output)
                    if asked and self._orphan() is None:
                        raise InterruptedError("The command was stopped.")
                    if self._orphan() is None:
                        begins += 1
                        if begins > MOST_BEGINS:
                            raise CommandFailed(f"Its runner cannot begin it: is there room in {self.folder.parent}?")
                        self._begin(told, lock, rerunnable=rerunnable)
            self._tell(log)
            if not asked and wait(look):
                asked = True
                self.stop()
            elif asked:
                time.sleep(look)
            look = min(look * 1.5, LAST_LOOK)

    def stop(self) -> None:
        """Ask for its end: its runner sends SIGTERM, and after the grace SIGKILL. Where that is dead, we do."""
        with suppress(OSError):
            (self.folder / runner.STOP).touch(mode=0o600)
        with self._locked() as lock:
            if lock is not None and (orphan := self._orphan()) is not None:
                with suppress(ProcessLookupError):
                    os.killpg(orphan, 9)

    def is_running(self) -> bool:
        """Whether it runs, or somebody is about to begin it."""
        with self._locked() as lock:
            return lock is None or self._orphan() is not None

    def is_old(self) -> bool:
        """Whether its folder can go."""
        with suppress(OSError):
            return time.time() - self.folder.stat().st_mtime > KEPT and not self.is_running()
        return False

    def remove(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- beginning

    def _begin(self, told: CommandSpec, lock: int, *, rerunnable: bool) -> None:
        """Have a runner begin it, which takes the lock over; not where it has begun before."""
        begun = self._read(runner.BEGUN)
        if begun is not None:
            what = "the machine was restarted" if begun["boot"] != runner.boot_id() else "its runner was killed"
            if not rerunnable:
                raise Fatal(
                    f"Nobody can tell what came of the command {begun['arguments'][0]!r}: {what} before it had ended."
                    " Look what it has done, then retry or do it by hand; a command that may run twice is rerunnable."
                )
            for name in (runner.BEGUN, runner.OUTPUT, runner.STOP):
                (self.folder / name).unlink(missing_ok=True)
        _reap()
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", runner.__file__, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=(lock,),
        )
        _started.add(child)
        assert child.stdin is not None
        with suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(told.as_json())

    def _orphan(self) -> int | None:
        """The command itself, if it runs on though its runner is dead."""
        begun = self._read(runner.BEGUN)
        if begun is None or begun["boot"] != runner.boot_id() or "child" not in begun:
            return None
        found = runner.started(begun["child"])
        return int(begun["child"]) if found is not None and found == begun["child_started"] else None

    # -- what is found

    def _found(self) -> dict[str, Any] | None:
        found = self._read(runner.RESULT)
        if found is None or "error" not in found:
            return found
        raise CommandFailed(found["error"])

    def _result(self, found: Mapping[str, Any], most: int) -> CommandResult:
        data = b""
        with suppress(OSError), (self.folder / runner.OUTPUT).open("rb") as file:
            data = file.read(most)
        result = CommandResult(
            exit_code=found["exit_code"],
            output=data.decode("utf-8", "replace"),
            cut=found["cut"],
            seconds=found["seconds"],
        )
        if found["why"] == "stopped":
            raise InterruptedError("The command was stopped.")
        if found["why"] == "timeout":
            raise CommandFailed(f"The command had not ended in time.{tail(result.output)}", result)
        return result

    def _tell(self, log: Callable[[str], None], *, whole: bool = False) -> None:
        """The lines that have come since the last time."""
        with suppress(OSError), (self.folder / runner.OUTPUT).open("rb") as file:
            file.seek(self._said)
            data = file.read(1 << 16)
            end = len(data) if whole else data.rfind(b"\n") + 1
            self._said += end
            for line in data[:end].decode("utf-8", "replace").splitlines():
                log(line)

    def _read(self, name: str) -> dict[str, Any] | None:
        with suppress(OSError, ValueError):
            text = (self.folder / name).read_text(encoding="utf-8").strip()
            found: dict[str, Any] = json.loads(text) if text else {}
            return found or None
        return None

    @contextmanager
    def _locked(self) -> Iterator[int | None]:
        """The lock of the folder, or None where a runner has it, or another engine looks this moment."""
        import fcntl

        descriptor = os.open(self.folder / runner.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield descriptor
        finally:
            os.close(descriptor)


_started: set[subprocess.Popen[bytes]] = set()
"""Runners that this process has begun."""


def _reap() -> None:
    """Ask those that have ended for their end: until somebody does they stay as zombies, each with a process id."""
    for each in tuple(_started):
        if each.poll() is not None:
            _started.discard(each)


@atexit.register
def _leave() -> None:
    """Let those that outlive this process go without a warning."""
    for each in _started:
        each.returncode = each.poll() or 0


def tail(output: str) -> str:
    """The end of what a command has said, for a reason."""
    end = output.strip()[-TAIL:]
    return f" It said: {end}" if end else ""


def commands(key: str) -> Iterator[CommandRun]:
    """Those of one start on this machine: each start has a folder, so that nobody looks through those of all."""
    return map(CommandRun, _folders(root() / key))


def sweep() -> None:
    """Remove what has ended long ago."""
    for start in _folders(root()):
        for command in commands(start.name):
            if command.is_old():
                command.remove()
        # Where something is left in it, or a command begins just now, it stays.
        with suppress(OSError):
            if time.time() - start.stat().st_mtime > KEPT:
                start.rmdir()


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError:
        return []
