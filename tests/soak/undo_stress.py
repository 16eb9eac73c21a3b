"""Many random cases of undo: ``python -m tests.soak.undo_stress 10000 [first seed [threads]]``; tells what fails."""

from __future__ import annotations

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


def play_many(make: Callable[[int, Path], UndoCase], count: int, first: int = 0) -> int:
    """Play cases with these seeds; the number that failed."""
    logging.disable(logging.CRITICAL)
    failed = 0
    ends: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            case = make(seed, Path(folder))
            try:
                case.play()
                ends.update(case.history)
            except Exception:
                failed += 1
                print(f"seed {seed} failed after {', '.join(case.history)}")
                traceback.print_exc(limit=-4)
            for file in Path(folder).glob(f"case-{seed}.db*"):
                file.unlink()
    print(f"{count} cases, {failed} failed, {time.monotonic() - began:.0f} s")
    print(", ".join(f"{what}: {times}" for what, times in ends.most_common(12)))
    return failed


if __name__ == "__main__":
    make = partial(UndoCase, threads="threads" in sys.argv)
    sys.exit(bool(play_many(make, *map(int, sys.argv[1:3] or ["200"]))))
