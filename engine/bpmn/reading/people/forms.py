"""The form that a task of a person or a start shows: one of the deployment, one inside of the model, or fields in it.

Camunda 8 links one by ``formId`` or embeds it, Camunda 7 links it by ``formRef``, and the Java engines have fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from .... import jsontext
from ....errors import RiverstoneError
from ....jsontext import JSON
from ....language.numerals import read_number
from ....views.people import FormKind
from ...elements.people.form import Component, Form, Template
from ..bindings import read_form_binding
from ..expression_texts import language_of
from ..mappings import Input
from ..vendors import JAVA, ZEEBE, attribute_value, extensions
from ..words import all_text, label, local_name
from .form_files import FormLink
from .form_schema import FormReader

if TYPE_CHECKING:
    from ....language.expressions import Value
    from ..model_reader import ModelReader

EMBEDDED = "camunda-forms:bpmn:"
BESIDE = "camunda-forms:deployment:"
_KINDS: dict[str, FormKind] = {
    "boolean": "checkbox",
    "date": "datetime",
    "enum": "select",
    **dict.fromkeys(("long", "integer", "int", "short", "double", "float", "decimal", "number"), "number"),
}
_WHOLE = frozenset({"long", "integer", "int", "short"})
_LIMITS = {"minlength": "minLength", "maxlength": "maxLength", "min": "min", "max": "max"}


def read_form(reader: ModelReader, element: etree._Element) -> Form | None:
    """The form of a user task or of a start event; None where the model has none."""
    embedded, linked = _links(element)
    if embedded is not None:
        schema = _embedded(reader, element, embedded)
        return _made(reader, element, embedded, schema)
    if linked is not None:
        schema = reader.forms.find(linked, reader.limits)
        if schema is None:
            _miss(reader, element, linked)
            return None
        return _made(reader, element, f"{linked.name}{linked.version}", schema)
    fields = [*_form_fields(reader, element), *_properties(reader, element)]
    if not fields and (key := attribute_value(element, "formKey")):
        text = f"The form {key[:100]!r} of {label(element)} is one of another program, so it is not shown here."
        reader.report.warning("form-elsewhere", element, text)
    return Form(list({each.path: each for each in fields}.values())) if fields else None


def _miss(reader: ModelReader, element: etree._Element, link: FormLink) -> None:
    more = f" {' '.join(reader.forms.unreadable)}" if reader.forms.unreadable else ""
    text = f"{label(element)} shows the form {link.name[:100]!r}"
    if link.together:
        text = f"{text} of its own deployment, which none of the files holds: deploy both together."
    else:
        text = f"{text}, which is not deployed{link.version}: deploy it together with the model, or first."
    reader.report.error("form-missing", element, f"{text}{more}")


def _links(element: etree._Element) -> tuple[str | None, FormLink | None]:
    """The id of the form inside of the model, and the link to one beside it or of another deployment."""
    key = attribute_value(element, "formKey")
    linked = attribute_value(element, "formRef")
    for found in extensions(element, "formDefinition", (ZEEBE,)):
        linked = found.get("formId") or linked
        key = found.get("formKey") or found.get("externalReference") or key
    if linked:
        return None, FormLink(linked.strip(), *read_form_binding(element))
    if key and key.startswith(EMBEDDED):
        return key.removeprefix(EMBEDDED), None
    if key and key.startswith(BESIDE):
        return None, FormLink(key.removeprefix(BESIDE), together=True)
    return None, None


def _embedded(reader: ModelReader, element: etree._Element, name: str) -> Any:
    root = element.getroottree().getroot()
    for found in root.iter(f"{{{ZEEBE}}}userTaskForm"):
        if found.get("id") == name:
            try:
                return jsontext.loads(all_text(found).encode(), limits=reader.limits, name=name)
            except RiverstoneError as error:
                text = f"The form {name!r} of {label(element)} cannot be read: {error.message}"
                reader.report.error("form-invalid", element, text)
                return {"components": []}
    reader.report.error("form-missing", element, f"{label(element)} shows the form {name!r}, which is not in the file.")
    return {"components": []}


def _made(reader: ModelReader, element: etree._Element, name: str, schema: Any) -> Form:
    """Read once for all tasks that show it."""
    known = reader.known_forms.get(name)
    if known is None:
        known = reader.known_forms[name] = FormReader(reader, element, repr(name)).read(schema)
    return known


def _form_fields(reader: ModelReader, element: etree._Element) -> list[Component]:
    """The fields of ``formData``, of Camunda 7."""
    found = []
    for form in extensions(element, "formData"):
        for given in form.iterchildren("*"):
            name = given.get("id")
            if local_name(given) != "formField" or not name:
                continue
            rules = {each.get("name", ""): each.get("config", "true") for each in given.iter("{*}constraint")}
            found.append(_field(reader, element, given, name, given.get("label"), given.get("defaultValue"), rules))
    return found


def _properties(reader: ModelReader, element: etree._Element) -> list[Component]:
    """Each ``formProperty``, of Activiti and Flowable."""
    found = []
    for given in extensions(element, "formProperty"):
        name = given.get("variable") or given.get("id")
        if not name:
            continue
        rules = {word: "true" for word in ("required",) if given.get(word) == "true"}
        if "false" in (given.get("writable"), given.get("writeable")):
            rules["readonly"] = "true"
        default = given.get("default") or given.get("expression")
        found.append(_field(reader, element, given, name, given.get("name"), default, rules))
    return found


def _field(
    reader: ModelReader,
    element: etree._Element,
    given: etree._Element,
    name: str,
    title: str | None,
    default: str | None,
    rules: dict[str, str],
) -> Component:
    word = given.get("type", "string")
    kind = _KINDS.get(word, "textfield")
    values = given.iterchildren("*", *(f"{{{vendor}}}value" for vendor in JAVA))
    named = [(str(each.get("id")), each.get("name")) for each in values if each.get("id")]
    options: list[tuple[JSON, str]] = [(value, title or value) for value, title in named]
    required = "required" in rules and rules["required"] != "false"
    if word == "boolean" and required:
        # What has to be answered may be answered with no: a box that is not ticked says nothing.
        kind, options = "radio", [(True, "true"), (False, "false")]
    limits: dict[str, Value] = {}
    for rule, limit in _LIMITS.items():
        if rule in rules:
            number = read_number(rules[rule].strip())
            if number is None:
                text = f"The {rule} of the field {name!r} of {label(element)} is {rules[rule][:80]!r}: give a number."
                reader.report.error("form-invalid", element, text)
            else:
                limits[limit] = reader.value(element, Input(value=number))
    return Component(
        id=name,
        kind=kind,
        path=(name,),
        label=Template((title or name,)),
        readonly="readonly" in rules and rules["readonly"] != "false",
        required=required,
        default_from=_default(reader, element, word, default),
        options=options if word in ("enum", "boolean") else (),
        limits=limits,
        whole=word in _WHOLE,
        date="date",
        loose=True,
    )


def _default(reader: ModelReader, element: etree._Element, word: str, text: str | None) -> Value | None:
    """What a field of a type begins with, as it is kept: ``1.5`` of a ``double`` is a number."""
    if not text:
        return None
    value: Any = text
    if word == "boolean" and text.lower() in ("true", "false"):
        value = text.lower() == "true"
    elif _KINDS.get(word) == "number":
        number = read_number(text.strip())
        if isinstance(number, int) or (isinstance(number, float) and word not in _WHOLE):
            value = number
    return reader.value(element, Input(value=value, language=language_of(text)))
