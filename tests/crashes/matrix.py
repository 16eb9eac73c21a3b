"""Kills the reference process at places, lets it go on in a new process, and tells what came out differently.

It runs in an interpreter of its own without threads, and forks: a new interpreter for each life would take a second.
Usage: ``python -m tests.crashes.matrix <folder> <extent> [url]``; prints one JSON object. The extents are in
``EXTENTS``; without the URL of a database, which is emptied for each case, every case has a file of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riverstone.engine import failpoints
from riverstone.engine.ledger import window
from riverstone.models import Store
from riverstone.models.row_types.tables import TABLES

from .ground import Ground
from .reference import VARIANTS, Variant, play, told

AT_ONCE = 5
"""Cases under way: most of what one does is waiting for the disk."""
PATIENCE = 45
"""Seconds after which a life that does not end is ended."""
TAKEOVERS = ("before-takeover", "after-takeover", "before-claim", "after-claim")


Play = tuple[Variant, bool, str]
"""A variant of the reference, whether on threads, and at which passings of each place it is killed."""

EXTENTS: dict[str, list[Play]] = {
    "rollback": [("rollback", False, "every")],
    "others": [
        ("rollback", True, "middle"),
        ("success", False, "middle"),
        ("success", True, "first"),
        ("delete", False, "ends"),
        ("delete", True, "middle"),
    ],
    "server": [("rollback", True, "middle")],
    "folded": [("rollback", False, "middle"), ("success", False, "first")],
    "every": [(variant, threads, "every") for variant in VARIANTS for threads in (False, True)],
}


@dataclass(frozen=True)
class Case:
    """One play of the reference: each life but the last ends at a place, reached for the so-manyth time."""

    variant: Variant
    threads: bool
    kills: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        killed = ", then ".join(f"{name}:{passing}" for name, passing in self.kills)
        return f"{self.variant} on {'threads' if self.threads else 'inline'} killed at {killed}"


def forked(action: Callable[[], None]) -> int:
    """Run this in a process of its own; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.alarm(PATIENCE)
        action()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(pid: int) -> int:
    """The exit code of a process, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_case(case: Case, url: str, folder: Path) -> None:
    """Play a case through all its lives, and leave in ``folder`` what came of it."""
    ground = Ground(folder / "calls")
    ends: list[int] = []
    for life, kill in enumerate((*case.kills, None)):

        def live(life: int = life, kill: tuple[str, int] | None = kill) -> None:
            if kill is not None:
                failpoints.kill_at(*kill)
            play(url, ground, case.variant, threads=case.threads, life=life)

        ends.append(ended(forked(live)))
    found: dict[str, Any] = {"ends": ends}
    if ends[-1] == 0:
        found |= told(url, ground)
    (folder / "result").write_text(json.dumps(found))


def warm(folder: Path) -> None:
    """Play once here: what an engine imports late would be imported again in each life, and take most of its time."""
    url, ground = f"sqlite:///{folder}/warm.db", Ground(folder / "warm")
    play(url, ground, "delete", threads=False, life=0)
    told(url, ground)
    assert threading.active_count() == 1, "who forks must have no threads"


def undisturbed(variant: Variant, threads: bool, url: str, folder: Path) -> tuple[Counter[str], dict[str, Any]]:
    """How often a play that nobody kills comes to each place, and what comes of it."""
    ground = Ground(folder / "calls")

    def live() -> None:
        # A list, since appending to it is one step for threads too.
        names: list[str] = []
        failpoints.tell(names.append)
        play(url, ground, variant, threads=threads, life=0)
        failpoints.tell(None)
        (folder / "told").write_text(json.dumps([names, told(url, ground)]))

    assert ended(forked(live)) == 0, "the undisturbed play failed"
    names, found = json.loads((folder / "told").read_text())
    return Counter(names), found


def cases_of(variant: Variant, passed: Counter[str], *, threads: bool, extent: str) -> Iterator[Case]:
    """The cases to play, each killed at one passing of one place, or while it takes over from a life killed before."""
    for name in failpoints.names():
        if times := passed[name]:
            chosen = {"every": range(1, times + 1), "ends": {1, times}, "first": {1}, "middle": {(times + 1) // 2}}
            for passing in sorted(chosen[extent]):
                yield Case(variant, threads, ((name, passing),))
    for name in TAKEOVERS:
        yield Case(variant, threads, (("after-hook", passed["after-hook"] // 2), (name, 1)))


class Databases:
    """An empty database for each case: a file of its own with the tables in it, or one of a server, emptied."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.server = server
        self.seed = folder / "seed.db"
        url = server or f"sqlite:///{self.seed}"
        assert ended(forked(lambda: Store(url).close())) == 0, "the database could not be made"

    def fresh(self, folder: Path) -> str:
        """The URL of a database for one case."""
        if self.server is not None:
            assert ended(forked(self._empty)) == 0, "the database could not be emptied"
            return self.server
        shutil.copy(self.seed, folder / "store.db")
        return f"sqlite:///{folder}/store.db"

    def _empty(self) -> None:
        assert self.server is not None
        store = Store(self.server)
        for table in TABLES:
            store.execute(f"DELETE FROM `{table}`")
        store.close()


def differences(case: Case, found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is not as in the undisturbed play."""
    ends = found.pop("ends")
    if ends[-1] != 0:
        return [f"{case}: it did not come to rest ({ends})"]
    if any(end not in (0, -signal.SIGKILL) for end in ends):
        return [f"{case}: a life ended otherwise ({ends})"]
    return [f"{case}: {name} is {found[name]}, not {wanted[name]}" for name in wanted if found[name] != wanted[name]]


def play_all(folder: Path, server: str | None, plays: Sequence[Play]) -> dict[str, Any]:
    """Play every case of these; ``wrong`` lists what was not as it should be, ``passed`` counts the places."""
    warm(folder)
    databases = Databases(folder, server)
    wanted: dict[tuple[Variant, bool], dict[str, Any]] = {}
    passed: Counter[str] = Counter()
    cases: list[Case] = []
    for variant, threads, extent in plays:
        quiet = folder / f"quiet-{variant}-{threads}"
        quiet.mkdir()
        counted, wanted[variant, threads] = undisturbed(variant, threads, databases.fresh(quiet), quiet)
        passed += counted
        cases += cases_of(variant, counted, threads=threads, extent=extent)
    wrong = [f"undisturbed: {each}" for found in wanted.values() for each in found["wrong"]]
    killed = 0
    for case, found in results(cases, databases, folder, at_once=AT_ONCE if server is None else 1):
        dead = [name for (name, _), end in zip(case.kills, found["ends"], strict=False) if end == -signal.SIGKILL]
        passed.update(dead)
        killed += len(dead)
        wrong += differences(case, found, wanted[case.variant, case.threads])
    return {"cases": len(cases), "killed": killed, "passed": dict(passed), "wrong": wrong}


def results(
    cases: Sequence[Case], databases: Databases, folder: Path, *, at_once: int
) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Play cases, some at once, and give what came of each."""
    waiting = list(enumerate(cases))[::-1]
    under_way: dict[int, tuple[Case, Path]] = {}
    while waiting or under_way:
        while waiting and len(under_way) < at_once:
            number, case = waiting.pop()
            place = folder / str(number)
            place.mkdir()
            url = databases.fresh(place)
            under_way[forked(lambda: run_case(case, url, place))] = (case, place)  # noqa: B023
        pid, _ = os.wait()
        case, place = under_way.pop(pid)
        result = place / "result"
        yield case, json.loads(result.read_text()) if result.exists() else {"ends": [1]}
        shutil.rmtree(place)


def main(folder: str, extent: str, server: str | None = None) -> None:
    """Play and print what came of it."""
    if extent == "folded":
        # Every ledger is long.
        window.LEAST = 1
    print(json.dumps(play_all(Path(folder), server, EXTENTS[extent])))


if __name__ == "__main__":
    main(*sys.argv[1:])
