"""What a model says about its start variables and its outputs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from ..errors import ExpressionError, Invalid, ReferenceNotFound, VariablesInvalid
from ..jsontext import JSON, NOT_STORABLE, check, dumps
from ..language import effort
from ..language.compiler import Compiler
from ..language.context import Context, Path
from ..language.expressions import Value
from ..limits import Limits
from ..mask import MASKED, Mask
from .template_variable import REFERENCE, Variable, read_variable

Found = tuple[JSON, bool]
"""A value, and whether there is one."""


class ParameterTemplate:
    """The variables that a model takes: their types, constraints, defaults and which of them are secret.

    A variable without ``DefaultValue`` has to be given; null counts as not given. A text that says a number is
    a fine Number: the process's record keeps ``"6"`` as it was sent, its expressions see 6. Variables that the template
    does not know are let through.
    Patterns are matched by :class:`~riverstone.engine.patterns.Pattern`, which cannot be made to hang.
    """

    __slots__ = ("_limits", "_variables", "searchable_paths", "secret_paths", "source")

    def __init__(self, source: Sequence[Mapping[str, JSON]], variables: Sequence[Variable], limits: Limits) -> None:
        self.source = source
        self._limits = limits
        self._variables = {variable.path: variable for variable in variables}
        self.secret_paths: frozenset[Path] = frozenset(variable.path for variable in variables if variable.no_echo)
        self.searchable_paths: tuple[Path, ...] = tuple(each.path for each in variables if each.searchable)

    @property
    def names(self) -> frozenset[str]:
        """The variables that it defines, in dotted form where they are in a namespace."""
        return frozenset(".".join(path) for path in self._variables)

    def violations(self, path: Path, value: JSON) -> list[str]:
        """What is wrong with a value for a variable; nothing for one that it does not define."""
        variable = self._variables.get(path)
        return [] if variable is None else variable.violations(value)

    def typed(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """Values that fit, by name, as expressions see them: see :meth:`.Variable.typed`."""
        known = self._variables
        return {name: known[(name,)].typed(value) if (name,) in known else value for name, value in values.items()}

    @classmethod
    def load(cls, template: JSON, limits: Limits) -> ParameterTemplate:
        """Read a template; raises Invalid (``code`` is ``template-invalid``) with everything that is wrong in it."""
        errors: dict[str, list[str]] = {}
        variables: dict[Path, Variable] = {}
        for index, entry in enumerate(_entries(template, "parameter template", limits)):
            variable, texts = read_variable(entry)
            name = _field(entry, index)
            if variable is not None and variable.path in variables:
                texts.append("Is defined twice: remove one.")
            if variable is not None and not texts:
                variables[variable.path] = variable
            if texts:
                errors.setdefault(name, []).extend(texts)
        _raise_if(errors, "parameter template")
        return cls(template, list(variables.values()), limits)

    def complete(self, variables: Mapping[str, JSON]) -> dict[str, JSON]:
        """The start variables with defaults filled in; raises VariablesInvalid with every violation at once.

        Raises ExpressionWork where patterns would have to look at too much.
        """
        with effort.turn(self._limits):
            return self._complete(variables)

    def _complete(self, variables: Mapping[str, JSON]) -> dict[str, JSON]:
        errors: dict[str, list[str]] = {}
        completed = dict(variables)
        known: dict[Path, Found] = {}
        for path, variable in self._variables.items():
            texts: list[str] = []
            if variable.namespace is not None and not _is_object(variables.get(variable.namespace, {})):
                texts.append(f"{variable.namespace!r} must be an object that holds it.")
            else:
                value, found = self._value(path, variables, known)
                if not found:
                    texts.append(self._missing(variable))
                else:
                    texts.extend(variable.violations(value))
                    if not texts:
                        _put(completed, variables, path, variable.typed(value))
            if texts:
                errors[".".join(path)] = texts
        if errors:
            raise VariablesInvalid(errors)
        return completed

    def defaults(self, variables: Mapping[str, JSON]) -> dict[str, JSON]:
        """The variables with defaults filled in where there are any; nothing is checked."""
        completed = dict(variables)
        known: dict[Path, Found] = {}
        for path, variable in self._variables.items():
            if variable.namespace is None or _is_object(variables.get(variable.namespace, {})):
                value, found = self._value(path, variables, known)
                if found:
                    _put(completed, variables, path, variable.typed(value))
        return completed

    def _value(self, path: Path, variables: Mapping[str, JSON], known: dict[Path, Found]) -> Found:
        """What a variable is given or falls back to, along a chain of ``Ref:`` that may lead in a circle.

        ``known`` is what was found before, so that all chains together are gone along once.
        """
        passed: dict[Path, None] = {}
        found: Found = None, False
        while path not in passed:
            if path in known:
                found = known[path]
                break
            passed[path] = None
            given = _get(variables, path)
            variable = self._variables.get(path)
            if given is not None:
                found = given, True
                break
            if variable is None or variable.default is None:
                break
            if not (isinstance(variable.default, str) and variable.default.startswith(REFERENCE)):
                found = variable.default, True
                break
            path = self._target(variable, variable.default.removeprefix(REFERENCE).strip(), variables)
        known.update(dict.fromkeys(passed, found))
        return found

    def _target(self, variable: Variable, name: str, variables: Mapping[str, JSON]) -> Path:
        """The path that ``Ref:name`` means: a neighbour in the same namespace first, then a name as it is written."""
        candidates: list[Path] = [(name,)]
        if variable.namespace is not None and name != variable.key:
            candidates.insert(0, (variable.namespace, name))
        head, _, tail = name.partition(".")
        if tail:
            candidates.append((head, tail))
        for path in candidates:
            if path in self._variables or _get(variables, path) is not None:
                return path
        return (name,)

    def _missing(self, variable: Variable) -> str:
        if isinstance(variable.default, str) and variable.default.startswith(REFERENCE):
            return f"Is missing, and so is {variable.default.removeprefix(REFERENCE)!r}, which it would copy."
        return "Is missing and has no default: give it a value."

    def searchable(self, variables: Mapping[str, JSON]) -> dict[str, str]:
        """By dotted names, the texts by which processes with these variables are found."""
        found = {path: _get(variables, path) for path in self.searchable_paths}
        texts = {".".join(path): searchable_text(value) for path, value in found.items()}
        return {name: text for name, text in texts.items() if text is not None}

    def mask(self, variables: Mapping[str, JSON]) -> dict[str, JSON]:
        """The variables with ``*****`` for each secret one; copies of a value elsewhere are what ``mask_of`` is for."""
        shown = dict(variables)
        for path in self.secret_paths:
            if _get(variables, path) is not None:
                _put(shown, variables, path, MASKED)
        return shown

    def mask_of(self, variables: Mapping[str, JSON], more: Sequence[JSON] = ()) -> Mask:
        """What hides the secrets of these (completed) variables, and ``more`` of them, wherever they turn up."""
        return Mask.of(self.secret_paths, variables, more)


class OutputsTemplate:
    """What a process that succeeded shows of its results, by ``Key``."""

    __slots__ = ("_values", "references", "source")

    def __init__(self, source: Sequence[Mapping[str, JSON]], values: Mapping[str, Value]) -> None:
        self.source = source
        self._values = dict(values)
        self.references: tuple[Path, ...] = tuple(
            dict.fromkeys(path for value in values.values() for path in value.references)
        )

    @classmethod
    def load(cls, template: JSON, limits: Limits) -> OutputsTemplate:
        """Read a template; raises Invalid (``code`` is ``template-invalid``) with everything that is wrong in it."""
        errors: dict[str, list[str]] = {}
        values: dict[str, Value] = {}
        compiler = Compiler(limits)
        for index, entry in enumerate(_entries(template, "outputs template", limits)):
            name = _field(entry, index)
            if not _is_object(entry) or not isinstance(entry.get("Key"), str) or not entry["Key"]:
                errors.setdefault(name, []).append("Must be an object with a Key that is a text.")
            elif entry["Key"] in values:
                errors.setdefault(name, []).append("Is defined twice: remove one.")
            elif "Value" not in entry:
                errors.setdefault(name, []).append("Has no Value: give it one, such as ${outputs.server.id}.")
            else:
                try:
                    values[entry["Key"]] = compiler.value(entry["Value"])
                except ExpressionError as error:
                    errors.setdefault(name, []).append(error.message)
        _raise_if(errors, "outputs template")
        return cls(template, values)

    def evaluate(self, context: Context) -> dict[str, JSON]:
        """The outputs by Key; raises ReferenceNotFound or ExpressionError naming the Key."""
        outputs: dict[str, JSON] = {}
        for key, value in self._values.items():
            try:
                outputs[key] = value.evaluate(context)
            except ReferenceNotFound as error:
                text = f"Output {key!r} refers to ${{{error.path}}}, which finds nothing: correct the outputs template."
                raise ReferenceNotFound(error.path, text) from None
            except ExpressionError as error:
                raise ExpressionError(f"Output {key!r} has no value: {error.message}") from None
        return outputs


def _entries(template: JSON, name: str, limits: Limits) -> list[JSON]:
    check(template, limits=limits, name=name)
    if not isinstance(template, list):
        text = f"The {name} must be a list of objects."
        raise Invalid(text, code="template-invalid", errors={name: [text]})
    return template


def searchable_text(value: JSON) -> str | None:
    """A single value as it is searched: 6, 6.0 and ``"6"`` are one, ``true`` is ``"true"``; None for any other."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        return None if NOT_STORABLE.search(value) else value
    is_single = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return dumps(value) if is_single else None


def searchable_texts(variables: Mapping[str, JSON]) -> dict[str, str]:
    """The same of several that are asked for; raises Invalid (``code`` is ``search-invalid``) for any other."""
    texts = {name: searchable_text(value) for name, value in variables.items()}
    wrong = {name: ["Must be a text, a number, true or false."] for name, text in texts.items() if text is None}
    if wrong:
        raise Invalid("Processes are found by single values of variables.", code="search-invalid", errors=wrong)
    return {name: text for name, text in texts.items() if text is not None}


def _field(entry: JSON, index: int) -> str:
    """How errors call an entry: by its Key, or by its place if it has none."""
    key = entry.get("Key") if _is_object(entry) else None
    if not isinstance(key, str) or not key:
        return f"[{index}]"
    namespace = entry.get("NameSpace")
    return f"{namespace}.{key}" if isinstance(namespace, str) and namespace else key


def _raise_if(errors: Mapping[str, Sequence[str]], name: str) -> None:
    if errors:
        first = next(iter(errors))
        text = f"The {name} is wrong at {', '.join(errors)}: {errors[first][0]}"
        raise Invalid(text, code="template-invalid", errors=errors)


def _is_object(value: JSON) -> bool:
    return isinstance(value, Mapping)


def _get(variables: Mapping[str, JSON], path: Path) -> JSON:
    here: JSON = variables
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here


def _put(target: dict[str, JSON], origin: Mapping[str, JSON], path: Path, value: JSON) -> None:
    """Set a value in the target without touching the objects that it shares with the origin."""
    if len(path) == 1:
        target[path[0]] = value
        return
    if target.get(path[0]) is origin.get(path[0]):
        target[path[0]] = dict(origin.get(path[0]) or {})
    target[path[0]][path[1]] = value


def read_templates(
    parameters: str | None, outputs: str | None, limits: Limits
) -> tuple[ParameterTemplate | None, OutputsTemplate | None]:
    """Stored templates, read; raises Invalid for a wrong one."""
    return (
        ParameterTemplate.load(json.loads(parameters), limits) if parameters else None,
        OutputsTemplate.load(json.loads(outputs), limits) if outputs else None,
    )
