"""DBOS on SQLite: a workflow of steps that do nothing, each recorded when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def is_installed() -> bool:
    """Whether the peers of ``requirements.txt`` are there."""
    return find_spec("dbos") is not None


@contextmanager
def dbos(folder: Path) -> Iterator[Callable[[int], object]]:
    """A function that runs a workflow of so many steps and returns when it has ended."""
    library: Any = import_module("dbos").DBOS
    library(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{folder / 'dbos.db'}",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )

    def nothing() -> None:
        """There is nothing to do."""

    step = library.step()(nothing)

    def sequence(count: int) -> None:
        for _ in range(count):
            step()

    workflow = library.workflow()(sequence)
    library.launch()
    try:
        yield workflow
    finally:
        library.destroy()
