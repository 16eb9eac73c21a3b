"""What the marshmallow fields of a stone declare, and what they make of values.

Only this module and those for stones without their code import marshmallow. The engine imports it late, with the
first stone that has parameters: whoever has written those has imported marshmallow already.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, missing, validate

from ...errors import Invalid
from ...jsontext import JSON, check, dumps
from ...language.expressions import Value
from ...limits import Limits
from ...mask import MASKED
from ..stone import Stone
from . import records
from .declaration import ParameterDeclaration, Unfit
from .given_numbers import may_be_numbers, misread

SUPPLIED = "supplied"
"""In the metadata of a field without its code: its worker has a default for it."""
_TYPES = {
    fields.Raw: "json",
    fields.Dict: "object",
    records.SecretField: "string",
}
# What these fields make of JSON is JSON again, so it can be stored as it is.
_PLAIN = frozenset(
    {
        fields.String,
        fields.Integer,
        fields.Float,
        fields.Boolean,
        fields.Raw,
        fields.Email,
        fields.Url,
    }
)


class StoneSchema:
    """A stone's fields, made ready once: a new schema costs more than the rest of a task's start."""

    def __init__(self, stone: type[Stone]) -> None:
        if "Meta" in stone.parameters:
            raise Invalid(f"Stone {stone.code!r} cannot have a parameter called 'Meta': call it otherwise.")
        self.names = [key_of(name, field) for name, field in stone.parameters.items()]
        self.fields = {key_of(name, field): field for name, field in stone.parameters.items()}
        self.texts = [name for name, field in self.fields.items() if type(field) is fields.String]
        self.no_echo = frozenset(name for name, field in self.fields.items() if is_secret(field))
        self.supplied = frozenset(name for name, field in self.fields.items() if is_supplied(field))
        self.never_by_name = frozenset(n for n, field in self.fields.items() if field.metadata.get("variable") is False)
        self.plain = all(_is_plain(field) for field in stone.parameters.values())
        allowed = {name: allowed_values(field) for name, field in self.fields.items()}
        self._allowed = {name: values for name, values in allowed.items() if values is not None}
        self._numbers = {name: field for name, field in self.fields.items() if may_be_numbers(field)}
        self._record = stone.parameters_type
        self._schema: Schema = Schema.from_dict(dict(stone.parameters), name=stone.__name__)(unknown=INCLUDE)

    def leaves_out(self, name: str, value: Value) -> bool:
        """Whether the model has the input for its form alone, with nothing in it."""
        return value.constant and value.source is None and name in self.fields and not self.fields[name].allow_none

    def unfit(self, name: str, value: JSON) -> str:
        """Why a value does not fit the field of this name; empty where it does."""
        try:
            self._load_new({name: value})
        except Unfit as error:
            texts = error.errors
            return " ".join(
                text for path in texts if path == name or path.startswith(f"{name}.") for text in texts[path]
            )
        return ""

    def loaded(self, values: Mapping[str, JSON], *, is_new: bool = False) -> dict[str, Any]:
        """The values as the fields make them; raises Unfit.

        New ones are refused where they are no numbers. What is stored has begun already.
        """
        if is_new:
            return self._load_new(values)
        try:
            return self._load(values)
        except ValidationError as error:
            raise Unfit(dict(_flat(error.normalized_messages()))) from None

    def handed(self, loaded: dict[str, Any]) -> Any:
        """Loaded values as a hook gets them: an instance where a class declares them; raises Unfit."""
        return loaded if self._record is None else records.instance(self._record, loaded)

    def stored(self, values: Mapping[str, JSON], without: Collection[str] = ()) -> dict[str, JSON]:
        """The values as JSON, with the defaults of what is not among them; raises Unfit.

        What they are ``without`` is missing for now, and required all the same.
        """
        loaded = self._load_new(values, without)
        if self.plain:
            return loaded
        try:
            stored = dict(values)
            for name, field in self.fields.items():
                if name not in stored and field.load_default is not missing:
                    stored[name] = default_of(field)
            return stored
        except ValidationError as error:
            raise Unfit(dict(_flat(error.normalized_messages()))) from None

    def defaults(self, names: Iterable[str]) -> dict[str, JSON]:
        """The defaults of these, which have one, as JSON; raises Invalid where one cannot be made."""
        made: dict[str, JSON] = {}
        for name in sorted(names):
            try:
                made[name] = default_of(self.fields[name])
            except Exception as error:
                # Not what it says: that may be the secret.
                text = f"The default of parameter {name!r} cannot be made: {type(error).__name__}."
                raise Invalid(text, code="parameters-invalid") from error
        return made

    def _load_new(self, values: Mapping[str, JSON], without: Collection[str] = ()) -> dict[str, Any]:
        """Of values that nobody has loaded before; raises Unfit."""
        wrong: dict[str, list[str]] = {}
        for name, field in self._numbers.items():
            for path, text in misread(field, values[name], name) if name in values else ():
                wrong[path] = [text]
        try:
            loaded = self._load(values, without)
        except ValidationError as error:
            wrong = {**dict(_flat(error.normalized_messages())), **wrong}
        if wrong:
            raise Unfit(wrong)
        return loaded

    def _load(self, values: Mapping[str, JSON], without: Collection[str] = ()) -> dict[str, Any]:
        absent = (
            [name for name, field in self._schema.fields.items() if key_of(name, field) in without] if without else None
        )
        try:
            loaded: dict[str, Any] = self._schema.load(values, partial=absent)
        except ValidationError:
            raise
        except Exception as error:
            # Of a validator or a default of the stone's author. Not what it says: that may be the secret.
            raise ValidationError(
                {self._blamed(values): [f"Cannot be checked: its field has raised {type(error).__name__}."]}
            ) from None
        for name, allowed in self._allowed.items():
            if name in values and values[name] is None and self.fields[name].allow_none:
                continue
            # A field may turn its text into something else, so what was given counts as well.
            if name in values and values[name] not in allowed and loaded.get(name) not in allowed:
                raise ValidationError({name: [f"Must be one of {dumps(allowed)}."]})
        if self._record is not None and not without:
            # What the class itself refuses, before the task begins.
            try:
                self.handed(loaded)
            except Unfit as error:
                raise ValidationError({**error.errors}) from None
        return loaded

    def _blamed(self, values: Mapping[str, JSON]) -> str:
        """The parameter whose field raises what no field should."""
        for name, field in self.fields.items():
            try:
                field.deserialize(values.get(name, missing))
            except ValidationError:
                pass
            except Exception:
                return name
        return "_schema"


def parameter_declaration(name: str, field: fields.Field[Any]) -> ParameterDeclaration:
    """What a field of this name declares."""
    secret = is_secret(field)
    default = _shown_default(field)
    hidden = secret and (default is not None or is_supplied(field) or field.metadata.get(SUPPLIED))
    allowed = allowed_values(field)
    return ParameterDeclaration(
        name=key_of(name, field),
        type="object" if isinstance(field, fields.Nested) else type_of(field),
        required=field.required,
        default=MASKED if hidden else default,
        display_name=str(field.metadata.get("display_name") or key_of(name, field)),
        description=str(field.metadata.get("description") or ""),
        visible=bool(field.metadata.get("visible", True)),
        no_echo=secret,
        allowed_values=None if allowed is None else tuple(allowed),
        variable=field.metadata.get("variable"),
    )


def type_of(field: fields.Field[Any]) -> str:
    """What a declaration calls the field's type."""
    return _TYPES.get(type(field), type(field).__name__.lower())


def key_of(name: str, field: fields.Field[Any]) -> str:
    """The name by which models and start variables give the field's value."""
    return field.data_key or name


def is_secret(field: fields.Field[Any]) -> bool:
    """Whether the field's values are secret: it says so, or one inside of it does."""
    return _is_secret(field, ())


def is_supplied(field: fields.Field[Any]) -> bool:
    """Whether its default stays with the code: it is secret, or made anew each time."""
    default = field.load_default
    if default is missing or default is list or default is dict:
        return False
    # That there is nothing is no secret.
    return callable(default) or (default is not None and default != "" and is_secret(field))


def default_of(field: fields.Field[Any]) -> JSON:
    """The field's default as JSON; raises Invalid if there is no way to store it."""
    default = field.load_default() if callable(field.load_default) else field.load_default
    if default is None or (type(default) in (str, int, float, bool) and not _is_boundless(default)):
        return default
    stored = field._serialize(default, "default", None)
    check(stored, limits=Limits(), name=f"the default of parameter {field.name or '?'}")
    return stored


def allowed_values(field: fields.Field[Any]) -> list[JSON] | None:
    """The only values that the field takes, or None where it is not limited to some."""
    allowed = field.metadata.get("allowed_values")
    if allowed is not None:
        return list(allowed)
    return next((list(rule.choices) for rule in field.validators if isinstance(rule, validate.OneOf)), None)


def _shown_default(field: fields.Field[Any]) -> JSON:
    # One that stays with the code says nothing to a form.
    if field.load_default is missing or is_supplied(field):
        return None
    try:
        return default_of(field)
    except Exception:
        # Whatever a field of the stone's author raises is told where a task needs the default, not in a list.
        return None


def _flat(messages: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, texts in messages.items():
        path = f"{prefix}{name}"
        if isinstance(texts, Mapping):
            yield from _flat(texts, f"{path}.")
        else:
            yield path, [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]


def _is_secret(field: fields.Field[Any], outer: tuple[type[Schema], ...]) -> bool:
    inside: Iterable[Any] = ()
    if isinstance(field, fields.Nested):
        schema = field.schema
        if type(schema) in outer:
            return False
        outer, inside = (*outer, type(schema)), schema.fields.values()
    elif isinstance(field, fields.List):
        inside = (field.inner,)
    elif isinstance(field, fields.Tuple):
        inside = field.tuple_fields
    elif isinstance(field, fields.Mapping):
        inside = (each for each in (field.key_field, field.value_field) if each is not None)
    return bool(field.metadata.get("no_echo")) or any(_is_secret(each, outer) for each in inside)


def _is_plain(field: fields.Field[Any]) -> bool:
    if type(field) is fields.List:
        return _is_plain(field.inner)
    if type(field) is fields.Dict:
        return field.value_field is None or _is_plain(field.value_field)
    default = None if field.load_default is missing else field.load_default
    if (isinstance(field, fields.Float) and field.allow_nan) or _is_boundless(default):
        return False
    return type(field) in _PLAIN and (default is None or isinstance(default, str | int | float | bool | list | dict))


def _is_boundless(value: Any) -> bool:
    """Whether it is NaN or infinite, which JSON cannot say: the text of it is stored, which the field reads."""
    return isinstance(value, float) and not math.isfinite(value)
