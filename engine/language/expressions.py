"""Expressions and values of a model, compiled once and evaluated against a context.

Two languages: JUEL, the ``${...}`` or ``#{...}`` of the Java engines (EL 3.0), and FEEL (DMN 1.5), which begins with
``=`` and has a folder of its own. Both are over JSON types; Python never runs any of the text.

* A name of JUEL holds every sign that is no operator: ``${parameters.master-1a.instanceType}``,
  ``${Bingo::RS::FRONT}``. So ``a-b`` is one name and ``a - b`` a difference; a key that holds an operator is written
  ``parameters["a/b"]``. FEEL takes ``a-b`` for a difference where no name is called so.
* A reference that finds nothing is an error, in FEEL null with a reason. ``exists(x)`` and ``empty x`` put up with it.
* A value that was put in is never read again as an expression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import ExpressionError, ReferenceNotFound
from ..jsontext import JSON, NOT_STORABLE
from ..limits import Limits
from . import effort
from .closures import Run, constant
from .context import Context, Path
from .feel import faults
from .operators import Reading, kind_of

if TYPE_CHECKING:
    from .feel.expressions import Feel
    from .grammar import ParsedExpression

Language = Literal["juel", "feel"]

_SHOWN = 120
_OPENING = re.compile(r"\\?[$#]\{")
_QUOTES_AND_BRACES = re.compile(r"\"[^\"\\]*(?:\\.[^\"\\]*)*\"|'[^'\\]*(?:\\.[^'\\]*)*'|[{}\"']", re.DOTALL)
_DIFFERENCE = re.compile(r"[^-]-\d+\Z")


class Value:
    """JSON with expressions in its strings, ready to be evaluated.

    ``references`` are the static paths that have to be found (not those under ``exists`` or ``empty``), for checks
    at deployment. ``constant`` tells that the context does not matter. Do not change what ``evaluate`` returns:
    it may be a part of the context or of the value itself. ``parts`` is how many signs and names it has to look at.
    ``feels`` is what FEEL knows of its texts that are FEEL.
    """

    __slots__ = ("_run", "constant", "feels", "parts", "references", "source")

    def __init__(
        self,
        source: JSON,
        run: Run,
        references: Sequence[Path],
        constant: bool,
        parts: int = 0,
        feels: Sequence[Feel] = (),
    ) -> None:
        self.source = source
        self.references = tuple(dict.fromkeys(references))
        self.constant = constant
        self.parts = parts
        self.feels = tuple(feels)
        self._run = run

    def evaluate(self, context: Context) -> JSON:
        """The value in this context; raises ReferenceNotFound, or ExpressionError for whatever else goes wrong."""
        if self.parts:
            effort.charge(self.parts)
        if self.feels:
            faults.forget()
        try:
            return self._run(context)
        except RecursionError:
            raise ExpressionError(
                f"{_shown(self.source)} is nested too deep to be evaluated: make it flatter."
            ) from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {_shown(self.source)}>"


class Expression(Value):
    """A condition, a count, a time: one expression, or text with expressions in it."""

    __slots__ = ("_reading", "null_is_false")

    def __init__(
        self, source: str, run: Run, references: Sequence[Path], constant: bool, reading: Reading, parts: int
    ) -> None:
        super().__init__(source, run, references, constant, parts)
        self._reading = reading
        self.null_is_false = False
        """Whether a condition that is null does not hold, as it was before 0.2; else it cannot be decided."""

    def is_true(self, context: Context) -> bool:
        """The value as a condition; the text ``"true"`` is true.

        Raises ExpressionError for null and for what is no boolean: no branch is taken by accident.
        """
        value = self.evaluate(context)
        if value is True or value is False:
            return value
        if value is None:
            return self._of_null(context)
        try:
            return self._reading.truth(value)
        except ExpressionError as error:
            text = f"The condition {_shown(self.source)} cannot be decided: {error.message}."
            raise error.reworded(text) from None

    def _of_null(self, context: Context) -> bool:
        if self.null_is_false:
            return False
        why = self._why_null(context)
        text = f"The condition {_shown(self.source)} is null, neither true nor false{why}: give it a value, or write"
        raise ExpressionError(f"{text} what shall be when there is none.")

    def _why_null(self, context: Context) -> str:
        """What in it is null or not there."""
        names = [".".join(path) for path in self.references if context.find(path) is None]
        return f", since {' and '.join(names[:5])} {'is' if len(names) == 1 else 'are'} null" if names else ""


class FeelExpression(Expression):
    """An expression of FEEL, whose dates, times and durations become ISO 8601 texts.

    Where it is null for an error, :func:`reasons_of_null` tells why.
    """

    __slots__ = ()

    def __init__(self, source: str, feel: Feel, run: Run, reading: Reading) -> None:
        super().__init__(source, run, feel.references, feel.is_constant, reading, feel.parts)
        self.feels = (feel,)

    def is_true(self, context: Context) -> bool:
        value = self.evaluate(context)
        if value is True or value is False:
            return value
        if value is None:
            return self._of_null(context)
        text = f"The condition {_shown(self.source)} cannot be decided: {kind_of(value)} is neither true nor false."
        raise ExpressionError(text)

    def _why_null(self, context: Context) -> str:
        return super()._why_null(context) or "".join(f"; {reason}" for reason in reasons_of_null())


def reasons_of_null() -> tuple[str, ...]:
    """Why values of the FEEL expression that this thread evaluated last became null."""
    return faults.reasons()


def compile_expression(text: str, *, language: Language = "juel", limits: Limits) -> Expression:
    """Compile a whole expression: ``${...}``, ``#{...}``, a bare body, or FEEL with or without its ``=``.

    Text around or between several ``${...}`` makes the result text, as in EL. Raises ExpressionError.
    """
    body = text.strip()
    if body.startswith("=") and not body.startswith("=="):
        return _feel(text, body[1:], Reading(limits))
    juel = Reading(limits)
    if "${" in body or "#{" in body:
        parts = _cut(body)
        if len(parts) > 1 or isinstance(parts[0], str):
            made = _text(parts, text, juel)
            return Expression(text, made._run, made.references, made.constant, juel, made.parts)
        return _expression(text, parts[0].text, juel)
    return _feel(text, body, juel) if language == "feel" else _expression(text, body, juel)


def compile_value(value: JSON, *, language: Language = "juel", limits: Limits) -> Value:
    """Compile JSON whose strings may hold ``${...}`` or ``#{...}``; in FEEL a string may begin with ``=``.

    An expression alone in its string keeps the type of its value; inside text it becomes text. ``\\${`` stands for
    ``${`` itself. Keys of objects are taken as they are. Raises ExpressionError.
    """
    try:
        return _structure(value, Reading(limits), language, 0)
    except RecursionError:
        raise ExpressionError(f"The value {_shown(value)} is nested too deep: make it flatter.") from None


class _Body(NamedTuple):
    """What stands between ``${`` and ``}``, and the whole of it."""

    text: str
    whole: str


def _cut(text: str) -> list[str | _Body]:
    """The text in its order, cut into plain parts and expressions; at least one part."""
    if NOT_STORABLE.search(text):
        raise ExpressionError(f"The text {_shown(text)} holds NUL or half of a surrogate pair: take it out.")
    parts: list[str | _Body] = []
    plain, position = "", 0
    while found := _OPENING.search(text, position):
        plain += text[position : found.start()]
        if found[0].startswith("\\"):
            plain += found[0][1:]
            position = found.end()
            continue
        end = _closing(text, found.end())
        if plain:
            parts.append(plain)
        parts.append(_Body(text[found.end() : end], text[found.start() : end + 1]))
        plain, position = "", end + 1
    plain += text[position:]
    return [*parts, plain] if plain or not parts else parts


def _closing(text: str, start: int) -> int:
    """Where the brace is that closes the body that begins at ``start``."""
    open_braces = 1
    for found in _QUOTES_AND_BRACES.finditer(text, start):
        sign = found[0]
        if sign == "{":
            open_braces += 1
        elif sign == "}":
            open_braces -= 1
            if not open_braces:
                return found.start()
        elif len(sign) == 1:
            raise ExpressionError(
                f"The expression {_shown(text[start - 2 :])} has a quote that is not closed: close it."
            )
    raise ExpressionError(f"The expression {_shown(text[start - 2 :])} has no closing brace: add one.")


def _expression(source: str, body: str, reading: Reading) -> Expression:
    from .grammar import parse  # late, like all that reads models

    try:
        parsed = parse(body.strip(), reading)
    except ExpressionError as error:
        raise ExpressionError(f"The expression {_shown(source)} cannot be read: {error.message}.") from None
    run = _guarded(source, parsed)
    if not parsed.reads:
        run = constant(run(Context()))
    return Expression(source, run, parsed.references, not parsed.reads, reading, parsed.parts if parsed.reads else 0)


def _feel(source: str, body: str, reading: Reading) -> FeelExpression:
    from .feel.expressions import compile_feel, refused  # late, like all that reads models

    try:
        made = compile_feel(body.strip(), limits=reading.limits)
        if made.impossible:
            raise refused(made.source, made.impossible[0])
        run = made.in_json(reading.limits)
        if made.is_constant:
            run = constant(run(Context()))
    except ExpressionError as error:
        drawn = getattr(error, "drawn", "")
        text = f"The expression {_shown(source)} cannot be read: {error.message}."
        raise ExpressionError(f"{text}\n{drawn}" if drawn else text) from None

    def guarded(context: Context) -> JSON:
        try:
            return run(context)
        except ExpressionError as error:
            text = f"The expression {_shown(source)} cannot be evaluated: {error.message}."
            raise error.reworded(text) from None
        except RecursionError:
            raise ExpressionError(f"The expression {_shown(source)} is nested too deep: make it simpler.") from None

    return FeelExpression(source, made, guarded, reading)


def _guarded(source: str, parsed: ParsedExpression) -> Run:
    inner = parsed.run

    def run(context: Context) -> JSON:
        try:
            return inner(context)
        except ReferenceNotFound as error:
            if not _DIFFERENCE.search(error.path):
                raise
            text = f"{error.message[:-1]}: it is one name, so for a difference write spaces around the minus."
            raise ReferenceNotFound(error.path, text) from None
        except ExpressionError as error:
            text = f"The expression {_shown(source)} cannot be evaluated: {error.message}."
            raise error.reworded(text) from None
        except (ArithmeticError, ValueError):
            text = f"The expression {_shown(source)} cannot be evaluated: a number is out of range."
            raise ExpressionError(text) from None
        except RecursionError:
            raise ExpressionError(f"The expression {_shown(source)} is nested too deep: make it simpler.") from None

    return run


def _text(parts: Sequence[str | _Body], source: str, reading: Reading) -> Value:
    """Text with the values of expressions in it."""
    if len(parts) > reading.limits.expression_tokens:
        most = reading.limits.expression_tokens
        raise ExpressionError(f"The text {_shown(source)} has more than {most} parts: put it together in a stone.")
    compiled = [part if isinstance(part, str) else _expression(part.whole, part.text, reading) for part in parts]
    expressions = [part for part in compiled if isinstance(part, Expression)]
    most = reading.limits.output_size

    def run(context: Context) -> JSON:
        texts, length = [], 0
        for part in compiled:
            text = part if isinstance(part, str) else _part(part, source, reading, context)
            length += len(text)
            if length > most:
                raise ExpressionError(f"The text {_shown(source)} becomes longer than {most}: make its parts smaller.")
            texts.append(text)
        effort.charge_made(length)
        return "".join(texts)

    fixed = all(expression.constant for expression in expressions)
    references = [path for expression in expressions for path in expression.references]
    parts_looked_at = 0 if fixed else len(compiled) + sum(expression.parts for expression in expressions)
    return Value(source, constant(run(Context())) if fixed else run, references, fixed, parts_looked_at)


def _part(expression: Expression, source: str, reading: Reading, context: Context) -> str:
    value = expression._run(context)
    try:
        return reading.text(value, expression.source)
    except ExpressionError as error:
        raise error.reworded(f"The text {_shown(source)} cannot be made: {error.message}.") from None


def _structure(value: JSON, reading: Reading, language: Language, depth: int) -> Value:
    if isinstance(value, str):
        return _string(value, reading, language)
    if not isinstance(value, dict | list):
        return Value(value, constant(value), (), True)
    if depth >= reading.limits.json_depth:
        raise ExpressionError(f"A value is nested deeper than {reading.limits.json_depth} levels: make it flatter.")
    if isinstance(value, dict):
        members = {key: _structure(item, reading, language, depth + 1) for key, item in value.items()}
        items = list(members.values())
        runs = {key: item._run for key, item in members.items()}
        run: Run = lambda context: {key: run(context) for key, run in runs.items()}  # noqa: E731
    else:
        items = [_structure(item, reading, language, depth + 1) for item in value]
        listed = [item._run for item in items]
        run = lambda context: [run(context) for run in listed]  # noqa: E731
    feels = [feel for item in items for feel in item.feels]
    if all(item.constant for item in items):
        made = run(Context())
        return Value(value, constant(made), (), True, feels=feels)
    references = [path for item in items for path in item.references]
    parts = len(items) + sum(item.parts for item in items)
    return Value(value, run if depth else _fitting(value, run, reading), references, False, parts, feels)


def _fitting(source: JSON, inner: Run, reading: Reading) -> Run:
    def run(context: Context) -> JSON:
        try:
            return reading.fitting(inner(context))
        except ReferenceNotFound:
            raise
        except ExpressionError as error:
            raise error.reworded(f"The value {_shown(source)} cannot be made: {error.message}.") from None

    return run


def _string(text: str, reading: Reading, language: Language) -> Value:
    if language == "feel" and text.startswith("="):
        return _feel(text, text[1:], reading)
    if "${" not in text and "#{" not in text:
        return Value(text, constant(text), (), True)
    parts = _cut(text)
    if len(parts) == 1 and isinstance(parts[0], _Body):
        return _expression(text, parts[0].text, reading)
    return _text(parts, text, reading)


def _shown(source: JSON) -> str:
    text = source if isinstance(source, str) else repr(source)
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
