"""Which of a task's parameters and outputs are secret: kept with the task, for its stone may be gone by then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from ...models import PutOut, TaskRow
from .. import jsontext
from ..authoring.definitions import Definition
from ..authoring.secret_variables import secret_variables
from ..jsontext import JSON
from ..language.context import Path
from ..mask import Mask, value_at
from ..secret_sources.references import is_reference, read_reference
from ..stones.declarations.parameters import is_declared, no_echo
from ..stones.registry import Stones
from ..stones.stone import Stone
from . import ledger

Names = frozenset[str]


def keep(row: TaskRow, stone: type[Stone], references: Collection[str] | None = None) -> bool:
    """Keep the names of what is secret in a row that is handed to this stone; whether anything is.

    ``references`` are the parameters by which the model refers to secrets, where these change.
    """
    parameters, outputs = sorted(no_echo(stone)), sorted(stone.secret_outputs)
    if not parameters and not outputs:
        return False
    if references is not None and (references or references_in(row)):
        ledger.keep(row, references=list(references))
    ledger.keep(row, secret=[parameters, outputs])
    return True


def references_in(row: TaskRow) -> list[str]:
    """The parameters of a row by which its model refers to secrets."""
    found: list[str] = ledger.kept(row).get("references", [])
    return found


def refuse_others(parameters: Mapping[str, JSON], references: Iterable[str], owner: str | None) -> None:
    """Raise Invalid for a secret that processes of this owner may not use."""
    for name in references:
        read_reference(str(parameters[name])).refuse_other(owner)


def add(row: TaskRow, stone: type[Stone], parameters: Mapping[str, JSON]) -> bool:
    """Add parameters that a row does not have; whether one of them is kept as secret.

    That is what the stone, as it is known here, does not declare: nobody can tell whether it may be shown.
    """
    before = jsontext.read(row.parameters)
    added = {name: value for name, value in parameters.items() if name not in before}
    if added:
        row.parameters = jsontext.dumps({**before, **added})
    unknown = [name for name in added if not is_declared(stone, name)]
    if unknown:
        secret, outputs = ledger.kept(row).get("secret", ((), ()))
        ledger.keep(row, secret=[sorted({*secret, *unknown}), list(outputs)])
    return bool(unknown)


def names_in(row: TaskRow, stones: Stones) -> tuple[Names, Names]:
    """The secret parameters and outputs of a row: as it was handed over, and as its stone now says."""
    parameters, _ = _noted(row)
    stone = stones.choose(row.stone, row.parameters)
    return (no_echo(stone) if stone is not None else frozenset()).union(parameters), names_put_out(row, stones)


def names_put_out(row: TaskRow | PutOut, stones: Stones) -> Names:
    """The secret outputs among these."""
    _, outputs = _noted(row)
    stone = stones.choose(row.stone, row.parameters)
    return (stone.secret_outputs if stone is not None else frozenset()).union(outputs)


def _noted(row: TaskRow | PutOut) -> tuple[Sequence[str], Sequence[str]]:
    """Those that were secret as the row was handed over."""
    found: tuple[Sequence[str], Sequence[str]] = ledger.kept(row).get("secret", ((), ())) if row.state else ((), ())
    return found


def secret_outputs(row: TaskRow, stones: Stones) -> dict[str, JSON]:
    """What a task has put out or saved under the names of its secret outputs, in clear."""
    names = names_put_out(row, stones)
    told = {**ledger.saved(row), **(jsontext.read(row.outputs) if row.outputs else {})}
    return {name: value for name, value in sorted(told.items()) if name in names}


def values_in(rows: Iterable[TaskRow], stones: Stones) -> Iterator[JSON]:
    """Every secret value of these rows. A reference names a secret and is none, so a refusal can tell which it was."""
    for row in rows:
        references = references_in(row) if row.state else ()
        for names, text in zip(names_in(row, stones), (row.parameters, row.outputs), strict=True):
            if names and text:
                told = ((name, value) for name, value in jsontext.read(text).items() if name in names)
                yield from (value for name, value in told if not (name in references and is_reference(value)))
        if row.state:
            kept = ledger.kept(row)
            yield from kept.get("tokens", ())
            if saved := kept.get("saved"):
                secret = names_put_out(row, stones)
                yield from (value for name, value in saved.items() if name in secret)


def paths_in(definition: Definition, variables: Mapping[str, JSON], stones: Stones) -> frozenset[Path]:
    """Where secrets stand among the variables of a process."""
    template, taken = definition.parameter_template, secret_variables(definition.process, stones)
    paths: frozenset[Path] = frozenset() if template is None else template.secret_paths
    return paths | taken.among(variables) if taken.paths else paths


def values_at(paths: Iterable[Path], variables: Mapping[str, JSON]) -> list[JSON]:
    """The secrets that stand there. A variable that changes gets another value, which is never changed itself."""
    return [value_at(variables, path) for path in sorted(paths)]


def mask_at(
    paths: frozenset[Path],
    variables: Mapping[str, JSON],
    tasks: Iterable[TaskRow],
    stones: Stones,
    known: Iterable[JSON] = (),
) -> Mask | None:
    """What hides the secrets that stand there, those of ``tasks`` and others that are ``known``; None without any."""
    found = [*known, *values_in(tasks, stones)]
    return Mask.of(paths, variables, found) if paths or found else None


def may_hide_variables(definition: Definition, stones: Stones) -> bool:
    """Whether any variable of a process may be secret."""
    template = definition.parameter_template
    return bool(secret_variables(definition.process, stones).paths or (template is not None and template.secret_paths))


def mask_of(
    definition: Definition, variables: Callable[[], Mapping[str, JSON]], tasks: Iterable[TaskRow], stones: Stones
) -> Mask | None:
    """The same for all secrets of a process; its variables are asked for only if any is secret."""
    if not may_hide_variables(definition, stones):
        return mask_at(frozenset(), {}, tasks, stones)
    known = variables()
    return mask_at(paths_in(definition, known, stones), known, tasks, stones)
