"""Values that were copied from what is shown: in place of secrets they hold the mask, which is no value of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import jsontext
from ..errors import Invalid
from ..jsontext import JSON
from ..language.context import Path
from ..mask import MASKED, Mask, value_at
from . import secrets
from .history import mask_of_step

if TYPE_CHECKING:
    from ...models import TaskRow
    from ..authoring.definitions import Definition
    from ..bpmn.running.token import Token
    from ..stones.registry import Stones
    from .instance import Instance


def refuse_masked_variables(instance: Instance, given: Mapping[str, JSON], token: Token) -> None:
    """Refuse variables in which the mask stands for a secret that is there, or where one belongs.

    Args:
        instance: The process whose secrets they are.
        given: What somebody sends, by name.
        token: From where they are seen.

    Raises:
        Invalid: ``value-masked``, with an error at each place.
    """
    if _holds_mask(given):
        known = {**instance.context.parameters, **token.context.parameters}
        paths = secrets.paths_in(instance.definition, {**known, **given}, instance.facilities.stones)
        _refuse(instance, given, known, paths)


def refuse_masked_parameters(instance: Instance, row: TaskRow, given: Mapping[str, JSON]) -> None:
    """The same of a task's parameters."""
    if _holds_mask(given):
        names = secrets.names_in(row, instance.facilities.stones)[0]
        _refuse(instance, given, jsontext.read(row.parameters), [(name,) for name in names])


def refuse_masked_outputs(instance: Instance, row: TaskRow, given: Mapping[str, JSON]) -> None:
    """The same of what a task puts out."""
    if _holds_mask(given):
        names = secrets.names_put_out(row, instance.facilities.stones)
        known = jsontext.read(row.outputs) if row.outputs else {}
        _refuse(instance, given, known, [(name,) for name in names])


def refuse_masked_start(definition: Definition, given: Mapping[str, JSON], stones: Stones) -> None:
    """Refuse start variables that are the mask where secrets belong; raises Invalid ``value-masked``."""
    known = dict(given)
    wrong = sorted(
        ".".join(path) for path in secrets.paths_in(definition, known, stones) if value_at(known, path) == MASKED
    )
    _raise_if(dict.fromkeys(wrong, "Holds ***** in place of a secret: give the secret itself."))


def _holds_mask(given: Mapping[str, JSON]) -> bool:
    # Much quicker than to look at each text, and no other sign of JSON can be part of it.
    return bool(given) and MASKED in jsontext.dumps(dict(given))


def _refuse(instance: Instance, given: Mapping[str, JSON], known: Mapping[str, JSON], paths: Iterable[Path]) -> None:
    secret, mask = frozenset(paths), mask_of_step(instance)
    now = {name: value for name, value in known.items() if name in given}
    shown = Mask(secret, ()).mask_value(now if mask is None else mask.mask_value(now))
    wrong = {".".join(path): path[0] for path in secret if value_at(dict(given), path) == MASKED}
    for name, value in given.items():
        if name in now and shown[name] != now[name]:
            wrong |= dict.fromkeys(_copied(name, value, shown[name]), name)
    _raise_if({place: _instead(name) for place, name in sorted(wrong.items())})


def _instead(name: str) -> str:
    return f"Holds ***** in place of a secret: leave {name!r} out, which keeps it, or give the secret itself."


def _copied(name: str, given: JSON, shown: JSON) -> Iterator[str]:
    """The places of a value at which something stands that only the mask can have made.

    A secret that itself has five asterisks inside is one like any other, unless they stand amid a text that is shown.
    """
    amid = any(MASKED in text and text != MASKED for _, text in _texts(name, shown))
    for place, text in _texts(name, given):
        if text == MASKED or (amid and MASKED in text):
            yield place


def _texts(name: str, value: JSON) -> Iterator[tuple[str, str]]:
    """Every text of a value, and every name in it, each with the dotted place at which it stands."""
    pending: list[tuple[str, Any]] = [(name, value)]
    while pending:
        place, found = pending.pop()
        if isinstance(found, str):
            yield place, found
        elif isinstance(found, Mapping):
            for key, item in found.items():
                yield place, key
                pending.append((f"{place}.{key}", item))
        elif isinstance(found, list | tuple):
            pending += [(f"{place}.{index}", item) for index, item in enumerate(found)]


def _raise_if(wrong: Mapping[str, str]) -> None:
    if wrong:
        told = " ".join(f"{place!r}: {text}" for place, text in wrong.items())
        text = f"What is shown in place of a secret is not its value. {told}"
        raise Invalid(text, code="value-masked", errors={place: [text] for place, text in wrong.items()})
