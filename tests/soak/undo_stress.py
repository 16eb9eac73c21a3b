"""Many random cases of undo: ``python -m tests.soak.undo_stress 10000 [first seed] [threads]``; tells what fails.

With ``--progress FILE`` the run can be stopped at any time: it tells how many it has played, and goes on from there
when it is begun again with the same file.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .undo_case import UndoCase

TOLD = 500
"""After how many cases it is told how far the run has come."""


def play_many(make: Callable[[int, Path], UndoCase], count: int, first: int = 0, progress: Path | None = None) -> int:
    """Play cases with these seeds, less those that a stopped run has played; the number that failed."""
    logging.disable(logging.CRITICAL)
    failed: list[int] = []
    played = 0
    if progress is not None and progress.exists():
        kept = json.loads(progress.read_text(encoding="utf-8"))
        assert kept["first"] == first, f"{progress} is about seeds from {kept['first']} on"
        played, failed = kept["played"], kept["failed"]
    ends: Counter[str] = Counter()
    began, before = time.monotonic(), played
    with tempfile.TemporaryDirectory() as folder:
        try:
            while played < count:
                seed = first + played
                if not _passes(make(seed, Path(folder)), ends):
                    failed.append(seed)
                for file in Path(folder).glob(f"case-{seed}.db*"):
                    file.unlink()
                played += 1
                if progress is not None:
                    progress.write_text(json.dumps({"first": first, "played": played, "failed": failed}))
                if played % TOLD == 0:
                    print(f"{played} of {count} cases played, {len(failed)} failed", flush=True)
        except KeyboardInterrupt:
            print(f"stopped before seed {first + played}")
    took = time.monotonic() - began
    print(f"{played} cases, {len(failed)} failed {failed or ''}; of these {played - before} now, in {took:.0f} s")
    print(", ".join(f"{what}: {times}" for what, times in ends.most_common(12)), flush=True)
    return len(failed)


def _passes(case: UndoCase, ends: Counter[str]) -> bool:
    try:
        case.play()
    except Exception:
        print(f"seed {case.seed} failed after {', '.join(case.history)}")
        traceback.print_exc(limit=-4)
        return False
    ends.update(case.history)
    return True


def play_as_told(make: Callable[[int, Path], UndoCase]) -> int:
    """Play what the command line says; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("--progress", type=Path)
    told = parser.parse_args([word for word in sys.argv[1:] if word != "threads"])
    return bool(play_many(make, told.count, told.first, told.progress))


if __name__ == "__main__":
    sys.exit(play_as_told(partial(UndoCase, threads="threads" in sys.argv, batched=True)))
