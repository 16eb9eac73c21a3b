"""``python -m tests.benchmarks [--quick] [--large] [--json FILE] [NAME ...]``: measure, and print a table.

Each benchmark runs in a process of its own, so that none inherits the memory or the threads of another.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from .bench import Bench
from .history import Run
from .table import HEAD

BENCHMARKS = {
    "sequences": "5, 10, 100 and 1,000 stones in sequence",
    "instructions": "5 stones in sequence, counted by valgrind",
    "branches": "10, 100 and 500 in parallel; blocks",
    "repetition": "multi-instance and loops",
    "undoing": "1,000 and 5,000 tasks undone: the longest step",
    "neighbours": "36 worst cases: what a second client waits",
    "deploying": "400 nodes",
    "expressions": "conditions in JUEL and FEEL, and a decision table",
    "at_once": "32 processes in flight in the library, on threads and inline",
    "over_http": "32 clients of the server",
    "until_ended": "32 clients that are answered at the end, beside Restate",
    "memory": "what a server keeps under a mixed load, and how it grows",
    "two_servers": "two servers on one PostgreSQL beside one, and when one hears of the other",
    "far_away": "five stones on a database that is 2 ms away",
    "parked": "500 and 1,000 workers that wait for tasks over HTTP",
    "waiting": "10,000 monitors",
    "coroutines": "5,000 coroutines that wait, and as many deferred tasks",
    "store_size": "bytes per instance; reading beside a million others",
    "large_stores": "messages, lists, texts, figures and a purge among 100,000 (--large: a million)",
    "long_processes": "one process of 50,000 tasks, and one of 1 MB",
    "imports": "the engine and the command line",
    "databases": "what PostgreSQL and MariaDB take, without an engine",
    "workers": "Celery workers behind RabbitMQ, beside a task that does nothing",
    "peers": "SpiffWorkflow and DBOS",
}


def main() -> int:
    """Run what is named, or everything; 1 if a benchmark broke (a missed target is not an error)."""
    names = "\n".join(f"  {name:<12}{text}" for name, text in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py bench", epilog=names, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="small sizes: only to see that all of it runs")
    parser.add_argument("--large", action="store_true", help="a million processes where it is about many (2 GB)")
    parser.add_argument("--json", metavar="FILE", help="add what is measured to this file: see tests.benchmarks.report")
    parser.add_argument("--folder", help="where to put the stores: on the disk that is to be measured")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
    if chosen.alone:
        with tempfile.TemporaryDirectory(dir=chosen.folder, ignore_cleanup_errors=True) as folder:
            for name in chosen.names:
                run(name, Bench(folder=Path(folder), quick=chosen.quick, large=chosen.large), chosen.json)
        return 0
    print(HEAD)
    options = [f"--{name}" for name in ("quick", "large") if getattr(chosen, name)]
    for name in ("folder", "json"):
        if getattr(chosen, name):
            options += [f"--{name}", getattr(chosen, name)]
    codes = []
    for name in chosen.names or BENCHMARKS:
        print(f"{name}: {BENCHMARKS[name]}", flush=True)
        codes.append(subprocess.call([sys.executable, "-m", __package__, "--alone", *options, name]))
    return int(any(codes))


def run(name: str, bench: Bench, history: str | None = None) -> None:
    """Measure one benchmark and print its rows, and add them to a file of earlier ones."""
    run_of = Run.now() if history else None
    for row in importlib.import_module(f".{name}", __package__).measure(bench):
        print(row, flush=True)
        if run_of is not None and history is not None:
            run_of.add(Path(history), name, row)


if __name__ == "__main__":
    sys.exit(main())
