"""Runs one command for an engine and outlives it: a program by itself, which imports nothing of riverstone.

It is started as ``python -I -S runner.py FOLDER``, reads what to run from its standard input, and holds the lock of the
folder for as long as it lives. So whoever gets the lock knows that nobody runs the command, whatever was killed,
rebooted, or given the same process id since.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

LOCK, BEGUN, OUTPUT, RESULT, STOP = "lock", "begun.json", "output", "result.json", "stop"
"""The files of a folder."""
ROOM = 4096
"""Bytes that the result may take: they are taken up before anything begins, so that a full disk cannot lose it."""
MOST_SAID = 500
"""Characters of an error that the result tells: more might not find room, and half a result is none."""
POLL = 0.05
LAST_WORDS = 1.0
"""Seconds that what the command has left running may go on writing, before its output counts as whole."""
HIDDEN = "hidden"
"""In place of a process's start: there is one, and nothing is told of it."""


def boot_id() -> str:
    """What tells this run of the machine from any other, or nothing."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
    return ""


def started(pid: int) -> str | None:
    """When a process was started, by the system's own count; None if there is no such process."""
    with suppress(OSError), open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
        # A dead process that its parent has not asked about yet still has an entry.
        return None if fields[0] in ("Z", "X") else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return HIDDEN


def write(path: str, value: Any) -> None:
    """Have a small JSON file there as a whole or not at all."""
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


class _Output:
    """What a command says, kept up to a limit, and read on beyond it so that nobody has to wait."""

    def __init__(self, path: str, most: int) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.left = most
        self.cut = False

    def take(self, pipe: int) -> None:
        while data := os.read(pipe, 1 << 16):
            try:
                os.write(self.file, data[: self.left])
            except OSError:
                self.left = 0
            self.cut = self.cut or len(data) > self.left
            self.left = max(0, self.left - len(data))


class _Runner:
    def __init__(self, folder: str, told: dict[str, Any]) -> None:
        self.folder = folder
        self.told = told
        self.began = time.monotonic()
        self.ending: tuple[str, float] | None = None
        """Why the command has to end, and when it is killed."""

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def run(self) -> dict[str, Any]:
        me = {
            "pid": os.getpid(),
            "started": started(os.getpid()),
            "boot": boot_id(),
            "arguments": self.told["arguments"],
        }
        output = _Output(self.path(OUTPUT), self.told["most_output"])
        # Before the command begins: from here on nobody may begin it again.
        write(self.path(BEGUN), me)
        try:
            child = subprocess.Popen(
                self.told["arguments"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.told["environment"],
                cwd=self.told["folder"],
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return {"error": f"It could not be started: {error}"[:MOST_SAID]}
        with suppress(OSError):
            write(self.path(BEGUN), {**me, "child": child.pid, "child_started": started(child.pid)})
        assert child.stdin is not None
        assert child.stdout is not None
        threading.Thread(target=self._feed, args=(child.stdin,), daemon=True).start()
        reader = threading.Thread(target=output.take, args=(child.stdout.fileno(),), daemon=True)
        reader.start()
        while child.poll() is None:
            self._see_to(child.pid)
            time.sleep(POLL)
        if self.ending is not None:
            _signal(child.pid, signal.SIGKILL)
        reader.join(LAST_WORDS)
        why = None if self.ending is None else self.ending[0]
        return {"exit_code": child.returncode, "why": why, "cut": output.cut, "seconds": time.monotonic() - self.began}

    def _feed(self, pipe: Any) -> None:
        with suppress(OSError):
            pipe.write(self.told["stdin"].encode("utf-8", "surrogateescape"))
            pipe.close()

    def _see_to(self, group: int) -> None:
        """Stop the command when somebody asks or its time is over: kindly at first. Its id is kept while we live."""
        now, timeout = time.monotonic(), self.told["timeout"]
        if self.ending is None:
            asked = os.path.exists(self.path(STOP))
            if asked or (timeout is not None and now - self.began > timeout):
                self.ending = ("stopped" if asked else "timeout", now + self.told["grace"])
                _signal(group, signal.SIGTERM)
        elif now > self.ending[1]:
            _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def main(folder: str) -> None:
    told = json.load(sys.stdin)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever stops an engine with all that it has started does not mean a command that is to outlive it. (To be
        # ignored would be inherited by the command.)
        signal.signal(number, lambda *_: None)
    result = _Runner(folder, told).run()
    descriptor = os.open(os.path.join(folder, RESULT), os.O_WRONLY)
    os.pwrite(descriptor, json.dumps(result).encode()[:ROOM], 0)
    os.fsync(descriptor)


if __name__ == "__main__":
    main(sys.argv[1])
