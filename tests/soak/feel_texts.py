"""Any text at all given to FEEL: ``python3 -m tests.soak.feel_texts 500000 [--seed N]``.

Each has to end in a value or in a refusal, within a second of CPU and 100 MB. What does not is printed with what to
repeat it by; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import time
import traceback

from ..engine.language.feel.sentences import Sentences, ends

MOST_SECONDS = 1.0
MOST_KILOBYTES = 100 * 1024
PART = 100
"""Texts that one seed makes, so that a text is found again soon."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wrong = values = 0
    slowest = 0.0
    for part in range(arguments.seed, arguments.seed + arguments.texts // PART):
        sentences = Sentences(part)
        for number in range(PART):
            text = sentences.text()
            before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
            faulthandler.dump_traceback_later(60, exit=True)
            why = ""
            try:
                values += ends(text, as_cell=number % 5 == 0)
            except Exception:
                why = traceback.format_exc(limit=-3)
            took = time.thread_time() - begun
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            slowest = max(slowest, took)
            if took > MOST_SECONDS or grown > MOST_KILOBYTES:
                why += f"took {took:.2f} s and {grown // 1024} MB"
            if why:
                wrong += 1
                print(f"seed {part}, text {number}: {text[:300]!r}\n{why}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    made = arguments.texts // PART * PART
    print(f"{made} texts, {values} with a value, {wrong} wrong; the slowest took {slowest:.2f} s of CPU.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
