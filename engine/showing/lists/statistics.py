"""Statistics of the last runs: how many failed and how long they took, by model, version, stone and element."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from ....models import Store
from ....models.search.statistics import RunRow, StepRow, read_runs, read_steps
from ...clock import moment
from ...views.statistics import RunFigures, Statistics

PART = 200
"""Runs that are read at once."""
MOST_STEPS = 50_000
"""Tasks that are looked at in all."""
MOST_SHOWN = 200
"""Lines of one list."""


@dataclass(slots=True)
class _Tally:
    """What is counted of one model, stone or element."""

    name: str | None = None
    stone: str | None = None
    runs: int = 0
    open: int = 0
    failed: int = 0
    retries: int = 0
    lengths: list[int] = field(default_factory=list)

    def run(self, row: RunRow) -> None:
        self._add(row.started, row.ended, failed=row.outcome == "failed", is_open=row.outcome is None)

    def step(self, row: StepRow) -> None:
        self.retries += row.attempt - 1
        self._add(row.created, row.ended, failed=row.status.endswith("failed"), is_open=bool(row.open))

    def _add(self, begun: int, ended: int | None, *, failed: bool, is_open: bool) -> None:
        self.runs += 1
        self.open += is_open
        self.failed += failed
        if ended is not None and not failed:
            self.lengths.append(ended - begun)


class _Count:
    """The tallies of one list, by what tells them apart."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], _Tally] = {}
        self.stones: dict[str, _Tally] = {}
        self.elements: dict[tuple[str, str], _Tally] = {}

    def add(self, runs: Iterable[RunRow], steps: Iterable[StepRow]) -> None:
        """Count a part."""
        keys: dict[int, str] = {}
        for run in runs:
            keys[run.process_instance_id] = run.key
            self.runs.setdefault((run.key, run.deployment_id), _Tally()).run(run)
        for step in steps:
            if step.stone is not None:
                self.stones.setdefault(step.stone, _Tally(stone=step.stone)).step(step)
            place = keys[step.process_instance_id], step.node
            self.elements.setdefault(place, _Tally(name=step.name, stone=step.stone)).step(step)


def read_statistics(
    store: Store, *, since: int | None, key: str | None, owner: str | None, most_runs: int
) -> Statistics:
    """What the last runs came to; raises StoreError."""
    count, before, seen, steps_left = _Count(), None, 0, MOST_STEPS
    oldest: int | None = None
    complete = True
    while seen < most_runs and steps_left > 0:
        wanted = min(PART, most_runs - seen)
        runs = read_runs(store, before=before, since=since, key=key, owner=owner, limit=wanted)
        if not runs:
            break
        steps = read_steps(store, [run.process_instance_id for run in runs], steps_left)
        count.add(runs, steps)
        seen, steps_left = seen + len(runs), steps_left - len(steps)
        before, oldest = runs[-1].process_instance_id, runs[-1].started
        if len(runs) < wanted:
            break
        # Others get the interpreter between two parts, however many there are.
        time.sleep(0)
    else:
        complete = not read_runs(store, before=before, since=since, key=key, owner=owner, limit=1)
    versions = {each: _version(store, each) for each in {deployment for _, deployment in count.runs}}
    return Statistics(
        runs=seen,
        since=None if oldest is None else moment(oldest),
        complete=complete and steps_left > 0,
        models=_shown(
            _figures(tally, key=of, deployment_id=deployment, version=versions[deployment])
            for (of, deployment), tally in count.runs.items()
        ),
        stones=_shown(_figures(tally) for tally in count.stones.values()),
        elements=_shown(_figures(tally, key=of, element_id=element) for (of, element), tally in count.elements.items()),
    )


def _version(store: Store, deployment_id: str) -> int:
    """The number of a version; 0 for a trial run, or one that is no more."""
    return int(store.value("SELECT `version` FROM `deployment` WHERE `id` = ?", (deployment_id,)) or 0)


def _figures(
    tally: _Tally,
    *,
    key: str | None = None,
    deployment_id: str | None = None,
    version: int | None = None,
    element_id: str | None = None,
) -> RunFigures:
    lengths = sorted(tally.lengths)
    return RunFigures(
        key=key,
        deployment_id=deployment_id,
        version=version,
        element_id=element_id,
        name=tally.name,
        stone=tally.stone,
        runs=tally.runs,
        open=tally.open,
        failed=tally.failed,
        retries=tally.retries,
        median=round(median(lengths)) if lengths else None,
        slow=lengths[(len(lengths) * 95 - 1) // 100] if lengths else None,
    )


def _shown(found: Iterable[RunFigures]) -> tuple[RunFigures, ...]:
    """Those that failed most often first, then those that ran most often."""
    ordered = sorted(found, key=lambda each: (-each.failed, -each.runs))
    return tuple(ordered[:MOST_SHOWN])
