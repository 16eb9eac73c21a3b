"""Values that were copied from what is shown: in place of secrets they hold the mask, which is no value of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import jsontext
from ..errors import Invalid
from ..jsontext import JSON
from ..language.context import Path
from ..ledger import secrets
from ..mask import MASKED, Mask, value_at
from .notes.history import mask_of_step

if TYPE_CHECKING:
    from ...models import TaskRow
    from ..authoring.definitions import Definition
    from ..bpmn.running.token import Token
    from ..stones.registry import Stones
    from .instance import Instance


def unmasked_variables(instance: Instance, given: Mapping[str, JSON], token: Token) -> Mapping[str, JSON]:
    """Variables as somebody means them who has read what is shown: a member of an object that is masked stays as it is.

    Args:
        instance: The process whose secrets they are.
        given: What somebody sends, by name.
        token: From where they are seen.

    Raises:
        Invalid: ``value-masked``, with an error at each place where the mask stands for anything else.
    """
    if not _holds_mask(given):
        return given
    known = {**instance.context.parameters, **token.context.parameters}
    paths = secrets.paths_in(instance.definition, {**known, **given}, instance.facilities.stones)
    return _unmasked(instance, given, known, paths)


def unmasked_parameters(instance: Instance, row: TaskRow, given: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The same of a task's parameters."""
    if not _holds_mask(given):
        return given
    names = secrets.names_in(row, instance.facilities.stones)[0]
    return _unmasked(instance, given, jsontext.read(row.parameters), [(name,) for name in names])


def unmasked_outputs(instance: Instance, row: TaskRow, given: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The same of what a task puts out."""
    if not _holds_mask(given):
        return given
    names = secrets.names_put_out(row, instance.facilities.stones)
    known = jsontext.read(row.outputs) if row.outputs else {}
    return _unmasked(instance, given, known, [(name,) for name in names])


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


def _unmasked(
    instance: Instance, given: Mapping[str, JSON], known: Mapping[str, JSON], paths: Iterable[Path]
) -> Mapping[str, JSON]:
    secret, mask = frozenset(paths), mask_of_step(instance)
    now = {name: value for name, value in known.items() if name in given}
    shown = Mask(secret, ()).mask_value(now if mask is None else mask.mask_value(now))
    meant, rest = _with_members_kept(given, shown, now)
    wrong = {".".join(path): path[0] for path in secret if value_at(rest, path) == MASKED}
    for name, value in rest.items():
        if name in now and shown[name] != now[name]:
            wrong |= dict.fromkeys(_copied(name, value, shown[name]), name)
    _raise_if({place: _instead(name) for place, name in sorted(wrong.items())})
    return meant


def _with_members_kept(
    given: Mapping[str, JSON], shown: Mapping[str, JSON], now: Mapping[str, JSON]
) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """What is given, with the members of objects that are given as they are shown, and what is given beside these.

    A name that is left out stays as it is, but a member of an object that is left out is gone: whoever changes another
    member has to give it. In a list nobody can tell which item has moved, so only a whole one is the same.
    """
    meant, rest = dict(given), dict(given)
    pending: list[tuple[dict[str, Any], dict[str, Any], Any, Any]] = [(meant, rest, shown, now)]
    while pending:
        here, beside, seen, known = pending.pop()
        for name in here.keys() & seen.keys() & known.keys():
            value = here[name]
            if all(isinstance(each, Mapping) for each in (value, seen[name], known[name])):
                here[name], beside[name] = dict(value), dict(value)
                pending.append((here[name], beside[name], seen[name], known[name]))
            elif here is not meant and _is_shown_so(value, seen[name]):
                here[name], beside[name] = known[name], None
    return meant, rest


def _is_shown_so(value: JSON, shown: JSON) -> bool:
    text = jsontext.dumps(value)
    return MASKED in text and text == jsontext.dumps(shown)


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
