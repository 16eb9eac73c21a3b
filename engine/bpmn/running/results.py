"""The outputs of one instance, by the calls and the runs in which they were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Step = str | list[Any]
"""A call activity's namespace, or the namespace of a multi-instance sub-process and the number of one of its runs."""
Place = Sequence[Step]
"""The calls and runs that something is inside of, outermost first; rows of the ledger hold it as JSON."""


def calls_in(place: Place) -> list[str]:
    """The namespaces of the call activities alone."""
    return [step for step in place if isinstance(step, str)]


def runs_in(place: Place) -> list[int]:
    """The numbers of the runs alone."""
    return [step[1] for step in place if not isinstance(step, str)]


class Results:
    """Outputs by namespace.

    What a called process puts out is nested under its call. What a run of a multi-instance sub-process puts out is
    nested under ``<sub><number>``, and stands beside that under its plain namespace, where the run that was last stays.
    """

    __slots__ = ("_from_runs", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._from_runs: dict[tuple[str, ...], dict[str, str]] = {}
        """By the place of a level: which of its names came from a run of which sub-process."""

    def clear(self) -> None:
        """Forget all; contexts that show them go on doing so."""
        self.values.clear()
        self._from_runs.clear()

    def kept(self) -> list[Any]:
        """All of it as JSON; :meth:`take` puts it back."""
        return [self.values, [[[*names], marks] for names, marks in self._from_runs.items()]]

    def take(self, kept: Sequence[Any]) -> None:
        """Add what was kept to nothing."""
        values, from_runs = kept
        self.values.update(values)
        self._from_runs.update((tuple(names), marks) for names, marks in from_runs)

    def put(self, place: Place, namespace: str, values: Mapping[str, Any]) -> None:
        """Add what one task has put out."""
        if not place and not self._from_runs:
            self.values.setdefault(namespace, {}).update(values)
            return
        levels: list[tuple[tuple[str, ...], dict[str, Any], str | None]] = [((), self.values, None)]
        for step in place:
            if isinstance(step, str):
                levels = [(*self._enter(*level, step), None) for level in levels]
            else:
                names, inner, _ = levels[-1]
                levels = [(*level[:2], level[2] or step[0]) for level in levels]
                run = f"{step[0]}{step[1]}"
                levels.append(((*names, run), inner.setdefault(run, {}), None))
        *plain, (names, inner, _) = levels
        own = inner.setdefault(namespace, {})
        own.update(values)
        self._mark(names, namespace, None)
        for names, inner, run_of in plain:
            inner[namespace] = {**own}
            self._mark(names, namespace, run_of)

    def _enter(
        self, names: tuple[str, ...], inner: dict[str, Any], run_of: str | None, call: str
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        self._mark(names, call, run_of)
        return (*names, call), inner.setdefault(call, {})

    def _mark(self, names: tuple[str, ...], name: str, run_of: str | None) -> None:
        if run_of is not None:
            self._from_runs.setdefault(names, {})[name] = run_of
        elif names in self._from_runs:
            self._from_runs[names].pop(name, None)

    def seen_from(self, place: Place, in_turn: Iterable[str] = ()) -> Mapping[str, Any]:
        """What is seen at a place: of its call, the nearest run before what is around it.

        What other runs of the same sub-process have put out is not seen, except where they came one after the other:
        ``in_turn`` holds the namespaces of those sub-processes.
        """
        level: Mapping[str, Any] = self.values
        names: tuple[str, ...] = ()
        around: list[tuple[Mapping[str, Any], Mapping[str, str], str | None]] = []
        for step in place:
            if isinstance(step, str):
                around.clear()
                name = step
            else:
                around.append((level, self._from_runs.get(names, {}), None if step[0] in in_turn else step[0]))
                name = f"{step[0]}{step[1]}"
            level, names = level.get(name, {}), (*names, name)
        return _Seen(level, around[::-1]) if around else level


def of_run(seen: Mapping[str, Any], namespace: str, run: int) -> Mapping[str, Any]:
    """What one run of a multi-instance task or call sees: under the namespace of all what it has put out itself."""
    own = seen.get(f"{namespace}{run}")
    return seen if own is None else _Seen({namespace: own}, [(seen, {}, None)])


def behind(seen: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is seen behind outputs of one's own."""
    return _Seen(own, [(seen, {}, None)])


class _Seen(Mapping[str, Any]):
    """The outputs of a run in front of those around it, less what other runs have put out."""

    __slots__ = ("_around", "_own")

    def __init__(
        self, own: Mapping[str, Any], around: Sequence[tuple[Mapping[str, Any], Mapping[str, str], str | None]]
    ) -> None:
        self._own = own
        self._around = around

    def __getitem__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        for values, from_runs, hidden in self._around:
            if name in values and (hidden is None or from_runs.get(name) != hidden):
                return values[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        names = {name: None for values, _, _ in reversed(self._around) for name in values}
        return (name for name in {**names, **dict.fromkeys(self._own)} if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
