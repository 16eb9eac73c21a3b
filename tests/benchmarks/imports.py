"""How long a newcomer's first commands take, from the start of the interpreter to its end."""

from __future__ import annotations

import os
import subprocess
import sys

from . import diagrams
from .bench import Bench
from .measure import Spent, median, spent_by_children
from .table import Row, timed

HELP = "import sys; sys.argv = ['riverstone', '--help']; from riverstone.api.cli import main; main()"
FIRST = """
from riverstone.engine import Engine, Stone
class Nothing(Stone):
    code = "nothing"
    def start(self, task): pass
with Engine("sqlite:///:memory:", stones=[Nothing]) as engine:
    engine.deploy({model!r})
    started = engine.start(name="first", key="sequence-5")
    assert engine.get(started.process_instance_id).status == "success"
"""
"""What is imported late is paid for here."""


def measure(bench: Bench) -> list[Row]:
    """An empty interpreter, the import of the engine, a first process, and the help of the command line."""
    codes = {
        "nothing": "pass",
        "engine": "import riverstone.engine",
        "first": FIRST.format(model=diagrams.sequence(5)),
        "api": "from riverstone.api import create_app",
        "help": HELP,
    }
    # Once before, so that there is bytecode, as of what is installed.
    writing = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for code in codes.values():
        subprocess.run([sys.executable, "-c", code], env=writing, stdout=subprocess.DEVNULL, check=True)
    rounds = bench.size(15, 1)
    times: dict[str, list[Spent]] = {name: [] for name in codes}
    for _ in range(rounds):
        for name, code in codes.items():
            times[name].append(spent_by_children([sys.executable, "-c", code]))
    nothing, engine, first, api, helped = (median(times[name]) for name in codes)
    return [
        timed("python -c pass", nothing),
        timed("import riverstone.engine, python included", engine, target="<= 300 ms", met=engine.wall <= 0.3),
        timed("that, an engine, a deployment and a first process", first),
        timed("import of the Flask application, python included", api),
        timed("riverstone --help, python included", helped, target="<= 100 ms", met=helped.wall <= 0.1),
    ]
