"""How long a newcomer's first commands take, from the start of the interpreter to its end."""

from __future__ import annotations

import sys

from .bench import Bench
from .measure import Spent, median, spent_by_children
from .table import Row, timed

HELP = "import sys; sys.argv = ['riverstone', '--help']; from riverstone.api.cli import main; main()"


def measure(bench: Bench) -> list[Row]:
    """An empty interpreter, the import of the engine, and the help of the command line."""
    codes = {
        "nothing": "pass",
        "engine": "import riverstone.engine",
        "api": "from riverstone.api import create_app",
        "help": HELP,
    }
    rounds = bench.size(15, 1)
    times: dict[str, list[Spent]] = {name: [] for name in codes}
    for _ in range(rounds):
        for name, code in codes.items():
            times[name].append(spent_by_children([sys.executable, "-c", code]))
    nothing, engine, api, helped = (median(times[name]) for name in codes)
    return [
        timed("python -c pass", nothing),
        timed("import riverstone.engine, python included", engine, target="<= 300 ms", met=engine.wall <= 0.3),
        timed("import of the Flask application, python included", api),
        timed("riverstone --help, python included", helped, target="<= 100 ms", met=helped.wall <= 0.1),
    ]
