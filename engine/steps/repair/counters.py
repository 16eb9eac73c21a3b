"""Loops and multi-instance activities whose runs a rewind undoes: they count as they did before these."""

from __future__ import annotations

from ...bpmn.elements.loops import Loop, MultiInstance
from ...bpmn.running.token import Token
from .retraces import Retraced


def count_back(found: Retraced) -> None:
    """Set the counters of all that holds runs and stays, or is open again."""
    workflow = found.process.workflow
    for container_id, runs in _undone_runs(found).items():
        container = workflow.tasks.get(container_id)
        loop = getattr(container.node, "loop", None) if container is not None else None
        if container is None or loop is None:
            continue
        if isinstance(loop, Loop):
            container.note(turns=min(runs))
        elif isinstance(loop, MultiInstance):
            _count_runs_back(container, loop, runs)


def _undone_runs(found: Retraced) -> dict[int, set[int]]:
    """By what holds them, the numbers of the runs of which anything is undone."""
    runs: dict[int, set[int]] = {}
    for number in found.undone:
        row = found.process.tasks[number]
        scope, run = row.scope, row.run
        while scope:
            if run is not None:
                runs.setdefault(scope, set()).add(run)
            scope, run = found.parents.get(scope, (0, None))
    return runs


def _count_runs_back(container: Token, loop: MultiInstance, runs: set[int]) -> None:
    internal = container.internal_data
    if loop.sequential:
        first = min(runs)
        container.note(begun=first, done=first - 1)
    else:
        # Those that are here have not ended, so they were not counted as done.
        ended = runs - {token.internal_data.get("run") for token in container.inside.values()}
        container.note(done=max(0, internal["count"] - len(container.inside) - len(ended)))
    for run in runs if "collected" in internal else ():
        internal["collected"][run - 1] = None
    loop.show_counts(container)
